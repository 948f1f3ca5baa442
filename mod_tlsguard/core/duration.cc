// SPDX-License-Identifier: Apache-2.0
#include "core/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "core/text.h"

namespace tlsguard {
namespace {

struct Unit {
  char letter;
  long long seconds;
};
constexpr long long day = 86400;
constexpr std::array<Unit, 6> units{
    {{'y', 365 * day}, {'w', 7 * day}, {'d', day}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr std::uint64_t longest = std::uint64_t{100} * 365 * day;

// The length of the unit that follows the number; nullopt if it is none.
std::optional<long long> unit_seconds(std::string_view suffix, PlainNumber plain) {
  if (suffix.empty()) {
    switch (plain) {
      case PlainNumber::seconds:
        return 1;
      case PlainNumber::days:
        return day;
      case PlainNumber::error:
        return std::nullopt;
    }
  }
  if (suffix.size() != 1) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.letter == to_lower(suffix.front())) return unit.seconds;
  }
  return std::nullopt;
}

tl::unexpected<Error> not_a_duration(std::string_view text, PlainNumber plain) {
  std::string_view also = plain == PlainNumber::seconds ? ", or a plain number of seconds"
                          : plain == PlainNumber::days  ? ", or a plain number of days"
                                                        : "";
  return fail(fmt::format(
      "'{}' is not a duration: valid are a whole number and a unit, as in 30s 10m 12h 14d 4w 1y{}",
      text, also));
}

}  // namespace

Result<Seconds> parse_duration(std::string_view text, PlainNumber plain) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::invalid_argument) return not_a_duration(text, plain);
  auto unit = unit_seconds({rest, static_cast<std::size_t>(end - rest)}, plain);
  if (!unit) return not_a_duration(text, plain);
  if (error == std::errc::result_out_of_range ||
      number > longest / static_cast<std::uint64_t>(*unit)) {
    return fail(fmt::format("'{}' is too long: valid are durations up to 100y", text));
  }
  return Seconds(static_cast<long long>(number) * *unit);
}

std::string format_duration(Seconds duration) {
  if (duration.count() == 0) return "0s";
  for (const Unit& unit : units) {
    if (duration.count() % unit.seconds == 0) {
      return fmt::format("{}{}", duration.count() / unit.seconds, unit.letter);
    }
  }
  return {};  // not reached: every count is a multiple of 1
}

}  // namespace tlsguard
