// SPDX-License-Identifier: Apache-2.0
// When a domain is looked at next: a pure function of what is live, what went wrong, what the CA
// suggests and the time. Everything that must hold over a restart is in its arguments, and kept in
// job.json by the caller. Moments that were written down and now lie in the future are those of a
// clock that has jumped back: they count as long ago, so nothing waits for years.
// Pure; thread-safe.
#ifndef TLSGUARD_RENEW_SCHEDULE_H
#define TLSGUARD_RENEW_SCHEDULE_H

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "core/unix_time.h"
#include "renew/spec.h"
#include "renew/windows.h"

namespace tlsguard::renew {

inline constexpr UnixSeconds never = std::numeric_limits<UnixSeconds>::max();

// What the CA suggests for the certificate that is live (RFC 9773), and when it is asked again.
struct AriState {
  UnixSeconds start = 0;  // the window; end 0: none is known
  UnixSeconds end = 0;
  UnixSeconds draw = 0;          // the moment drawn in it, kept while it stands
  std::string explanation = {};  // URL, for people
  UnixSeconds asked_at = 0;      // 0: never
  std::int64_t wait = 0;         // seconds from asked_at on
  std::uint32_t errors = 0;      // in a row
  bool operator==(const AriState&) const = default;
};

// Whose failure it was decides how often it is tried again and whether another CA is.
enum class Blame : std::uint8_t {
  ca,         // refused, failed or could not be reached
  preflight,  // not even asked: it would have failed
  ours,       // store, clock, command
  limits,     // the CA's rate limits, as it says or as our ledger knows
  action,     // the administrator has something to do
  terms,      // TLSGuardAgreement is missing
};

struct Failure {
  std::uint32_t in_row = 0;  // 0: none since the last success
  UnixSeconds last_at = 0;
  Blame blame = Blame::ca;
  std::int64_t retry_after = 0;  // seconds the other side asked for; 0: it did not say
  bool for_good = false;         // Next::never
  bool operator==(const Failure&) const = default;
};

// Why a certificate is ordered.
enum class Cause : std::uint8_t {
  none,
  first,    // nothing is live
  window,   // TLSGuardRenewWindow
  ari,      // the CA's suggestion
  changed,  // names were added, or the CA is no longer listed
  forced,   // tlsguardctl renew, or after a revocation
};
[[nodiscard]] std::string_view cause_name(Cause cause);

struct Situation {
  std::uint64_t seed = 0;  // seed_of(identity)
  std::optional<Validity> live;
  std::optional<Window> renew_window;
  std::optional<Window> warn_window;
  bool changed = false;
  bool forced = false;
  bool automatic = true;  // false: held, manual, undeclared: only what is forced
  bool ask_ari = false;   // TLSGuardARI, and the CA can be asked for what is live
  AriState ari;
  // What is live was itself ordered because of ARI, at this time; 0: not so. A CA that suggests
  // the past for ever must not have us order for ever.
  UnixSeconds by_ari_at = 0;
  Failure failure;
  UnixSeconds warned_at = 0;  // the last event `expiring`; 0: none
  UnixSeconds vetoed_at = 0;  // the command of the event `renewing` said no; 0: it did not
};

struct Plan {
  UnixSeconds renew_at = never;
  Cause cause = Cause::none;
  UnixSeconds ask_ari_at = never;
  UnixSeconds warn_at = never;
  [[nodiscard]] UnixSeconds next() const;  // the earliest
};

[[nodiscard]] Plan plan(const Situation& situation, UnixSeconds now);
// From here on a certificate that is live should long have been replaced: warnings, and no veto.
[[nodiscard]] bool in_warn_window(const Situation& situation, UnixSeconds now);

// The next attempt after a failure: seconds after failure.last_at; and when that is, which is now
// where nothing has failed.
[[nodiscard]] std::int64_t retry_delay(const Situation& situation);
[[nodiscard]] UnixSeconds retry_at(const Situation& situation, UnixSeconds now);

}  // namespace tlsguard::renew

#endif
