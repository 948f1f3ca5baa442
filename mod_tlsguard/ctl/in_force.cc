// SPDX-License-Identifier: Apache-2.0
#include "ctl/in_force.h"

#include <algorithm>

#include "core/protocol.h"

namespace tlsguard::ctl {

policy::Policy policy_in_force(const live::RuntimeHost& host) {
  const policy::Catalogue built_in;
  if (auto found = built_in.find(host.policy)) return *std::move(found);
  std::string base = host.policy;
  if (base.ends_with('+')) base.pop_back();
  policy::Policy policy = built_in.find(base).value_or(policy::Policy{});
  auto at = host.policy.rfind('@');
  policy.name = host.policy.substr(0, at);
  policy.version = at == std::string::npos ? "" : host.policy.substr(at + 1);
  policy.ciphers = host.settings.ciphers;
  policy.suites = host.settings.suites;
  policy.groups = host.settings.groups;
  policy.signature_algorithms = host.settings.signature_algorithms;
  ProtocolSet versions;
  for (const std::string& name : host.settings.protocols) {
    if (auto version = parse_protocol(name)) versions.add(*version);
  }
  if (!versions.empty()) {
    policy.min_protocol = versions.lowest();
    policy.max_protocol = versions.highest();
  }
  return policy;
}

}  // namespace tlsguard::ctl
