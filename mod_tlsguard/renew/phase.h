// SPDX-License-Identifier: Apache-2.0
// How a managed domain stands, as board, job.json, status and control socket say it. The numbers
// are on the board (live::DomainSlot::state): a new one is added at the end. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_PHASE_H
#define TLSGUARD_RENEW_PHASE_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace tlsguard::renew {

enum class Phase : std::uint32_t {
  fresh,             // the agent has not looked at it yet
  waiting,           // nothing is due
  ordering,          // an order is under way
  preflight_failed,  // not asked of the CA: it would have failed there
  ca_error,          // the CA refused, failed or could not be reached
  own_error,         // our own part failed: store, disk, clock, command
  postponed,         // the CA's limits, or its Retry-After
  action_needed,     // the administrator has to do something first
  vetoed,            // the command of the event `renewing` said no
  terms_not_agreed,  // TLSGuardAgreement is missing: no request was sent
  manual,            // TLSGuardRenew manual: nothing is ordered unasked
  held,              // tlsguardctl hold
  undeclared,        // no longer in its list: served, not renewed
  passive,           // another server owns the store
};
inline constexpr std::uint32_t phase_count = 14;

// "preflight-failed"
[[nodiscard]] std::string_view phase_name(Phase phase);
[[nodiscard]] std::optional<Phase> phase_from_name(std::string_view name);
// From the board, which any script inside a worker can write: nullopt for a number that is none.
[[nodiscard]] std::optional<Phase> phase_from_number(std::uint32_t number);

}  // namespace tlsguard::renew

#endif
