// SPDX-License-Identifier: Apache-2.0
// Moments as text. Pure; thread-safe.
#ifndef TLSGUARD_CORE_DATE_H
#define TLSGUARD_CORE_DATE_H

#include <cstdint>
#include <string>

namespace tlsguard {

// Seconds since 1970 as RFC 3339, UTC: "2026-11-20T16:15:00Z". Years 0 to 9999; what lies outside
// is given as the nearest of them.
[[nodiscard]] std::string format_date(std::int64_t unix_seconds);

}  // namespace tlsguard

#endif
