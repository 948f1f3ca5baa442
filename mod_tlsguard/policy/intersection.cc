// SPDX-License-Identifier: Apache-2.0
#include "policy/intersection.h"

#include <openssl/crypto.h>

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

// Where OpenSSL itself lacks all of them, mod_ssl's configuration is not to blame.
template <typename Find>
tl::unexpected<Error> none_left(const std::string& kind, const Policy& policy, const Names& wanted,
                                const Names& ours, const Capabilities& can, Find find) {
  const bool lacks_all = std::none_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
    const auto* entry = find(name);
    return entry != nullptr && can.has(*entry);
  });
  if (lacks_all) {
    return fail("this OpenSSL (" + std::string(OpenSSL_version(OPENSSL_VERSION_STRING)) +
                ") has no " + kind + " of policy " + policy.id() + ": it lacks " +
                enumerate(wanted));
  }
  return nothing_in_common(kind, policy, enumerate(wanted), enumerate(ours));
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
std::optional<Cause> obstacle_to_tls13(const ServerSettings& settings, const Capabilities& can) {
  if (settings.suites.empty()) return Cause::cipher;
  if (!any_in(settings.groups, can.groups_tls13)) return Cause::group;
  const Ids& algorithms = settings.signature_algorithms;
  if (std::none_of(algorithms.begin(), algorithms.end(), signs_in_tls13)) {
    return Cause::signature_algorithm;
  }
  return std::nullopt;
}

// Takes out what cannot lead to a handshake: ECDHE without a group, versions without a cipher. A
// version that is offered but cannot be finished costs clients that would do with another one.
void drop_dead_ends(Intersection& both, const Capabilities& can) {
  ServerSettings& settings = both.settings;
  if (!any_in(settings.groups, can.groups_tls12)) {
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
      cause = obstacle_to_tls13(settings, can);
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

void drop_groups_of_no_version(ServerSettings& settings, const Capabilities& can) {
  const bool tls13 = settings.protocols.has(Protocol::tls1_3);
  const bool older = settings.protocols.lowest() < Protocol::tls1_3;
  std::erase_if(settings.groups, [&](std::uint16_t group) {
    return !((tls13 && contains(can.groups_tls13, group)) ||
             (older && contains(can.groups_tls12, group)));
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

Result<Intersection> intersect(const ServerSettings& before, const Policy& policy,
                               const Capabilities& can) {
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
  const auto by_group_name = [](const std::string& name) { return find_group(name); };
  settings.groups = common_ids(policy.groups, before.groups, by_group_name);
  if (settings.groups.empty()) {
    return none_left("group", policy, policy.groups, group_names(before.groups), can,
                     by_group_name);
  }
  if (policy.signature_algorithms) {
    const auto by_name = [](const std::string& name) { return find_signature_algorithm(name); };
    settings.signature_algorithms =
        common_ids(*policy.signature_algorithms, before.signature_algorithms, by_name);
    if (settings.signature_algorithms.empty()) {
      return none_left("signature algorithm", policy, *policy.signature_algorithms,
                       signature_algorithm_names(before.signature_algorithms), can, by_name);
    }
  }
  drop_dead_ends(both, can);
  if (settings.protocols.empty()) {
    return nothing_in_common("cipher for a common version", policy,
                             both_lists(policy.ciphers, policy.suites),
                             both_lists(cipher_names(before.ciphers), cipher_names(before.suites)));
  }
  drop_ciphers_of_no_version(settings);
  drop_groups_of_no_version(settings, can);
  settings.server_preference = policy.server_preference.value_or(before.server_preference);
  return both;
}

}  // namespace tlsguard::policy
