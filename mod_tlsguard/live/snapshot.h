// SPDX-License-Identifier: Apache-2.0
// The census as plain values, and as JSON text: what the parent writes into the store (census.json)
// so that counts survive a restart, and what reports are made from. Pure; thread-safe. The text is
// untrusted: bounded in size, depth and number, each value checked; members it does not know are
// ignored, so that an older release can read a newer one's.
#ifndef TLSGUARD_LIVE_SNAPSHOT_H
#define TLSGUARD_LIVE_SNAPSHOT_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "live/census.h"
#include "live/offers.h"
#include "live/verdicts.h"

namespace tlsguard::live {

inline constexpr char snapshot_file_name[] = "census.json";
inline constexpr std::size_t max_snapshot = 64U * 1024 * 1024;  // bytes
inline constexpr std::size_t max_key = 1024;                    // bytes of a key or policy text
inline constexpr std::size_t max_past = 8;                      // a virtual host
inline constexpr UnixSeconds keep_unseen = 400LL * 86400;

struct Count {
  std::uint64_t count = 0;
  UnixSeconds last_seen = 0;  // 0: never
  bool operator==(const Count&) const = default;
  void add(const Count& other);
};

struct IdCount {
  std::uint16_t id = 0;  // IANA
  Count count;
  bool operator==(const IdCount&) const = default;
};

// What was negotiated under one policy in force.
struct Traffic {
  std::array<Count, 4> versions;  // all_protocols
  Count full;
  Count resumed;
  std::vector<IdCount> ciphers;
  Count other_ciphers;
  std::vector<IdCount> groups;
  Count other_groups;
  bool operator==(const Traffic&) const = default;
};

// Verdicts of one policy.
struct Judged {
  std::string policy;  // "baseline@1"; empty: no such judge
  UnixSeconds began = 0;
  std::array<Count, hello::verdict_count> verdicts;
  std::array<std::uint64_t, hello::verdict_count> noticed{};  // in the last daily notice
  bool operator==(const Judged&) const = default;

  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::uint64_t refused() const;  // all but ok
};

// Counts under a policy that is no longer this judge's. It goes on where it stopped when the
// policy comes back.
struct Past {
  Judge judge = Judge::in_force;
  Judged judged;
  Traffic traffic;  // judge in_force only
  bool operator==(const Past&) const = default;
};

struct VirtualHostCounts {
  std::string key;  // "server name|addresses"
  UnixSeconds began = 0;
  bool configured = false;  // at the time of writing
  Count name_missing;
  Count name_unknown;
  Traffic traffic;
  std::array<Judged, judge_count> judged;
  std::vector<Offer> offers;
  std::vector<Past> past;
  bool operator==(const VirtualHostCounts&) const = default;

  [[nodiscard]] UnixSeconds last_seen() const;
};

struct Snapshot {
  std::uint64_t seed = 0;  // of hello::fingerprint; 0: none yet
  UnixSeconds written = 0;
  UnixSeconds noticed_at = 0;
  std::vector<VirtualHostCounts> virtual_hosts;
  bool operator==(const Snapshot&) const = default;
};

// Virtual hosts that are not configured and were not seen for keep_unseen are left out by both
// (now: snapshot.written).
[[nodiscard]] std::string to_json(const Snapshot& snapshot);
[[nodiscard]] Result<Snapshot> parse_snapshot(std::string_view json);

}  // namespace tlsguard::live

#endif
