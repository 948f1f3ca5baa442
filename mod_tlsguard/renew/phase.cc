// SPDX-License-Identifier: Apache-2.0
#include "renew/phase.h"

#include <algorithm>
#include <array>

namespace tlsguard::renew {
namespace {

constexpr std::array<std::string_view, phase_count> names{
    "fresh",     "waiting",   "ordering",      "preflight-failed", "ca-error",
    "own-error", "postponed", "action-needed", "vetoed",           "terms-not-agreed",
    "manual",    "held",      "undeclared",    "passive"};

}  // namespace

std::string_view phase_name(Phase phase) { return names.at(static_cast<std::uint32_t>(phase)); }

std::optional<Phase> phase_from_name(std::string_view name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Phase>(found - names.begin());
}

std::optional<Phase> phase_from_number(std::uint32_t number) {
  if (number >= phase_count) return std::nullopt;
  return static_cast<Phase>(number);
}

}  // namespace tlsguard::renew
