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
inline constexpr std::size_t max_snapshot = 64UL * 1024 * 1024;  // bytes
inline constexpr std::size_t max_key = 1024;                     // bytes of a key or policy id
inline constexpr std::size_t max_past = 8;                       // of one virtual host
// No server counts that far; what is more (a script wrote on the board) is cut to it, and a text
// that says more is refused.
inline constexpr std::uint64_t max_count = std::uint64_t{1} << 60;
inline constexpr UnixSeconds keep_unseen = 400LL * 86400;

struct Count {
  std::uint64_t count = 0;    // at most max_count
  UnixSeconds last_seen = 0;  // 0: never
  bool operator==(const Count&) const = default;
  Count& operator+=(const Count& other);
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
  std::vector<IdCount> ciphers;  // ascending
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

// By judge; empty: none.
using PolicyIds = std::array<std::string, judge_count>;

struct VirtualHostCounts {
  std::string key;  // "server name|addresses"
  UnixSeconds began = 0;
  bool configured = false;  // at the time of writing
  // The TLSGuardFloor that names it as an exception; empty: none.
  std::string floor_exception;
  Count name_missing;
  Count name_unknown;
  Traffic traffic;
  std::array<Judged, judge_count> judged;
  std::vector<Offer> offers;
  std::vector<Past> past;
  bool operator==(const VirtualHostCounts&) const = default;

  [[nodiscard]] UnixSeconds last_seen() const;
  [[nodiscard]] PolicyIds policies() const;
  // What was counted for a judge that has no policy is forgotten.
  void set_policies(const PolicyIds& policies);
  // Verdicts, and for in_force what was negotiated.
  void forget(Judge judge);
  [[nodiscard]] Judged& by(Judge judge) { return judged[static_cast<std::size_t>(judge)]; }
  [[nodiscard]] const Judged& by(Judge judge) const {
    return judged[static_cast<std::size_t>(judge)];
  }
};

struct Snapshot {
  std::uint64_t seed = 0;  // of hello::fingerprint; 0: none yet
  UnixSeconds written = 0;
  UnixSeconds noticed_at = 0;
  std::vector<VirtualHostCounts> virtual_hosts;
  bool operator==(const Snapshot&) const = default;
};

// A key or policy id as a snapshot has it: printable ASCII, other bytes as %XX, at most max_key
// bytes (the end of a longer one becomes a hash of all of it). Once more changes nothing.
[[nodiscard]] std::string bounded_text(const std::string& text);

// One JSON object and a line feed.
[[nodiscard]] std::string to_json(const Snapshot& snapshot);
// An error says what is wrong, and of which virtual host. Of two of one key the first counts.
[[nodiscard]] Result<Snapshot> parse_snapshot(std::string_view json);

// The entry of this id, made in its place where there is none.
[[nodiscard]] Count& count_of(std::vector<IdCount>& counts, std::uint16_t id);

}  // namespace tlsguard::live

#endif
