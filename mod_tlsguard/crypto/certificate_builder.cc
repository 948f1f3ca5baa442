// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate_builder.h"

#include <openssl/rand.h>

#include <array>
#include <utility>

#include "crypto/certificate.h"

namespace tlsguard::crypto {
namespace {

constexpr long version_3 = 2;

using BigNumber = std::unique_ptr<BIGNUM, Deleter<BIGNUM, BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION, X509_EXTENSION_free>>;
using Octets =
    std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT, ASN1_OBJECT_free>>;

// RFC 5280 4.1.2.2: positive, at most 20 bytes.
bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // neither negative nor short
  BigNumber number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_entry(X509_NAME* name, int nid, std::string_view text) {
  return text.empty() ||
         X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// The hash to sign with, as strong as the key's curve.
const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

// The DER of one OCTET STRING, as the value of an extension.
Octets wrapped(std::span<const std::uint8_t> bytes) {
  Octets inner(ASN1_OCTET_STRING_new());
  Octets outer(ASN1_OCTET_STRING_new());
  if (!inner || !outer ||
      ASN1_OCTET_STRING_set(inner.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return nullptr;
  }
  unsigned char* der = nullptr;
  int size = i2d_ASN1_OCTET_STRING(inner.get(), &der);
  bool set = size > 0 && ASN1_OCTET_STRING_set(outer.get(), der, size) == 1;
  OPENSSL_free(der);
  return set ? std::move(outer) : nullptr;
}

}  // namespace

CertificateBuilder::CertificateBuilder(const EVP_PKEY* key, const X509* issuer)
    : certificate_(X509_new()), issuer_(issuer != nullptr ? issuer : certificate_.get()) {
  X509* c = certificate_.get();
  // X509_set_pubkey takes a reference and changes nothing.
  note(c != nullptr && X509_set_version(c, version_3) == 1 && set_serial(c) &&
       X509_set_pubkey(c, const_cast<EVP_PKEY*>(key)) == 1);
}

CertificateBuilder& CertificateBuilder::subject(std::string_view organization,
                                                std::string_view common_name) {
  if (failed_) return *this;
  X509_NAME* name = X509_get_subject_name(certificate_.get());
  note(add_entry(name, NID_organizationName, organization) &&
       add_entry(name, NID_commonName, common_name));
  return *this;
}

CertificateBuilder& CertificateBuilder::valid(UnixSeconds from, UnixSeconds until) {
  if (failed_) return *this;
  note(ASN1_TIME_set(X509_getm_notBefore(certificate_.get()), from) != nullptr &&
       ASN1_TIME_set(X509_getm_notAfter(certificate_.get()), until) != nullptr);
  return *this;
}

CertificateBuilder& CertificateBuilder::names(const GENERAL_NAMES* names, bool critical) {
  if (failed_) return *this;
  note(X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name,
                         const_cast<GENERAL_NAMES*>(names), critical ? 1 : 0,
                         X509V3_ADD_REPLACE) == 1);
  return *this;
}

CertificateBuilder& CertificateBuilder::new_serial() {
  if (!failed_) note(set_serial(certificate_.get()));
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(int nid, void* structure, bool critical) {
  if (failed_) return *this;
  note(X509_add1_ext_i2d(certificate_.get(), nid, structure, critical ? 1 : 0, X509V3_ADD_APPEND) ==
       1);
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(int nid, const char* value) {
  if (failed_) return *this;
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, const_cast<X509*>(issuer_), certificate_.get(), nullptr, nullptr, 0);
  Extension made(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  note(made && X509_add_ext(certificate_.get(), made.get(), -1) == 1);
  return *this;
}

CertificateBuilder& CertificateBuilder::octets(const char* oid, std::span<const std::uint8_t> bytes,
                                               bool critical) {
  if (failed_) return *this;
  Object object(OBJ_txt2obj(oid, 1));
  Octets value = wrapped(bytes);
  const int before = object ? X509_get_ext_by_OBJ(certificate_.get(), object.get(), -1) : -1;
  if (before >= 0) X509_EXTENSION_free(X509_delete_ext(certificate_.get(), before));
  Extension made(object && value ? X509_EXTENSION_create_by_OBJ(nullptr, object.get(),
                                                                critical ? 1 : 0, value.get())
                                 : nullptr);
  note(made && X509_add_ext(certificate_.get(), made.get(), -1) == 1);
  return *this;
}

Result<void> CertificateBuilder::finish(const EVP_PKEY* issuer_key) {
  X509* c = certificate_.get();
  // Signing takes its own copy of the key's state.
  if (failed_ || X509_set_issuer_name(c, X509_get_subject_name(issuer_)) != 1 ||
      X509_sign(c, const_cast<EVP_PKEY*>(issuer_key), digest_for(issuer_key)) <= 0) {
    return fail("a certificate cannot be made: " + drain_errors());
  }
  return {};
}

Result<std::string> CertificateBuilder::sign_pem(const EVP_PKEY* issuer_key) {
  if (auto finished = finish(issuer_key); !finished) return tl::unexpected(finished.error());
  return certificate_to_pem(certificate_.get());
}

Result<Certificate> CertificateBuilder::sign(const EVP_PKEY* issuer_key) {
  if (auto finished = finish(issuer_key); !finished) return tl::unexpected(finished.error());
  X509* c = certificate_.get();
  // Read anew, as whoever gets it will: nothing is cached in it from when it was half built.
  unsigned char* der = nullptr;
  const int size = i2d_X509(c, &der);
  const unsigned char* at = der;
  Certificate signed_one(size > 0 ? d2i_X509(nullptr, &at, size) : nullptr);
  OPENSSL_free(der);
  if (!signed_one) return fail("a certificate cannot be read: " + drain_errors());
  return signed_one;
}

}  // namespace tlsguard::crypto
