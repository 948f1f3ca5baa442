// SPDX-License-Identifier: Apache-2.0
// Facts about certificates for the verdict.
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <array>

#include "policy/context.h"
#include "policy/names.h"

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
    ERR_clear_error();
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

std::optional<CertificateKey> key_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return std::nullopt;
  const auto type = key_type_of(key);
  if (!type) return std::nullopt;
  CertificateKey fact;
  fact.type = *type;
  fact.bits = EVP_PKEY_get_bits(key);
  if (*type == KeyType::ecdsa) {
    fact.curve = curve_of(key);
    fact.compressed_point = EVP_PKEY_get_ec_point_conv_form(key) != POINT_CONVERSION_UNCOMPRESSED;
  }
  fact.issuer_signature = issuer_signature_of(certificate);
  return fact;
}

}  // namespace

std::vector<CertificateKey> keys_of(SSL_CTX* ctx) {
  std::vector<CertificateKey> keys;
  X509* current = SSL_CTX_get0_certificate(ctx);
  for (long more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
    X509* certificate = SSL_CTX_get0_certificate(ctx);
    if (certificate == nullptr) continue;
    if (auto key = key_of(certificate)) keys.push_back(*key);
  }
  if (current != nullptr) SSL_CTX_select_current_cert(ctx, current);
  return keys;
}

Result<CertificateKey> key_of_file(const std::string& path) {
  ERR_clear_error();
  crypto::Bio file(BIO_new_file(path.c_str(), "r"));
  if (!file) return fail("cannot read certificate file " + path + ": " + crypto::drain_errors());
  crypto::Certificate certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return fail("no certificate in PEM format in " + path + ": " + crypto::drain_errors());
  }
  auto key = key_of(certificate.get());
  if (!key) {
    ERR_clear_error();
    return fail("the certificate in " + path + " has a key of a type that TLS does not use");
  }
  return *key;
}

}  // namespace tlsguard::policy
