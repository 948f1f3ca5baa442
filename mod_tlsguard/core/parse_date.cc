// SPDX-License-Identifier: Apache-2.0
#include "core/parse_date.h"

#include <array>
#include <chrono>
#include <cstddef>

#include "core/text.h"

namespace tlsguard {
namespace {

struct Moment {
  int year = 0;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// Takes parts from the front of a text; after the first that does not fit, all fail.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  int number(std::size_t digits) {
    int value = 0;
    good_ = good_ && rest_.size() >= digits;
    for (std::size_t i = 0; good_ && i < digits; ++i) {
      good_ = rest_[i] >= '0' && rest_[i] <= '9';
      value = value * 10 + (rest_[i] - '0');
    }
    if (good_) rest_.remove_prefix(digits);
    return good_ ? value : 0;
  }

  void literal(std::string_view expected) {
    good_ = good_ && equal_ignoring_case(rest_.substr(0, expected.size()), expected);
    if (good_) rest_.remove_prefix(expected.size());
  }

  int month() {
    constexpr std::array names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (std::size_t i = 0; good_ && i < names.size(); ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(3);
      return static_cast<int>(i) + 1;
    }
    good_ = false;
    return 0;
  }

  void digits() {
    good_ = good_ && front() >= '0' && front() <= '9';
    while (front() >= '0' && front() <= '9') rest_.remove_prefix(1);
  }

  void time(Moment& moment) {
    moment.hour = number(2);
    literal(":");
    moment.minute = number(2);
    literal(":");
    moment.second = number(2);
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::optional<UnixSeconds> seconds_of(const Moment& moment) {
  using namespace std::chrono;
  year_month_day date{year{moment.year}, month{static_cast<unsigned>(moment.month)},
                      day{static_cast<unsigned>(moment.day)}};
  if (!date.ok() || moment.hour > 23 || moment.minute > 59 || moment.second > 60) {
    return std::nullopt;
  }
  sys_seconds at =
      sys_days{date} + hours{moment.hour} + minutes{moment.minute} + seconds{moment.second};
  return at.time_since_epoch().count();
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<UnixSeconds> parse_fixdate(Scanner text) {
  Moment moment;
  moment.day = text.number(2);
  text.literal(" ");
  moment.month = text.month();
  text.literal(" ");
  moment.year = text.number(4);
  text.literal(" ");
  text.time(moment);
  text.literal(" GMT");
  return text.at_end() ? seconds_of(moment) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<UnixSeconds> parse_rfc850(Scanner text, UnixSeconds now) {
  using namespace std::chrono;
  Moment moment;
  moment.day = text.number(2);
  text.literal("-");
  moment.month = text.month();
  text.literal("-");
  moment.year = text.number(2);
  text.literal(" ");
  text.time(moment);
  text.literal(" GMT");
  if (!text.at_end()) return std::nullopt;
  int this_year{year_month_day{floor<days>(sys_seconds{seconds{now}})}.year()};
  moment.year += this_year - this_year % 100;
  if (moment.year > this_year + 50) moment.year -= 100;
  return seconds_of(moment);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<UnixSeconds> parse_asctime(Scanner text) {
  Moment moment;
  moment.month = text.month();
  text.literal(" ");
  if (text.front() == ' ') {
    text.literal(" ");
    moment.day = text.number(1);
  } else {
    moment.day = text.number(2);
  }
  text.literal(" ");
  text.time(moment);
  text.literal(" ");
  moment.year = text.number(4);
  return text.at_end() ? seconds_of(moment) : std::nullopt;
}

}  // namespace

std::optional<UnixSeconds> parse_rfc3339(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  moment.year = scanner.number(4);
  scanner.literal("-");
  moment.month = scanner.number(2);
  scanner.literal("-");
  moment.day = scanner.number(2);
  scanner.literal(scanner.front() == ' ' ? " " : "T");
  scanner.time(moment);
  if (scanner.front() == '.') {
    scanner.literal(".");
    scanner.digits();
  }
  UnixSeconds offset = 0;
  if (char sign = scanner.front(); sign == '+' || sign == '-') {
    scanner.literal({&sign, 1});
    int hours = scanner.number(2);
    scanner.literal(":");
    int minutes = scanner.number(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
  } else {
    scanner.literal("Z");
  }
  auto local = scanner.at_end() ? seconds_of(moment) : std::nullopt;
  return local ? std::optional(*local - offset) : std::nullopt;
}

std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now) {
  // The day's name says nothing that is not in the date.
  std::size_t blank = text.find(' ');
  if (blank < 3 || blank == std::string_view::npos) return std::nullopt;
  Scanner rest(text.substr(blank + 1));
  if (text[blank - 1] != ',') return parse_asctime(rest);
  bool short_name = blank == 4;
  return short_name ? parse_fixdate(rest) : parse_rfc850(rest, now);
}

}  // namespace tlsguard
