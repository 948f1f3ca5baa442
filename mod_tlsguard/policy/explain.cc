// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/text.h"
#include "policy/cipher_names.h"
#include "policy/describe.h"
#include "policy/names.h"
#include "policy/strength.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using Names = std::vector<std::string>;

bool any_group(const Policy& policy, bool post_quantum) {
  return std::any_of(policy.groups.begin(), policy.groups.end(), [&](const std::string& name) {
    const Group* group = find_group(name);
    return group != nullptr && group->post_quantum == post_quantum;
  });
}

bool has_group(const Policy& policy, const char* name) {
  return std::find(policy.groups.begin(), policy.groups.end(), name) != policy.groups.end();
}

// Who cannot connect: a sentence each, empty where nobody is meant. What they offer besides does
// not help them.

std::string refused_by_version(const Policy& policy) {
  if (policy.min_protocol == Protocol::tls1_3) {
    return "Clients without TLS 1.3 are refused: those from before about 2018, such as Internet "
           "Explorer 11, Android 9 and Java 8 before 8u261.";
  }
  if (policy.min_protocol == Protocol::tls1_2) return "Clients without TLS 1.2 are refused.";
  return {};
}

// Of those that b admits below TLS 1.3, by what a does not ask of them.
std::string refused_by_ciphers(const Policy& a, const Policy& b) {
  if (b.min_protocol >= Protocol::tls1_3 || a.min_protocol >= Protocol::tls1_3) return {};
  const Strength before = strength_of(a);
  const Strength now = strength_of(b);
  Names needed;
  if (now.forward_secrecy && !before.forward_secrecy) needed.emplace_back("forward secrecy");
  if (now.aead && !before.aead) needed.emplace_back("AEAD");
  if (needed.empty()) return {};
  return "Clients without TLS 1.3 that have no cipher with " + join(needed, " and ") +
         " are refused.";
}

std::string refused_by_suites(const Policy& policy) {
  const Names& suites = policy.suites;
  const bool without_aes128 =
      std::find(suites.begin(), suites.end(), "TLS_AES_128_GCM_SHA256") == suites.end();
  if (policy.max_protocol < Protocol::tls1_3 || !without_aes128) return {};
  return "TLS_AES_128_GCM_SHA256, which every TLS 1.3 client has to know, is not among the suites: "
         "a client that offers nothing else in TLS 1.3 is refused.";
}

std::string refused_by_groups(const Policy& policy) {
  if (any_group(policy, true) && !any_group(policy, false)) {
    return "All groups are post-quantum (OpenSSL 3.5 and later has them): clients without them are "
           "refused.";
  }
  if (has_group(policy, "P-256") || !any_group(policy, false)) return {};
  return "P-256 is not among the groups: old clients that know no other curve are refused.";
}

std::string about_versions(const Policy& policy) {
  const std::string versions =
      version_names(ProtocolSet::range(policy.min_protocol, policy.max_protocol));
  std::string text = "It allows " + versions + ".";
  if (policy.min_protocol < Protocol::tls1_2) {
    text +=
        " TLS 1.0 and 1.1 are deprecated (RFC 8996): browsers refuse them, and OpenSSL 3 "
        "reaches them at security level 0 only.";
  }
  if (policy.min_protocol == Protocol::tls1_3) text += " " + refused_by_version(policy);
  if (policy.max_protocol < Protocol::tls1_3) {
    text += " TLS 1.3 is not used, whatever the client can do.";
  }
  return text;
}

std::string about_ciphers(const Policy& policy) {
  const Strength strength = strength_of(policy);
  std::string text;
  text += strength.forward_secrecy
              ? "Every cipher has forward secrecy: who steals the key later cannot read what was "
                "recorded before."
              : "Some ciphers have no forward secrecy: who steals the key later can read what was "
                "recorded before.";
  text += strength.aead ? " Every cipher is an AEAD."
                        : " Some ciphers are of the CBC kind, which RFC 9325 advises against.";
  text += " The weakest cipher has " + std::to_string(strength.cipher_bits) + " bits.";
  if (std::string who = refused_by_suites(policy); !who.empty()) text += " " + who;
  return text;
}

std::string about_groups(const Policy& policy) {
  std::string text = "Key exchange: " + join(policy.groups, ", ") + ".";
  if (any_group(policy, true) && any_group(policy, false)) {
    text +=
        " With a client that knows the post-quantum group what is recorded today stays secret "
        "when a quantum computer comes (OpenSSL 3.5 and later has it).";
  } else if (!any_group(policy, true)) {
    text += " None of them withstands a quantum computer.";
  }
  if (std::string who = refused_by_groups(policy); !who.empty()) text += " " + who;
  return text;
}

std::string about_signatures(const Policy& policy) {
  if (!policy.signature_algorithms) {
    return "Signature algorithms are not restricted beyond OpenSSL's security level.";
  }
  return "Signatures: " + join(*policy.signature_algorithms, ", ") + ".";
}

std::string about_preference(const Policy& policy) {
  if (!policy.server_preference) return "SSLHonorCipherOrder says whose order of ciphers counts.";
  return *policy.server_preference
             ? "The server's order of ciphers counts."
             : "The client's order counts: it knows which cipher its hardware does well.";
}

std::string about_expectations(const Policy& policy) {
  Names expected;
  if (!policy.certificate_types.empty()) {
    Names types;
    for (hello::KeyType type : policy.certificate_types) types.push_back(key_type_name(type));
    expected.push_back("certificates with a key of type " + join(types, " or "));
  }
  if (policy.min_rsa_bits) {
    expected.push_back("RSA keys of at least " + std::to_string(*policy.min_rsa_bits) + " bits");
  }
  if (policy.min_hsts_age) {
    expected.push_back("HSTS with a max-age of at least " +
                       std::to_string(policy.min_hsts_age->count()) + " seconds");
  }
  if (expected.empty()) return {};
  return "It expects " + join(expected, "; ") +
         ". What is served is checked against that and reported; nothing is refused for it.";
}

}  // namespace

std::vector<std::string> newly_cut_off(const Policy& a, const Policy& b) {
  Names all;
  if (b.min_protocol > a.min_protocol) all.push_back(refused_by_version(b));
  all.push_back(refused_by_ciphers(a, b));
  if (refused_by_suites(a).empty()) all.push_back(refused_by_suites(b));
  const bool any_curve_less = any_group(a, false) && !any_group(b, false);
  if (any_curve_less || has_group(a, "P-256")) all.push_back(refused_by_groups(b));
  std::erase(all, "");
  return all;
}

std::string explain(const Policy& policy) {
  std::string text = policy.id() + "\n\n";
  if (!policy.note.empty()) text += policy.note + "\n\n";
  text += about_versions(policy) + " " + about_ciphers(policy) + "\n\n";
  text += about_groups(policy) + " " + about_signatures(policy) + " " + about_preference(policy) +
          "\n\n";
  if (const std::string expected = about_expectations(policy); !expected.empty()) {
    text += expected + "\n\n";
  }
  text +=
      "Source: " + policy.source + (policy.date.empty() ? "" : " (" + policy.date + ")") + ".\n";
  return text;
}

}  // namespace tlsguard::policy
