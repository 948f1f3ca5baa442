// SPDX-License-Identifier: Apache-2.0
#include "ca/profiles.h"

#include <fmt/format.h>

#include <algorithm>

#include "ca/constraints.h"
#include "core/date.h"
#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/digest.h"

namespace tlsguard::ca {
namespace {

constexpr std::string_view organization = "mod_tlsguard internal CA";

// Tells the roots of several stores apart where a client trusts more than one.
std::string mark_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return "unknown";
  auto digest = crypto::sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return crypto::hex(std::span(digest).first(4));
}

std::string day_of(UnixSeconds now) { return format_date(now).substr(0, 10); }

}  // namespace

Result<crypto::Certificate> make_root(const EVP_PKEY* key,
                                      const std::vector<std::string>& permitted, UnixSeconds now) {
  crypto::CertificateBuilder builder(key, nullptr);
  builder.subject(organization, fmt::format("root {} of {}", mark_of(key), day_of(now)))
      .valid(now - one_day, now + root_lifetime)
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:1")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign")
      .extension(NID_subject_key_identifier, "hash")
      .extension(NID_authority_key_identifier, "keyid:always");
  if (!permitted.empty()) {
    auto constraints = make_constraints(permitted);
    if (!constraints) return tl::unexpected(constraints.error());
    builder.extension(NID_name_constraints, constraints->get(), true);
  }
  return builder.sign(key);
}

Result<crypto::Certificate> make_intermediate(const EVP_PKEY* key, const Signer& root,
                                              UnixSeconds now) {
  auto of_root = crypto::facts_of(root.certificate);
  if (!of_root) return tl::unexpected(of_root.error());
  crypto::CertificateBuilder builder(key, root.certificate);
  builder.subject(organization, fmt::format("intermediate {} of {}", mark_of(key), day_of(now)))
      .valid(std::max(now - one_day, of_root->not_before),
             std::min(now + intermediate_lifetime, of_root->not_after))
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign")
      .extension(NID_ext_key_usage, "serverAuth")
      .extension(NID_subject_key_identifier, "hash")
      .extension(NID_authority_key_identifier, "keyid:always");
  return builder.sign(root.key);
}

Result<crypto::Certificate> make_leaf(const std::vector<std::string>& names, const EVP_PKEY* key,
                                      const Signer& intermediate, UnixSeconds now) {
  auto alternatives = crypto::general_names(names);
  if (!alternatives) return tl::unexpected(alternatives.error());
  auto of_issuer = crypto::facts_of(intermediate.certificate);
  if (!of_issuer) return tl::unexpected(of_issuer.error());
  if (now - clock_skew < of_issuer->not_before || now + leaf_lifetime > of_issuer->not_after) {
    return fail(fmt::format("the internal CA's intermediate is valid from {} to {} only",
                            format_date(of_issuer->not_before), format_date(of_issuer->not_after)));
  }
  const std::string common_name = crypto::common_name_for(names);
  // RFC 5280 4.2.1.3: RSA keys may also be asked to decrypt, by TLS 1.2 without forward secrecy.
  const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  crypto::CertificateBuilder builder(key, intermediate.certificate);
  builder.subject("", common_name)
      .valid(now - clock_skew, now + leaf_lifetime)
      .extension(NID_basic_constraints, "critical,CA:FALSE")
      .extension(NID_key_usage,
                 rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature")
      .extension(NID_ext_key_usage, "serverAuth")
      .extension(NID_subject_key_identifier, "hash")
      .extension(NID_authority_key_identifier, "keyid:always")
      // RFC 5280 4.1.2.6: critical where the subject is empty.
      .names(alternatives->get(), common_name.empty());
  return builder.sign(intermediate.key);
}

}  // namespace tlsguard::ca
