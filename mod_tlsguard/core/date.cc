// SPDX-License-Identifier: Apache-2.0
#include "core/date.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tlsguard {

std::string format_date(std::int64_t unix_seconds) {
  using namespace std::chrono;
  constexpr sys_seconds first{sys_days{year{0} / January / 1}};
  constexpr sys_seconds last{sys_days{year{10000} / January / 1} - seconds{1}};
  sys_seconds moment{seconds{unix_seconds}};
  moment = std::clamp(moment, first, last);
  sys_days day = floor<days>(moment);
  year_month_day date{day};
  hh_mm_ss time{moment - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace tlsguard
