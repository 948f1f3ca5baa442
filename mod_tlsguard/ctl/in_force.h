// SPDX-License-Identifier: Apache-2.0
// What a virtual host of this server is held against. Pure; thread-safe.
#ifndef TLSGUARD_CTL_IN_FORCE_H
#define TLSGUARD_CTL_IN_FORCE_H

#include "core/error.h"
#include "live/runtime_file.h"
#include "policy/policy.h"

namespace tlsguard::ctl {

// Its policy: the built-in one of that name, or the administrator's own as runtime.json has it.
[[nodiscard]] Result<policy::Policy> policy_in_force(const live::RuntimeHost& host);

}  // namespace tlsguard::ctl

#endif
