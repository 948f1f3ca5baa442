// SPDX-License-Identifier: Apache-2.0
// Texts for the page: escaped, and numbers and moments as people read them. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_MARKUP_H
#define TLSGUARD_STATUS_MARKUP_H

#include <cstdint>
#include <string>
#include <string_view>

#include "core/unix_time.h"

namespace tlsguard::status {

// For HTML, between tags and in quoted attributes. Control characters, bytes that are no UTF-8 and
// those that turn the direction of text become U+FFFD: names and errors come from strangers.
[[nodiscard]] std::string escaped(std::string_view text);
// The same bytes, replaced alike, without escapes.
[[nodiscard]] std::string clean(std::string_view text);

// "12,345"
[[nodiscard]] std::string grouped(std::uint64_t number);
// "12.3k": for tiles and bars
[[nodiscard]] std::string brief(std::uint64_t number);
// "0.42%"; below that "&lt;0.01%": for HTML
[[nodiscard]] std::string share(std::uint64_t part, std::uint64_t whole);
// "3 domains", "1 domain"
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);

// "21 Nov 2026"; "never" for 0
[[nodiscard]] std::string day(UnixSeconds at);
// "21 Nov 2026, 16:15 UTC"
[[nodiscard]] std::string minute(UnixSeconds at);
// "34 days", "5 hours", "90 seconds"
[[nodiscard]] std::string length(std::int64_t seconds);
// "in 34 days", "5 hours ago", "now"
[[nodiscard]] std::string distance(UnixSeconds at, UnixSeconds now);
// <time datetime="…" title="…">in 34 days</time>
[[nodiscard]] std::string time_tag(UnixSeconds at, std::string_view text);

}  // namespace tlsguard::status

#endif
