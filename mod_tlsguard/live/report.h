// SPDX-License-Identifier: Apache-2.0
// "Whom would this policy cut off here?", answered from the census, as a table and as JSON
// (schema: docs/census.md). Pure; thread-safe.
#ifndef TLSGUARD_LIVE_REPORT_H
#define TLSGUARD_LIVE_REPORT_H

#include <string>

#include "live/snapshot.h"
#include "live/verdicts.h"

namespace tlsguard::live {

// A table: virtual host, handshakes, would be refused, share, why, last seen; then the offers
// that would be, most frequent first, in words. Ends in a newline.
[[nodiscard]] std::string cut_off_table(const Snapshot& snapshot, Judge judge);
// The same as JSON.
[[nodiscard]] std::string cut_off_json(const Snapshot& snapshot, Judge judge);
// All counters, under names, for the status handler.
[[nodiscard]] std::string census_json(const Snapshot& snapshot);

}  // namespace tlsguard::live

#endif
