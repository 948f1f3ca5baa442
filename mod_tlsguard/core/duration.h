// SPDX-License-Identifier: Apache-2.0
// Durations as a user types them: "30s 10m 12h 14d 4w 1y". Thread-safe, pure.
#ifndef TLSGUARD_CORE_DURATION_H
#define TLSGUARD_CORE_DURATION_H

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tlsguard {

using Seconds = std::chrono::duration<long long>;

// The unit of a number without one; none: such a number is an error.
enum class PlainNumber { seconds, days, error };

// A whole number and one unit (s m h d w y; a year is 365 days). At most 100 years.
[[nodiscard]] Result<Seconds> parse_duration(std::string_view text, PlainNumber plain);

// The shortest exact spelling: "1w", "90s".
[[nodiscard]] std::string format_duration(Seconds duration);

}  // namespace tlsguard

#endif
