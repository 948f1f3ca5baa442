// SPDX-License-Identifier: Apache-2.0
#include "policy/intersection.h"

#include <algorithm>
#include <optional>

#include "policy/names.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using hello::Cipher;
using hello::KeyExchange;
using hello::ServerSettings;
using Ids = std::vector<std::uint16_t>;
using Names = std::vector<std::string>;

bool contains(const Ids& ids, std::uint16_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

tl::unexpected<Error> nothing_in_common(const std::string& kind, const Policy& policy,
                                        const std::string& policy_side,
                                        const std::string& mod_ssl_side) {
  return fail("no " + kind + " in common: policy " + policy.id() + " allows " + policy_side +
              "; mod_ssl's configuration allows " + mod_ssl_side);
}

// Those of ours that the policy names, in the policy's order.
std::vector<Cipher> common(const Names& wanted, const std::vector<Cipher>& ours) {
  std::vector<Cipher> both;
  for (const std::string& name : wanted) {
    auto found = std::find_if(ours.begin(), ours.end(),
                              [&](const Cipher& cipher) { return cipher.name == name; });
    if (found != ours.end()) both.push_back(*found);
  }
  return both;
}

template <typename Find>
Ids common_ids(const Names& wanted, const Ids& ours, Find find) {
  Ids both;
  for (const std::string& name : wanted) {
    const auto* entry = find(name);
    if (entry != nullptr && contains(ours, entry->id) && !contains(both, entry->id)) {
      both.push_back(entry->id);
    }
  }
  return both;
}

bool any_in(const Ids& ids, const Ids& of) {
  return std::any_of(ids.begin(), ids.end(), [&](std::uint16_t id) { return contains(of, id); });
}

bool has_cipher_for(const std::vector<Cipher>& ciphers, Protocol protocol) {
  return std::any_of(ciphers.begin(), ciphers.end(), [&](const Cipher& cipher) {
    return cipher.min <= protocol && protocol <= cipher.max;
  });
}

using Cause = Intersection::Dropped::Cause;

// Why TLS 1.3 would fail for every client, if it would.
std::optional<Cause> obstacle_to_tls13(const ServerSettings& settings,
                                       const GroupsByVersion& groups) {
  if (settings.suites.empty()) return Cause::cipher;
  if (!any_in(settings.groups, groups.tls13)) return Cause::group;
  const Ids& algorithms = settings.signature_algorithms;
  if (std::none_of(algorithms.begin(), algorithms.end(), signs_in_tls13)) {
    return Cause::signature_algorithm;
  }
  return std::nullopt;
}

// Takes out what cannot lead to a handshake: ECDHE without a group, versions without a cipher. A
// version that is offered but cannot be finished costs clients that would do with another one.
void drop_dead_ends(Intersection& both, const GroupsByVersion& groups) {
  ServerSettings& settings = both.settings;
  if (!any_in(settings.groups, groups.tls12)) {
    std::erase_if(settings.ciphers, [&](const Cipher& cipher) {
      if (cipher.key_exchange != KeyExchange::ecdhe) return false;
      both.ciphers_without_group.push_back(cipher.name);
      return true;
    });
  }
  for (Protocol protocol : all_protocols) {
    if (!settings.protocols.has(protocol)) continue;
    std::optional<Cause> cause;
    if (protocol == Protocol::tls1_3) {
      cause = obstacle_to_tls13(settings, groups);
    } else if (!has_cipher_for(settings.ciphers, protocol)) {
      cause = both.ciphers_without_group.empty() ? Cause::cipher : Cause::group;
    }
    if (!cause) continue;
    settings.protocols.remove(protocol);
    both.dropped.push_back({protocol, *cause});
  }
  if (!settings.protocols.has(Protocol::tls1_3)) settings.suites.clear();
}

void drop_ciphers_of_no_version(ServerSettings& settings) {
  std::erase_if(settings.ciphers, [&](const Cipher& cipher) {
    return (ProtocolSet::range(cipher.min, cipher.max) & settings.protocols).empty();
  });
}

void drop_groups_of_no_version(ServerSettings& settings, const GroupsByVersion& groups) {
  const bool tls13 = settings.protocols.has(Protocol::tls1_3);
  const bool older = settings.protocols.lowest() < Protocol::tls1_3;
  std::erase_if(settings.groups, [&](std::uint16_t group) {
    return !((tls13 && contains(groups.tls13, group)) || (older && contains(groups.tls12, group)));
  });
}

std::string both_lists(const Names& ciphers, const Names& suites) {
  Names all = ciphers;
  all.insert(all.end(), suites.begin(), suites.end());
  return enumerate(all);
}

}  // namespace

bool signs_in_tls13(std::uint16_t algorithm) {
  // RFC 8446 4.4.3: RSASSA-PKCS1-v1_5 and SHA-1 never; nor anything with SHA-224 or DSA.
  const auto hash = static_cast<unsigned>(algorithm >> 8);
  const auto signature = static_cast<unsigned>(algorithm & 0xff);
  if (hash >= 0x07) return true;
  constexpr unsigned sha256 = 0x04;
  constexpr unsigned ecdsa = 0x03;
  return hash >= sha256 && signature == ecdsa;
}

Result<Intersection> intersect(const ServerSettings& before, const GroupsByVersion& groups,
                               const Policy& policy) {
  Intersection both;
  both.settings = before;
  both.settings.keys.clear();
  ServerSettings& settings = both.settings;
  const ProtocolSet allowed = ProtocolSet::range(policy.min_protocol, policy.max_protocol);

  settings.protocols = before.protocols & allowed;
  if (settings.protocols.empty()) {
    return nothing_in_common("protocol version", policy, version_names(allowed),
                             version_names(before.protocols));
  }
  settings.ciphers = common(policy.ciphers, before.ciphers);
  drop_ciphers_of_no_version(settings);
  settings.suites = common(policy.suites, before.suites);
  settings.groups = common_ids(policy.groups, before.groups,
                               [](const std::string& name) { return find_group(name); });
  if (settings.groups.empty()) {
    return nothing_in_common("group", policy, enumerate(policy.groups),
                             enumerate(group_names(before.groups)));
  }
  if (policy.signature_algorithms) {
    settings.signature_algorithms =
        common_ids(*policy.signature_algorithms, before.signature_algorithms,
                   [](const std::string& name) { return find_signature_algorithm(name); });
  }
  if (settings.signature_algorithms.empty()) {
    return nothing_in_common(
        "signature algorithm", policy,
        policy.signature_algorithms ? enumerate(*policy.signature_algorithms) : "any",
        enumerate(signature_algorithm_names(before.signature_algorithms)));
  }
  drop_dead_ends(both, groups);
  if (settings.protocols.empty()) {
    return nothing_in_common("cipher for any common version with a group it can use", policy,
                             both_lists(policy.ciphers, policy.suites),
                             both_lists(cipher_names(before.ciphers), cipher_names(before.suites)));
  }
  drop_ciphers_of_no_version(settings);
  drop_groups_of_no_version(settings, groups);
  settings.server_preference = policy.server_preference.value_or(before.server_preference);
  return both;
}

}  // namespace tlsguard::policy
