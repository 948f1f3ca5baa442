// SPDX-License-Identifier: Apache-2.0
#include "web/hsts_ramp.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace tlsguard::web {
namespace {

using std::chrono::sys_seconds;

constexpr std::size_t most_steps = 32;
constexpr std::string_view valid =
    "valid are durations with units, each longer than the one before, as in 5m 1w 30d";

// How long a clock may stay behind before it is believed.
constexpr std::chrono::hours clock_trust{24};

constexpr std::chrono::hours longest_unwritten{24};

bool has_ramp(const HstsSetting& setting, const RampSteps& steps) {
  return setting.enabled && setting.max_age > Seconds(0) && !steps.empty();
}

Seconds next_age(Seconds age, const HstsSetting& setting, const RampSteps& steps) {
  auto step = std::upper_bound(steps.begin(), steps.end(), age);
  return step == steps.end() ? setting.max_age : std::min(*step, setting.max_age);
}

RampState first_state(const HstsSetting& setting, const RampSteps& steps, sys_seconds now,
                      bool good) {
  RampState state;
  state.began = now;
  state.counted_until = now;
  state.age = next_age(Seconds(0), setting, steps);
  state.complete = state.age == setting.max_age;
  state.good = good;
  state.include_sub_domains = setting.include_sub_domains;
  return state;
}

void count_time(RampState& state, sys_seconds now, bool good) {
  if (now < state.counted_until) {
    if (!state.behind_since || now < *state.behind_since) state.behind_since = now;
    if (now - *state.behind_since < clock_trust) return;
  } else if (good && state.good) {
    state.kept = std::min<Seconds>(state.kept + (now - state.counted_until), state.age);
  }
  state.counted_until = now;
  state.behind_since.reset();
}

}  // namespace

Result<RampSteps> parse_hsts_ramp(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return fail(fmt::format("TLSGuardHSTSRamp needs a value: {}", valid));
  if (arguments.size() > most_steps) {
    return fail(fmt::format("TLSGuardHSTSRamp: '{}' is one step too many: at most {} are taken",
                            arguments[most_steps], most_steps));
  }
  RampSteps steps;
  for (std::string_view argument : arguments) {
    auto step = parse_duration(argument, PlainNumber::error);
    if (!step) return tl::unexpected(step.error().within("TLSGuardHSTSRamp"));
    if (*step <= (steps.empty() ? Seconds(0) : steps.back())) {
      return fail(fmt::format("TLSGuardHSTSRamp: '{}' is not longer than {}: {}", argument,
                              steps.empty() ? "0s" : format_duration(steps.back()), valid));
    }
    steps.push_back(*step);
  }
  return steps;
}

std::optional<RampState> advance(const std::optional<RampState>& state, const HstsSetting& setting,
                                 const RampSteps& steps, sys_seconds now, bool certificate_good) {
  if (!has_ramp(setting, steps)) return std::nullopt;
  if (!state || (setting.include_sub_domains && !state->include_sub_domains)) {
    return first_state(setting, steps, now, certificate_good);
  }
  RampState next = *state;
  count_time(next, now, certificate_good);
  next.good = certificate_good;
  next.include_sub_domains = setting.include_sub_domains;
  if (next.age >= setting.max_age) {
    next.age = setting.max_age;
    next.kept = std::min(next.kept, next.age);
    next.complete = true;
  } else if (certificate_good && (next.complete || next.kept >= next.age)) {
    next.age = next_age(next.age, setting, steps);
    next.kept = Seconds(0);
    next.complete = next.age == setting.max_age;
  }
  return next;
}

bool worth_writing(const std::optional<RampState>& written, const std::optional<RampState>& now) {
  if (!written || !now) return written.has_value() != now.has_value();
  if (!now->complete && now->counted_until - written->counted_until >= longest_unwritten) {
    return true;
  }
  RampState later = *written;
  later.counted_until = now->counted_until;
  later.kept = now->kept;
  return later != *now;
}

std::vector<Seconds> partial_ages(const HstsSetting& setting, const RampSteps& steps,
                                  const std::optional<RampState>& state) {
  if (!has_ramp(setting, steps)) return {};
  std::vector<Seconds> ages = steps;
  if (state && std::find(steps.begin(), steps.end(), state->age) == steps.end()) {
    ages.push_back(state->age);
  }
  std::erase_if(ages, [&](Seconds age) { return age >= setting.max_age; });
  return ages;
}

}  // namespace tlsguard::web
