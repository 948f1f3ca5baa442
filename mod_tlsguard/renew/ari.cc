// SPDX-License-Identifier: Apache-2.0
#include "renew/ari.h"

#include <algorithm>

#include "renew/backoff.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t six_hours = 6 * 3600;
constexpr std::int64_t day = 86400;

// RFC 9773 4.3.2: a wait of the CA's is clamped; without one, six hours.
std::int64_t wait_of(const std::optional<std::int64_t>& retry_after) {
  return retry_after ? std::clamp(*retry_after, minute, day) : six_hours;
}

}  // namespace

void take_window(AriState& state, const acme::RenewalInfo& info, UnixSeconds now,
                 std::uint64_t random) {
  state.asked_at = now;
  state.wait = wait_of(info.retry_after);
  state.errors = 0;
  if (info.end <= info.start) return;
  state.explanation = info.explanation_url;
  if (state.start == info.start && state.end == info.end) return;
  state.start = info.start;
  state.end = info.end;
  auto length = static_cast<std::uint64_t>(info.end) - static_cast<std::uint64_t>(info.start);
  auto offset = length == UINT64_MAX ? random : random % (length + 1);
  state.draw = static_cast<UnixSeconds>(static_cast<std::uint64_t>(info.start) + offset);
}

void take_failure(AriState& state, const Error& error, UnixSeconds now, std::uint64_t seed) {
  state.asked_at = now;
  ++state.errors;
  if (state.errors == 0) --state.errors;
  switch (error.next) {
    case Next::wait:
      state.wait = std::clamp<std::int64_t>(error.after.count(), minute, day);
      break;
    case Next::never:
      state.wait = six_hours;
      break;
    case Next::back_off:
      state.wait = backoff_delay(state.errors, seed, {.first = minute, .most = six_hours});
  }
}

}  // namespace tlsguard::renew
