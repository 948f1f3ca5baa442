// SPDX-License-Identifier: Apache-2.0
// TLSGuardHSTSRamp: raising max-age step by step, so that a mistake costs minutes and not years.
// A pure state machine with the clock injected; no shared state, no files. The parent process
// ticks it for every ServerName, publishes `age` to the workers (HstsValues::at) and keeps the
// states in a file.
//
// Rules:
// - Each step is sent for its own length before the next, then the full max-age. A step counts
//   only if it was really sent: one tick ends one step at most, and what is left over is not
//   credited to the next. So a clock that leaps forward skips nothing. Time the machine or the
//   server was off counts for the step it was at: the field lives on in browsers meanwhile.
// - A clock set back takes nothing away, and no stretch of time counts twice: time counts again
//   once the clock is past what was counted. If it stays behind for a day, then what it showed
//   before was wrong, and counting goes on from the earlier time.
// - Time counts only between two ticks that both found the certificate good; while it is not, the
//   age stays.
// - includeSubDomains that was not there before starts the ramp anew.
// - The position is an age, not an index. After the step list changed, the age reached goes on
//   until its length is over, then comes the next greater step of the new list. The age never gets
//   smaller, unless max-age itself was set below it.
// - A max-age raised after the ramp was through goes on at once with the next greater step, if
//   there is one, else with the new max-age.
// - `off`, max-age=0 and no ramp have no state: switched on again, the ramp starts anew.
#ifndef TLSGUARD_WEB_HSTS_RAMP_H
#define TLSGUARD_WEB_HSTS_RAMP_H

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/error.h"
#include "web/hsts.h"

namespace tlsguard::web {

// Strictly ascending, none of them 0. Empty: no ramp.
using RampSteps = std::vector<Seconds>;

// The arguments of TLSGuardHSTSRamp: at most 32 durations with units, ascending. The error names
// the directive.
[[nodiscard]] Result<RampSteps> parse_hsts_ramp(std::span<const std::string_view> arguments);

// One ServerName's ramp. Virtual hosts that share a ServerName share the state (RFC 6797 8.2: ports
// do not matter), so the caller ticks it once, with one setting.
struct RampState {
  std::chrono::sys_seconds began;          // when this ramp started
  std::chrono::sys_seconds counted_until;  // time up to here is in `kept`, or was no good
  std::optional<std::chrono::sys_seconds> behind_since;  // when the clock was first seen before it
  Seconds age{0};                                        // the max-age sent now
  Seconds kept{0};        // for how long, good time only; at most age
  bool complete = false;  // the full max-age was reached
  bool good = false;      // what the last tick found the certificate to be
  bool include_sub_domains = false;

  bool operator==(const RampState&) const = default;
};

// One tick. Nothing in, or includeSubDomains added: the first step. Nothing out: HSTS is off or
// forgotten, or there is no ramp. Steps at or above max_age are never sent.
[[nodiscard]] std::optional<RampState> advance(const std::optional<RampState>& state,
                                               const HstsSetting& setting, const RampSteps& steps,
                                               std::chrono::sys_seconds now, bool certificate_good);

// Whether the file must be written. Plain passing of time need not be for a day, since a later tick
// credits it from the older counted_until; it is lost if the process dies and the next one finds
// the certificate no longer good.
[[nodiscard]] bool worth_writing(const std::optional<RampState>& written,
                                 const std::optional<RampState>& now);

// The ages below the full one that may be sent from this state on, for HstsValues: the steps, and
// an age carried over from another step list.
[[nodiscard]] std::vector<Seconds> partial_ages(const HstsSetting& setting, const RampSteps& steps,
                                                const std::optional<RampState>& state);

// By ServerName in lower case.
using RampStates = std::map<std::string, RampState, std::less<>>;

// JSON, with a newline at the end.
[[nodiscard]] std::string write_ramp_states(const RampStates& states);
// Bounded in size and depth. Torn or foreign text, and values that no ramp can have, are an error;
// members it does not know are ignored.
[[nodiscard]] Result<RampStates> read_ramp_states(std::string_view json);

}  // namespace tlsguard::web

#endif
