// SPDX-License-Identifier: Apache-2.0
// What a virtual host of this server is held against. Pure; thread-safe.
#ifndef TLSGUARD_CTL_IN_FORCE_H
#define TLSGUARD_CTL_IN_FORCE_H

#include "live/runtime_file.h"
#include "policy/policy.h"

namespace tlsguard::ctl {

// The built-in policy of that name. One of the administrator's own, or one with single settings
// replaced ("baseline@1+"), is known to the server alone: then it is what runtime.json says is in
// force, with the expectations of the policy it began with, if that is built in.
[[nodiscard]] policy::Policy policy_in_force(const live::RuntimeHost& host);

}  // namespace tlsguard::ctl

#endif
