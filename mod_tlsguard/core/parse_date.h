// SPDX-License-Identifier: Apache-2.0
// Moments read from untrusted text. Pure; thread-safe.
#ifndef TLSGUARD_CORE_PARSE_DATE_H
#define TLSGUARD_CORE_PARSE_DATE_H

#include <optional>
#include <string_view>

#include "core/unix_time.h"

namespace tlsguard {

// RFC 3339 5.6, with any offset; a fraction is dropped. A leap second counts as the next one.
[[nodiscard]] std::optional<UnixSeconds> parse_rfc3339(std::string_view text);

// RFC 9110 5.6.7, the two obsolete forms too. now: what a year of two digits is near to: one that
// seems more than 50 years ahead is in the past.
[[nodiscard]] std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now);

}  // namespace tlsguard

#endif
