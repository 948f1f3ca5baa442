// SPDX-License-Identifier: Apache-2.0
#include "ctl/in_force.h"

#include <fmt/format.h>

namespace tlsguard::ctl {

Result<policy::Policy> policy_in_force(const live::RuntimeHost& host) {
  if (host.own_policy) return *host.own_policy;
  auto found = policy::Catalogue{}.find(host.policy);
  if (found) return found;
  return fail(fmt::format("its policy '{}' is not one of this release: name another with --policy",
                          host.policy));
}

}  // namespace tlsguard::ctl
