// SPDX-License-Identifier: Apache-2.0
// AgentSpec as JSON, from the parent to the agent of the same build. It holds secrets: in a memfd
// only, never in a file. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_SPEC_JSON_H
#define TLSGUARD_RENEW_SPEC_JSON_H

#include <string>
#include <string_view>

#include "core/error.h"
#include "renew/spec.h"

namespace tlsguard::renew {

[[nodiscard]] std::string to_json(const AgentSpec& spec);
[[nodiscard]] Result<AgentSpec> agent_spec_from_json(std::string_view text);

}  // namespace tlsguard::renew

#endif
