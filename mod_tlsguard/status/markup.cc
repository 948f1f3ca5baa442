// SPDX-License-Identifier: Apache-2.0
#include "status/markup.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "core/date.h"

namespace tlsguard::status {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

// Bytes of the character that begins here; 0: it is none that may be shown (RFC 3629 4, and
// characters that turn the direction of what follows).
std::size_t character_at(std::string_view text, std::size_t i) {
  auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[i + n]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  if (lead >= 0xC2 && lead < 0xE0) {
    if (!is_continuation(text, i + 1)) return 0;
    return lead == 0xC2 && byte(1) < 0xA0 ? 0 : 2;  // C1 controls
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    if (!is_continuation(text, i + 1) || !is_continuation(text, i + 2)) return 0;
    unsigned code = ((lead & 0x0fU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU);
    bool turns = (code >= 0x200E && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
                 (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0x061C;
    bool surrogate = code >= 0xD800 && code < 0xE000;
    return code < 0x800 || turns || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    for (std::size_t n = 1; n < 4; ++n) {
      if (!is_continuation(text, i + n)) return 0;
    }
    bool outside = (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90);
    return outside ? 0 : 4;
  }
  return 0;
}

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

std::string copied(std::string_view text, bool escape) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t size = character_at(text, i);
    std::string_view entity = escape ? entity_of(text[i]) : std::string_view{};
    if (size == 0) {
      result += text[i] == '\n' || text[i] == '\t' ? std::string_view(" ") : replacement;
    } else {
      result += entity.empty() ? text.substr(i, size) : entity;
    }
    i += size == 0 ? 1 : size;
  }
  return result;
}

constexpr std::int64_t minute_length = 60;
constexpr std::int64_t hour_length = 3600;
constexpr std::int64_t day_length = 86400;

}  // namespace

std::string escaped(std::string_view text) { return copied(text, true); }
std::string clean(std::string_view text) { return copied(text, false); }

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

std::string brief(std::uint64_t number) {
  if (number < 10000) return grouped(number);
  constexpr std::array<const char*, 6> units{"k", "M", "G", "T", "P", "E"};
  auto scaled = static_cast<double>(number);
  std::size_t unit = 0;
  for (scaled /= 1000; scaled >= 999.5 && unit + 1 < units.size(); ++unit) scaled /= 1000;
  return fmt::format("{:.{}f}{}", scaled, scaled < 99.95 ? 1 : 0, units.at(unit));
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0%";
  double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (percent < 0.01) return "&lt;0.01%";
  if (part < whole && percent > 99.99) return "&gt;99.99%";
  return fmt::format("{:.{}f}%", percent, percent < 10 ? 2 : 1);
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string day(UnixSeconds at) {
  if (at == 0) return "never";
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::string date = format_date(at);  // 2026-11-21T…
  auto month = static_cast<std::size_t>(std::atoi(date.substr(5, 2).c_str()));
  return fmt::format("{} {} {}", std::atoi(date.substr(8, 2).c_str()), months.at((month + 11) % 12),
                     date.substr(0, 4));
}

std::string minute(UnixSeconds at) {
  if (at == 0) return "never";
  return fmt::format("{}, {} UTC", day(at), format_date(at).substr(11, 5));
}

std::string length(std::int64_t seconds) {
  std::int64_t size = seconds < 0 ? -(seconds + 1) : seconds;
  auto in = [&](std::int64_t unit, std::string_view noun) {
    return counted(static_cast<std::uint64_t>(size / unit), noun);
  };
  if (size < 2 * minute_length) return in(1, "second");
  if (size < 2 * hour_length) return in(minute_length, "minute");
  if (size < 2 * day_length) return in(hour_length, "hour");
  return in(day_length, "day");
}

std::string distance(UnixSeconds at, UnixSeconds now) {
  if (at == now) return "now";
  return at > now ? "in " + length(at - now) : length(now - at) + " ago";
}

std::string time_tag(UnixSeconds at, std::string_view text) {
  return fmt::format(R"(<time datetime="{}" title="{}">{}</time>)", format_date(at), minute(at),
                     text);
}

}  // namespace tlsguard::status
