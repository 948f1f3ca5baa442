// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/text.h"
#include "policy/names.h"
#include "policy/notes.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using hello::Authentication;
using hello::CertificateKey;
using hello::KeyType;
using hello::ServerSettings;

bool is_rsa(KeyType type) { return type == KeyType::rsa || type == KeyType::rsa_pss; }

// What TLS 1.2 and below call a certificate of this key (RFC 8422 5.3 for Ed25519 and Ed448).
Authentication authentication_by(KeyType type) {
  switch (type) {
    case KeyType::rsa:
    case KeyType::rsa_pss:
      return Authentication::rsa;
    case KeyType::ecdsa:
    case KeyType::ed25519:
    case KeyType::ed448:
      return Authentication::ecdsa;
    default:
      return Authentication::other;  // ML-DSA: TLS 1.3 only
  }
}

// RFC 8446 4.2.3: the SignatureSchemes of a key, as the beginning of their names.
bool signs(const CertificateKey& key, std::uint16_t algorithm, bool tls13) {
  const std::string name = signature_algorithm_name(algorithm);
  switch (key.type) {
    case KeyType::rsa:
      return name.starts_with("rsa_pss_rsae_") || (!tls13 && name.starts_with("rsa_pkcs1_"));
    case KeyType::rsa_pss:
      return name.starts_with("rsa_pss_pss_");
    case KeyType::ecdsa: {
      if (!name.starts_with("ecdsa_")) return false;
      if (!tls13) return true;
      // In TLS 1.3 a scheme is bound to its curve.
      const Group* curve = find_group(key.curve);
      if (curve == nullptr || !signs_in_tls13(algorithm)) return false;
      return name.find(std::string("_") + curve->openssl_name) != std::string::npos;
    }
    case KeyType::ed25519:
      return name == "ed25519";
    case KeyType::ed448:
      return name == "ed448";
    case KeyType::mldsa44:
      return tls13 && name == "mldsa44";
    case KeyType::mldsa65:
      return tls13 && name == "mldsa65";
    case KeyType::mldsa87:
      return tls13 && name == "mldsa87";
  }
  return false;
}

bool is_strong_enough(const ServerSettings& settings, const CertificateKey& key) {
  return key.chain_security_bits >= bits_of_level(settings.security_level);
}

bool fits_tls13(const ServerSettings& settings, const CertificateKey& key) {
  return settings.protocols.has(Protocol::tls1_3) && is_strong_enough(settings, key) &&
         std::any_of(settings.signature_algorithms.begin(), settings.signature_algorithms.end(),
                     [&](std::uint16_t algorithm) { return signs(key, algorithm, true); });
}

bool fits_older(const ServerSettings& settings, const CertificateKey& key) {
  const bool has_cipher = std::any_of(settings.ciphers.begin(), settings.ciphers.end(),
                                      [&](const hello::Cipher& cipher) {
                                        return cipher.authentication == authentication_by(key.type);
                                      });
  if (!has_cipher || !is_strong_enough(settings, key)) return false;
  // Before TLS 1.2 the algorithm is fixed by the key (RFC 5246 7.4.1.4.1).
  return settings.protocols.lowest() < Protocol::tls1_2 ||
         std::any_of(settings.signature_algorithms.begin(), settings.signature_algorithms.end(),
                     [&](std::uint16_t algorithm) { return signs(key, algorithm, false); });
}

bool is_expected(KeyType type, const Policy& policy) {
  const auto& types = policy.certificate_types;
  return types.empty() || std::any_of(types.begin(), types.end(), [&](KeyType expected) {
           return expected == type || (is_rsa(expected) && is_rsa(type));
         });
}

// What the policy expects of a certificate.
std::vector<std::string> disappointments(const CertificateKey& key, const Policy& policy) {
  std::vector<std::string> texts;
  if (is_rsa(key.type) && key.bits < policy.min_rsa_bits.value_or(0)) {
    texts.push_back("the certificate has an RSA key of " + std::to_string(key.bits) +
                    " bits, policy " + policy.id() + " expects at least " +
                    std::to_string(*policy.min_rsa_bits));
  }
  if (!is_expected(key.type, policy)) {
    std::vector<std::string> types;
    for (KeyType type : policy.certificate_types) types.push_back(key_type_name(type));
    texts.push_back("the certificate has a key of type " + key_type_name(key.type) + ", policy " +
                    policy.id() + " expects " + join(types, " or "));
  }
  return texts;
}

// Versions that no certificate can be used with.
ProtocolSet dead_versions(const ServerSettings& settings, const std::vector<CertificateKey>& keys) {
  auto any = [&](bool (*fits)(const ServerSettings&, const CertificateKey&)) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const CertificateKey& key) { return fits(settings, key); });
  };
  const bool tls13 = any(fits_tls13);
  const bool older = any(fits_older);
  ProtocolSet dead;
  for (Protocol protocol : all_protocols) {
    const bool fits = protocol == Protocol::tls1_3 ? tls13 : older;
    if (settings.protocols.has(protocol) && !fits) dead.add(protocol);
  }
  return dead;
}

std::string all_key_names(const std::vector<CertificateKey>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const CertificateKey& key : keys) names.push_back(key_name(key));
  return join(names, ", ");
}

}  // namespace

std::vector<Note> certificate_notes(const ServerSettings& in_force,
                                    const std::vector<CertificateKey>& keys, const Policy& policy) {
  std::vector<Note> notes;
  auto warn = [&](std::string text) { notes.push_back({Note::Kind::warning, std::move(text)}); };
  if (keys.empty() || in_force.protocols.empty()) return notes;
  for (const CertificateKey& key : keys) {
    if (!is_strong_enough(in_force, key)) {
      warn("security level " + std::to_string(in_force.security_level) +
           " rules out the certificate with the " + key_name(key) + " key, or its chain");
    } else if (keys.size() > 1 && !fits_tls13(in_force, key) && !fits_older(in_force, key)) {
      warn("the certificate with the " + key_name(key) +
           " key fits none of the ciphers and signature algorithms in force: it is never used");
    }
    for (std::string& text : disappointments(key, policy)) warn(std::move(text));
  }
  if (const ProtocolSet dead = dead_versions(in_force, keys); !dead.empty()) {
    warn("no client can connect with " + version_names(dead) + ": no certificate (" +
         all_key_names(keys) + ") fits the ciphers and signature algorithms in force");
  }
  return notes;
}

}  // namespace tlsguard::policy
