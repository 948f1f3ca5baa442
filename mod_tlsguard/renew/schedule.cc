// SPDX-License-Identifier: Apache-2.0
#include "renew/schedule.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "renew/backoff.h"
#include "renew/spread.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

// Salts: one for each use, so that no two draws of a domain are the same.
constexpr std::uint64_t salt_renew = 0x72656e65;
constexpr std::uint64_t salt_good = 0x676f6f64;

// A moment written down, and a wait from there on; a clock that has jumped back ends the wait.
UnixSeconds after(UnixSeconds written, std::int64_t wait, UnixSeconds now) {
  return written > now ? now : written + wait;
}

// Nobody tries less often than a few times before the certificate expires; long after, the pace
// slows down again.
std::int64_t longest_retry(const Situation& s) {
  if (!s.live) return day;
  std::int64_t lifetime = lifetime_of(*s.live);
  UnixSeconds from = std::clamp<UnixSeconds>(s.failure.last_at, 0, never / 2);
  UnixSeconds end = std::clamp<UnixSeconds>(s.live->not_after, 0, never / 2);
  std::int64_t distance = end > from ? end - from : from - end;
  std::int64_t shortest = std::clamp(lifetime / 20, std::int64_t{30}, 15 * minute);
  return std::clamp(distance / 6, shortest, day);
}

// Where in the renew window this domain's turn is: within its first tenth, at the same place every
// time, so that domains that were issued together drift apart and stay so.
UnixSeconds window_moment(const Situation& s) {
  std::int64_t window = renew_window_of(*s.live, s.renew_window);
  UnixSeconds begin = std::min(s.live->not_after, never / 2) - window;
  return begin + spread(s.seed, salt_renew, window / 10);
}

UnixSeconds ari_moment(const Situation& s, UnixSeconds now) {
  if (!s.ask_ari || s.ari.end <= s.ari.start) return never;
  std::int64_t pause = std::min(6 * hour, lifetime_of(*s.live) / 10);
  UnixSeconds quiet_until = s.by_ari_at > 0 ? after(s.by_ari_at, pause, now) : 0;
  return std::max(s.ari.draw, quiet_until);
}

// When, and why, were nothing in the way.
std::pair<UnixSeconds, Cause> due(const Situation& s, UnixSeconds now) {
  if (s.forced) return {now, Cause::forced};
  if (!s.automatic) return {never, Cause::none};
  if (!s.live) return {now, Cause::first};
  if (s.changed) return {now, Cause::changed};
  UnixSeconds by_window = window_moment(s);
  UnixSeconds by_ari = ari_moment(s, now);
  if (by_ari < by_window) return {by_ari, Cause::ari};
  return {by_window, Cause::window};
}

UnixSeconds ask_ari_at(const Situation& s, UnixSeconds now) {
  if (!s.ask_ari || !s.live || now >= s.live->not_after) return never;
  UnixSeconds at = now;
  if (s.ari.asked_at > 0) {
    at = after(s.ari.asked_at, std::clamp(s.ari.wait, minute, day), now);
  }
  return at < s.live->not_after ? at : never;
}

UnixSeconds warn_begin(const Situation& s) {
  return std::min(s.live->not_after, never / 2) - warn_window_of(*s.live, s.warn_window);
}

UnixSeconds warn_at(const Situation& s, UnixSeconds now) {
  if (!s.live) return never;
  UnixSeconds begin = warn_begin(s);
  if (s.warned_at == 0) return begin;
  return std::max(begin, after(s.warned_at, day, now));
}

}  // namespace

std::string_view cause_name(Cause cause) {
  constexpr std::array<std::string_view, 6> names{"none", "first",   "window",
                                                  "ari",  "changed", "forced"};
  return names.at(static_cast<std::size_t>(cause));
}

UnixSeconds Plan::next() const { return std::min({renew_at, ask_ari_at, warn_at}); }

std::int64_t retry_delay(const Situation& s) {
  const Failure& failure = s.failure;
  if (failure.in_row == 0) return 0;
  std::int64_t delay = 0;
  switch (failure.blame) {
    case Blame::terms:
      return day;
    case Blame::limits:
      delay = 0;  // what is asked for below
      break;
    case Blame::preflight:
    case Blame::action:
    case Blame::ours:
      delay = backoff_delay(failure.in_row, s.seed, {.first = 30, .most = hour});
      break;
    case Blame::ca:
      delay = backoff_delay(failure.in_row, s.seed);
  }
  if (failure.for_good) delay = day - spread(s.seed, salt_good + failure.in_row, day / 3);
  delay = std::min(delay, longest_retry(s));
  std::int64_t asked = std::clamp<std::int64_t>(failure.retry_after, 0, 7 * day);
  // Those who were all told the same moment do not all come at it.
  if (asked > 0) asked += spread(s.seed, failure.in_row, asked / 10 + 1);
  return std::max({delay, asked, std::int64_t{1}});
}

UnixSeconds retry_at(const Situation& s, UnixSeconds now) {
  return s.failure.in_row == 0 ? now : after(s.failure.last_at, retry_delay(s), now);
}

bool in_warn_window(const Situation& s, UnixSeconds now) { return s.live && now >= warn_begin(s); }

Plan plan(const Situation& s, UnixSeconds now) {
  Plan result;
  std::tie(result.renew_at, result.cause) = due(s, now);
  if (result.cause != Cause::none && s.failure.in_row > 0) {
    result.renew_at = std::max(result.renew_at, retry_at(s, now));
  }
  if (result.cause != Cause::none && s.vetoed_at > 0 && !in_warn_window(s, now)) {
    UnixSeconds again = after(s.vetoed_at, hour, now);
    if (s.live) again = std::min(again, warn_begin(s));  // from then on it is not heeded
    result.renew_at = std::max(result.renew_at, again);
  }
  result.ask_ari_at = ask_ari_at(s, now);
  result.warn_at = warn_at(s, now);
  return result;
}

}  // namespace tlsguard::renew
