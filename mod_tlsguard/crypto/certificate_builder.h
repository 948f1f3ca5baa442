// SPDX-License-Identifier: Apache-2.0
// Makes certificates (RFC 5280): of the internal CA, for tls-alpn-01, the placeholder. Steps that
// fail are remembered and told by sign(). One thread at a time.
#ifndef TLSGUARD_CRYPTO_CERTIFICATE_BUILDER_H
#define TLSGUARD_CRYPTO_CERTIFICATE_BUILDER_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/general_names.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

class CertificateBuilder {
 public:
  // A certificate for this key, with a random serial number of 127 bits. issuer: nullptr where it
  // is to be self-signed; must outlive this object.
  CertificateBuilder(const EVP_PKEY* key, const X509* issuer);

  // Either may be empty; without both, the subject is empty, and the names must be critical.
  CertificateBuilder& subject(std::string_view organization, std::string_view common_name);
  CertificateBuilder& valid(UnixSeconds from, UnixSeconds until);
  CertificateBuilder& names(const GENERAL_NAMES* names, bool critical);
  // In OpenSSL's own words (x509v3_config): for constants only, never for text from outside. An
  // authorityKeyIdentifier comes after the subjectKeyIdentifier, which it may copy.
  CertificateBuilder& extension(int nid, const char* value);
  // An extension as its structure; what d2i gives for this nid.
  CertificateBuilder& extension(int nid, void* structure, bool critical);
  // An extension whose value is one OCTET STRING, in place of that before.
  CertificateBuilder& octets(const char* oid, std::span<const std::uint8_t> bytes, bool critical);

  // Signs with the issuer's key: the last step.
  [[nodiscard]] Result<Certificate> sign(const EVP_PKEY* issuer_key);

  // For many that differ in serial number, names, dates and octets only: those again in place of
  // those before, and sign_pem(), any number of times. Setting a key and reading what was signed
  // cost more than the signature.
  CertificateBuilder& new_serial();
  [[nodiscard]] Result<std::string> sign_pem(const EVP_PKEY* issuer_key);

 private:
  Result<void> finish(const EVP_PKEY* issuer_key);
  void note(bool done) { failed_ = failed_ || !done; }
  Certificate certificate_;
  const X509* issuer_;
  bool failed_ = false;
};

}  // namespace tlsguard::crypto

#endif
