// SPDX-License-Identifier: Apache-2.0
#include "crypto/csr.h"

#include <memory>

#include "crypto/general_names.h"

namespace tlsguard::crypto {
namespace {

using Request = std::unique_ptr<X509_REQ, Deleter<X509_REQ, X509_REQ_free>>;

inline void free_extensions(STACK_OF(X509_EXTENSION) * all) {
  sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}
using Extensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), Deleter<STACK_OF(X509_EXTENSION), free_extensions>>;

bool set_subject(X509_REQ* request, const std::string& common_name) {
  return common_name.empty() ||
         X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool set_names(X509_REQ* request, GENERAL_NAMES* names) {
  STACK_OF(X509_EXTENSION)* made = nullptr;
  bool added = X509V3_add1_i2d(&made, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
  Extensions owned(made);
  return added && X509_REQ_add_extensions(request, owned.get()) == 1;
}

}  // namespace

Result<std::string> make_csr_der(const std::vector<std::string>& names, const EVP_PKEY* key) {
  auto alternatives = general_names(names);
  if (!alternatives) return tl::unexpected(alternatives.error());
  Request request(X509_REQ_new());
  // Neither call changes the key.
  auto* signer = const_cast<EVP_PKEY*>(key);
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), signer) != 1 ||
      !set_subject(request.get(), common_name_for(names)) ||
      !set_names(request.get(), alternatives->get()) ||
      X509_REQ_sign(request.get(), signer, EVP_sha256()) <= 0) {
    return fail("a certificate request cannot be made: " + drain_errors());
  }
  int size = i2d_X509_REQ(request.get(), nullptr);
  std::string der(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  if (der.empty() || i2d_X509_REQ(request.get(), &at) != size) {
    return fail("a certificate request cannot be written: " + drain_errors());
  }
  return der;
}

}  // namespace tlsguard::crypto
