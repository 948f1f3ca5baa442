// SPDX-License-Identifier: Apache-2.0
// Asks the agent at work, over the control socket of its store. One thread; blocks until the agent
// has answered, which for a revocation takes as long as the CA does.
#ifndef TLSGUARD_CTL_AGENT_CLIENT_H
#define TLSGUARD_CTL_AGENT_CLIENT_H

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/error.h"
#include "renew/control_protocol.h"

namespace tlsguard::ctl {

// The result; nullopt where no agent listens: httpd is down, or manages no domains. An error is the
// agent's, or says why it cannot be asked.
[[nodiscard]] Result<std::optional<nlohmann::json>> ask_agent(const std::string& store,
                                                              const renew::ControlRequest& request);

}  // namespace tlsguard::ctl

#endif
