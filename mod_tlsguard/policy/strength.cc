// SPDX-License-Identifier: Apache-2.0
#include "policy/strength.h"

#include <algorithm>

#include "core/text.h"
#include "policy/cipher_names.h"
#include "policy/names.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using Names = std::vector<std::string>;

constexpr int sha1_bits = 160;

// Ciphers and groups of these names: what counts is the weakest. Bits come from the name, not from
// OpenSSL, whose count of a short tag (CCM8) differs between releases.
void weigh(Strength& strength, const Names& ciphers, const Names& groups) {
  bool first = true;
  for (const std::string& name : ciphers) {
    const CipherStrength cipher = cipher_strength(name);
    strength.forward_secrecy = strength.forward_secrecy && cipher.forward_secrecy;
    strength.aead = strength.aead && cipher.aead;
    strength.cipher_bits = first ? cipher.bits : std::min(strength.cipher_bits, cipher.bits);
    first = false;
  }
  for (const std::string& name : groups) {
    const Group* group = find_group(name);
    if (group == nullptr) continue;
    strength.group_bits =
        strength.group_bits == 0 ? group->bits : std::min(strength.group_bits, group->bits);
  }
}

int weakest_hash(const Names& algorithms, Protocol min_protocol) {
  int bits = min_protocol < Protocol::tls1_2 ? sha1_bits : 0;
  for (const std::string& name : algorithms) {
    const SignatureAlgorithm* algorithm = find_signature_algorithm(name);
    if (algorithm == nullptr) continue;
    bits = bits == 0 ? algorithm->hash_bits : std::min(bits, algorithm->hash_bits);
  }
  return bits;
}

Names all_ciphers(const hello::ServerSettings& settings) {
  Names names = cipher_names(settings.ciphers);
  for (const std::string& suite : cipher_names(settings.suites)) names.push_back(suite);
  return names;
}

template <typename Is>
Names those(const Names& names, Is is) {
  Names found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found), is);
  return found;
}

// Sentences about one kind of thing each; empty lists say nothing.
class Complaints {
 public:
  void about(const Names& names, const std::string& what) {
    if (!names.empty()) sentences_.push_back(enumerate(names) + ": " + what);
  }
  void add(std::string sentence) { sentences_.push_back(std::move(sentence)); }
  [[nodiscard]] std::vector<std::string> sentences() && { return std::move(sentences_); }

 private:
  std::vector<std::string> sentences_;
};

std::string fewer_bits(int bits) {
  return "less than the " + std::to_string(bits) + " bits of the floor's weakest";
}

void compare_ciphers(Complaints& complaints, const Names& ciphers, const Strength& least) {
  if (least.forward_secrecy) {
    complaints.about(
        those(ciphers, [](const auto& n) { return !cipher_strength(n).forward_secrecy; }),
        "no forward secrecy");
  }
  if (least.aead) {
    complaints.about(those(ciphers, [](const auto& n) { return !cipher_strength(n).aead; }),
                     "no authenticated encryption (AEAD)");
  }
  complaints.about(
      those(ciphers, [&](const auto& n) { return cipher_strength(n).bits < least.cipher_bits; }),
      "ciphers of " + fewer_bits(least.cipher_bits));
}

void compare_groups(Complaints& complaints, const Names& groups, const Strength& least) {
  complaints.about(those(groups,
                         [&](const auto& name) {
                           const Group* group = find_group(name);
                           return group != nullptr && group->bits < least.group_bits;
                         }),
                   "groups of " + fewer_bits(least.group_bits));
}

void compare_signatures(Complaints& complaints, const hello::ServerSettings& settings,
                        const Strength& least) {
  complaints.about(those(signature_algorithm_names(settings.signature_algorithms),
                         [&](const auto& name) {
                           const auto* algorithm = find_signature_algorithm(name);
                           return algorithm != nullptr && algorithm->hash_bits < least.hash_bits;
                         }),
                   "signature hashes of " + fewer_bits(least.hash_bits));
}

}  // namespace

Strength strength_of(const Policy& policy) {
  Strength strength;
  strength.min_protocol = policy.min_protocol;
  const bool tls13 = policy.max_protocol >= Protocol::tls1_3;
  const bool older = policy.min_protocol < Protocol::tls1_3;
  Names ciphers = older ? policy.ciphers : Names{};
  if (tls13) ciphers.insert(ciphers.end(), policy.suites.begin(), policy.suites.end());
  weigh(strength, ciphers, policy.groups);
  strength.rsa_bits = policy.min_rsa_bits.value_or(0);
  if (policy.signature_algorithms) {
    strength.hash_bits = weakest_hash(*policy.signature_algorithms, policy.min_protocol);
  }
  return strength;
}

Strength strength_of(const hello::ServerSettings& settings) {
  Strength strength;
  if (settings.protocols.empty()) return strength;
  strength.min_protocol = settings.protocols.lowest();
  weigh(strength, all_ciphers(settings), group_names(settings.groups));
  for (const hello::CertificateKey& key : settings.keys) {
    if (key.type != hello::KeyType::rsa && key.type != hello::KeyType::rsa_pss) continue;
    strength.rsa_bits = strength.rsa_bits == 0 ? key.bits : std::min(strength.rsa_bits, key.bits);
  }
  strength.hash_bits =
      weakest_hash(signature_algorithm_names(settings.signature_algorithms), strength.min_protocol);
  return strength;
}

std::vector<std::string> weaker_than(const hello::ServerSettings& settings, const Policy& floor) {
  Complaints complaints;
  if (settings.protocols.empty()) return {};
  const Strength least = strength_of(floor);
  const Strength ours = strength_of(settings);
  if (ours.min_protocol < least.min_protocol) {
    complaints.add(std::string(protocol_name(ours.min_protocol)) +
                   " is allowed, the floor begins at " +
                   std::string(protocol_name(least.min_protocol)));
  }
  compare_ciphers(complaints, all_ciphers(settings), least);
  compare_groups(complaints, group_names(settings.groups), least);
  if (ours.rsa_bits != 0 && ours.rsa_bits < least.rsa_bits) {
    complaints.add("an RSA key of " + std::to_string(ours.rsa_bits) + " bits, " +
                   fewer_bits(least.rsa_bits));
  }
  compare_signatures(complaints, settings, least);
  if (ours.min_protocol < Protocol::tls1_2 && sha1_bits < least.hash_bits) {
    complaints.add("TLS 1.0 and 1.1 sign with SHA-1, " + fewer_bits(least.hash_bits));
  }
  return std::move(complaints).sentences();
}

}  // namespace tlsguard::policy
