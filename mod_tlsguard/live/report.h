// SPDX-License-Identifier: Apache-2.0
// "Whom would this policy cut off here?", answered from the census, as a table and as JSON
// (schema: docs/census.md). Pure; thread-safe.
#ifndef TLSGUARD_LIVE_REPORT_H
#define TLSGUARD_LIVE_REPORT_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "live/snapshot.h"
#include "live/verdicts.h"

namespace tlsguard::live {

// One virtual host, as one judge sees it.
struct CutOff {
  const VirtualHostCounts* host = nullptr;  // of the snapshot
  std::uint64_t handshakes = 0;
  std::uint64_t refused = 0;  // or would be
  UnixSeconds last_refused = 0;
  std::vector<const Offer*> offers;  // of those, most frequent first; not all need be known
};
// Those that this judge has a policy for, in the order of the snapshot.
[[nodiscard]] std::vector<CutOff> cut_offs(const Snapshot& snapshot, Judge judge);

// The configured virtual hosts: handshakes, would be refused, share, why, last seen; then the
// most frequent offers that would be, in words. Ends in a line feed.
[[nodiscard]] std::string cut_off_table(const Snapshot& snapshot, Judge judge);
// All virtual hosts, all known offers.
[[nodiscard]] std::string cut_off_json(const Snapshot& snapshot, Judge judge);
// All counters, under names.
[[nodiscard]] nlohmann::json census_object(const Snapshot& snapshot);
// The same as text, for the status handler.
[[nodiscard]] std::string census_json(const Snapshot& snapshot);

}  // namespace tlsguard::live

#endif
