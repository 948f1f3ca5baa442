// SPDX-License-Identifier: Apache-2.0
// What is kept of a domain between two looks at it, over restarts and reloads: its file job.json
// in agent/domains/<dir>. Losing the file loses no certificate: what is live is read from the
// certificate store again, only history and error counts begin anew. Plain values; the JSON is
// pure, and takes any bytes.
#ifndef TLSGUARD_RENEW_STATE_H
#define TLSGUARD_RENEW_STATE_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/keys.h"
#include "renew/phase.h"
#include "renew/schedule.h"
#include "renew/spec.h"

namespace tlsguard::renew {

inline constexpr char job_file[] = "job.json";
inline constexpr std::size_t max_job_file = 256UL * 1024;

// What VersionMeta::ca says of a certificate that tlsguardctl import brought.
inline constexpr char imported_ca[] = "imported";

// The version that is live, and the settings it was ordered under.
struct LiveState {
  std::uint64_t generation = 0;
  std::uint32_t version = 0;
  Validity validity;      // of all its certificates: the latest begin, the earliest end
  UnixSeconds since = 0;  // of its activation
  std::vector<std::string> names;
  std::vector<crypto::KeyType> key_types;
  std::string ca;      // as written in TLSGuardCA, or "imported"
  std::string ca_url;  // empty: internal, or not known
  std::string profile;
  std::string preferred_chain;
  std::vector<std::string> renewal_ids;  // RFC 9773 4.1, in the order of key_types; "" for none
  bool has_ocsp = false;
  UnixSeconds by_ari_at = 0;  // ordered because of ARI, at this time
  bool operator==(const LiveState&) const = default;
};

struct HistoryEntry {
  UnixSeconds at = 0;
  std::string what;  // "renewed", "failed", "activated" …
  std::string text;
  bool operator==(const HistoryEntry&) const = default;
};

struct JobState {
  static constexpr std::size_t max_history = 32;
  static constexpr std::size_t max_text = 2048;

  std::string identity;
  Phase phase = Phase::fresh;
  std::string reason;  // of the phase, in words
  std::optional<LiveState> live;
  AriState ari;
  Failure failure;
  std::string failure_text;                          // the last error in words
  std::string failure_under;                         // settings_digest() at that time
  std::map<std::string, std::uint32_t> ca_failures;  // by directory URL, in a row
  bool hold = false;
  bool forced = false;
  UnixSeconds warned_at = 0;
  UnixSeconds vetoed_at = 0;
  std::vector<std::uint32_t> revoked;  // versions
  std::vector<HistoryEntry> history;   // the oldest first

  bool operator==(const JobState&) const = default;

  // Forgets the oldest beyond the bound; text is cut at max_text.
  void remember(UnixSeconds at, std::string what, std::string text);
};

[[nodiscard]] std::string to_json(const JobState& state);
[[nodiscard]] Result<JobState> job_state_from_json(std::string_view text);

// Changes when anything changes that could make an order succeed which failed before.
[[nodiscard]] std::string settings_digest(const DomainSpec& spec);

// Why what is live must be replaced at once (names added, CA no longer listed); empty: it need not.
[[nodiscard]] std::string must_change(const LiveState& live, const DomainSpec& spec);

// What the schedule sees of all that.
[[nodiscard]] Situation situation_of(const JobState& state, const DomainSpec& spec);

}  // namespace tlsguard::renew

#endif
