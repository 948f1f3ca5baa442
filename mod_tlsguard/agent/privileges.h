// SPDX-License-Identifier: Apache-2.0
// The agent gives away what it does not need, before it reads anything: it holds keys, and talks to
// strangers. At start, before there is a second thread.
#ifndef TLSGUARD_AGENT_PRIVILEGES_H
#define TLSGUARD_AGENT_PRIVILEGES_H

#include <sys/types.h>

#include <optional>
#include <vector>

#include "core/error.h"

namespace tlsguard::agent {

// No core dump and no ptrace by others of the same user; signals as at birth, so that SIGTERM ends
// it at once.
[[nodiscard]] Result<void> harden();
// Whoever answers requests comes first: after a reload the agent looks at all its domains at once.
void give_way();
// Every descriptor from 3 on but these, which are not inherited any further.
[[nodiscard]] Result<void> close_all_but(std::vector<int> kept);
// For good: an error where root could be had again, or is asked for.
[[nodiscard]] Result<void> become(uid_t user, gid_t group);
// SIGTERM when the parent dies; an error where it has died already. After become(), which would
// undo it. Starts a thread.
[[nodiscard]] Result<void> die_with(std::optional<pid_t> parent);

}  // namespace tlsguard::agent

#endif
