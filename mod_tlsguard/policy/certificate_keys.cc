// SPDX-License-Identifier: Apache-2.0
// Facts about certificates for the verdict.
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "policy/context.h"
#include "policy/names.h"
#include "policy/question.h"

namespace tlsguard::policy {
namespace {

using hello::CertificateKey;
using hello::KeyType;

std::optional<KeyType> key_type_of(const EVP_PKEY* key) {
  struct Named {
    const char* name;
    KeyType type;
  };
  static constexpr Named types[] = {
      {"RSA", KeyType::rsa},           {"RSA-PSS", KeyType::rsa_pss},
      {"EC", KeyType::ecdsa},          {"ED25519", KeyType::ed25519},
      {"ED448", KeyType::ed448},       {"ML-DSA-44", KeyType::mldsa44},
      {"ML-DSA-65", KeyType::mldsa65}, {"ML-DSA-87", KeyType::mldsa87}};
  for (const Named& each : types) {
    if (EVP_PKEY_is_a(key, each.name) == 1) return each.type;
  }
  return std::nullopt;
}

std::uint16_t curve_of(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return 0;
  const Group* group = find_group(std::string_view(name.data()));
  return group != nullptr ? group->id : 0;
}

// RFC 8446 4.2.3: the SignatureScheme a certificate is signed with. rsaEncryption or rsassaPss in
// the issuer's key cannot be told apart here; OpenSSL does not tell them apart either.
std::uint16_t issuer_signature_of(X509* certificate) {
  int hash = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(certificate, &hash, &key, nullptr, nullptr) != 1) {
    return 0;
  }
  const char* family = nullptr;
  switch (key) {
    case NID_rsaEncryption:
      family = "RSA+";
      break;
    case NID_rsassaPss:
      family = "RSA-PSS+";
      break;
    case NID_X9_62_id_ecPublicKey:
      family = "ECDSA+";
      break;
    case NID_dsa:
      family = "DSA+";
      break;
    default: {
      const SignatureAlgorithm* own = find_signature_algorithm(std::string_view(OBJ_nid2sn(key)));
      return own != nullptr ? own->id : std::uint16_t{0};
    }
  }
  const char* hash_name = OBJ_nid2sn(hash);
  if (hash_name == nullptr) return 0;
  const SignatureAlgorithm* pair =
      find_signature_algorithm(std::string(family) + hash_name);  // "RSA+SHA256"
  return pair != nullptr ? pair->id : std::uint16_t{0};
}

// The hash that the parameters of an RSA-PSS key prescribe (RFC 8017 A.2.3); 0: any.
int pss_hash_bits_of(EVP_PKEY* key) {
  constexpr int mandatory = 2;
  int hash = NID_undef;
  if (EVP_PKEY_get_default_digest_nid(key, &hash) != mandatory) return 0;
  const EVP_MD* digest = EVP_get_digestbynid(hash);
  return digest != nullptr ? EVP_MD_get_size(digest) * 8 : 0;
}

// As OpenSSL checks what it is about to send: each key, and each signature but those of
// self-signed certificates, which nobody verifies; from 3.6 on it leaves all signatures to the
// client. An unknown signature counts as none.
int security_bits_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  const int key_bits = key != nullptr ? EVP_PKEY_get_security_bits(key) : 0;
  const bool keys_alone = OpenSSL_version_num() >= 0x30600000UL;
  if (keys_alone || (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0) return key_bits;
  int signature_bits = 0;
  if (X509_get_signature_info(certificate, nullptr, nullptr, &signature_bits, nullptr) != 1) {
    signature_bits = 0;
  }
  return std::min(key_bits, signature_bits);
}

std::optional<CertificateKey> key_of(X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return std::nullopt;
  const auto type = key_type_of(key);
  if (!type) return std::nullopt;
  CertificateKey fact;
  fact.type = *type;
  fact.bits = EVP_PKEY_get_bits(key);
  if (*type == KeyType::ecdsa) {
    fact.curve = curve_of(key);
    fact.may_sign = (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0;
  }
  if (*type == KeyType::rsa_pss) fact.pss_hash_bits = pss_hash_bits_of(key);
  fact.chain_security_bits = security_bits_of(certificate);
  fact.issuer_signature = issuer_signature_of(certificate);
  return fact;
}

}  // namespace

std::vector<CertificateKey> keys_of(SSL_CTX* ctx) {
  const Question question;
  std::vector<CertificateKey> keys;
  X509* current = SSL_CTX_get0_certificate(ctx);
  for (long more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
    X509* certificate = SSL_CTX_get0_certificate(ctx);
    auto key = certificate != nullptr ? key_of(certificate) : std::nullopt;
    if (!key) continue;
    // The chain of this certificate; without one, that of all (SSLCertificateChainFile).
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get_extra_chain_certs(ctx, &chain);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      key->chain_security_bits =
          std::min(key->chain_security_bits, security_bits_of(sk_X509_value(chain, i)));
    }
    keys.push_back(*key);
  }
  if (current != nullptr) SSL_CTX_select_current_cert(ctx, current);
  return keys;
}

Result<CertificateKey> key_of_file(const std::string& path, crypto::Certificate* leaf) {
  ERR_clear_error();
  crypto::Bio file(BIO_new_file(path.c_str(), "r"));
  if (!file) return fail("cannot read certificate file " + path + ": " + crypto::drain_errors());
  crypto::Certificate certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return fail("no certificate in PEM format in " + path + ": " + crypto::drain_errors());
  }
  const Question question;
  auto key = key_of(certificate.get());
  if (!key)
    return fail("the certificate in " + path + " has a key of a type that TLS does not use");
  if (leaf != nullptr) *leaf = std::move(certificate);
  for (;;) {
    const crypto::Certificate next(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    if (!next) return *key;
    key->chain_security_bits = std::min(key->chain_security_bits, security_bits_of(next.get()));
  }
}

}  // namespace tlsguard::policy
