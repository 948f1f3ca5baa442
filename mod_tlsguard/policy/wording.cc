// SPDX-License-Identifier: Apache-2.0
#include "policy/wording.h"

#include "core/text.h"
#include "policy/names.h"

namespace tlsguard::policy {

std::string version_names(ProtocolSet protocols) {
  std::vector<std::string> names;
  for (Protocol protocol : all_protocols) {
    if (protocols.has(protocol)) names.emplace_back(protocol_name(protocol));
  }
  return names.empty() ? "none" : join(names, " ");
}

std::vector<std::string> cipher_names(const std::vector<hello::Cipher>& ciphers) {
  std::vector<std::string> names;
  names.reserve(ciphers.size());
  for (const hello::Cipher& cipher : ciphers) names.push_back(cipher.name);
  return names;
}

std::vector<std::string> group_names(const std::vector<std::uint16_t>& groups) {
  std::vector<std::string> names;
  names.reserve(groups.size());
  for (std::uint16_t group : groups) names.push_back(group_name(group));
  return names;
}

std::vector<std::string> signature_algorithm_names(const std::vector<std::uint16_t>& algorithms) {
  std::vector<std::string> names;
  names.reserve(algorithms.size());
  for (std::uint16_t algorithm : algorithms) names.push_back(signature_algorithm_name(algorithm));
  return names;
}

std::string key_type_name(hello::KeyType type) {
  switch (type) {
    case hello::KeyType::rsa:
      return "RSA";
    case hello::KeyType::rsa_pss:
      return "RSA-PSS";
    case hello::KeyType::ecdsa:
      return "ECDSA";
    case hello::KeyType::ed25519:
      return "Ed25519";
    case hello::KeyType::ed448:
      return "Ed448";
    case hello::KeyType::mldsa44:
      return "ML-DSA-44";
    case hello::KeyType::mldsa65:
      return "ML-DSA-65";
    case hello::KeyType::mldsa87:
      return "ML-DSA-87";
  }
  return "unknown";
}

std::string key_name(const hello::CertificateKey& key) {
  switch (key.type) {
    case hello::KeyType::rsa:
    case hello::KeyType::rsa_pss:
      return key_type_name(key.type) + " " + std::to_string(key.bits);
    case hello::KeyType::ecdsa:
      return "ECDSA " + (key.curve != 0 ? group_name(key.curve) : std::to_string(key.bits));
    default:
      return key_type_name(key.type);
  }
}

std::string enumerate(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 8;
  if (names.empty()) return "none";
  if (names.size() <= shown + 1) return join(names, ", ");
  return join({names.begin(), names.begin() + shown}, ", ") + " and " +
         std::to_string(names.size() - shown) + " more";
}

}  // namespace tlsguard::policy
