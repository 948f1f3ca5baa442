// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "browser_hsts.h"
#include "web/hsts_ramp.h"

namespace tlsguard::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;
using web::HstsSetting;
using web::RampState;
using web::RampSteps;

using Days = std::chrono::duration<long long, std::ratio<86400>>;
constexpr Days day{1};
constexpr Days year{365};
constexpr sys_seconds noon{std::chrono::seconds(1795176000)};  // 2026-11-20 12:00 UTC
constexpr HstsSetting two_years{true, 2 * year, false, false};

const RampSteps usual_steps{5min, 7 * day, 30 * day};

// One ServerName, and a clock that only the test moves.
struct Host {
  HstsSetting setting = two_years;
  RampSteps steps = usual_steps;
  sys_seconds now = noon;
  bool good = true;
  std::optional<RampState> state;

  void tick(Seconds passed = Seconds(0)) {
    now += std::chrono::seconds(passed.count());
    state = web::advance(state, setting, steps, now, good);
  }
  // Ticks until this much has passed.
  void run(Seconds total, Seconds interval = 1min) {
    for (Seconds passed(0); passed < total; passed += interval) {
      tick(std::min(interval, total - passed));
    }
  }
  // Ticks until the ramp has got to this age.
  void run_until(Seconds age) {
    for (int i = 0; age_now() != age; ++i) {
      ck_assert_int_lt(i, 3000000);
      tick(1min);
    }
  }
  [[nodiscard]] Seconds age_now() const { return state ? state->age : Seconds(0); }
  [[nodiscard]] std::string value() const {
    return web::HstsValues(setting, web::partial_ages(setting, steps, state)).at(age_now());
  }
};

void expect_age(const Host& host, Seconds age) {
  ck_assert(host.state.has_value());
  ck_assert_int_eq(host.state->age.count(), age.count());
}

Result<RampSteps> parse(std::initializer_list<std::string_view> arguments) {
  return web::parse_hsts_ramp(std::vector<std::string_view>(arguments));
}

// --- arguments -------------------------------------------------------------------------------

START_TEST(steps_are_read) {
  ck_assert(value_of(parse({"5m", "1w", "30d"})) == usual_steps);
  ck_assert((value_of(parse({"1s"})) == RampSteps{1s}));
}
END_TEST

START_TEST(errors_name_directive_value_and_what_is_valid) {
  for (std::string_view step : {"", "300", "5", "5x", "m", "-5m", "5m,1w", "101y"}) {
    std::string text = error_of(parse({"1s", step}));
    expect_contains(text, "TLSGuardHSTSRamp: '" + std::string(step) + "'");
    expect_contains(text, "valid are");
  }
  expect_contains(error_of(parse({"5m", "5m"})), "'5m' is not longer than 5m: valid are");
  expect_contains(error_of(parse({"1w", "5m"})), "'5m' is not longer than 1w: valid are");
  expect_contains(error_of(parse({"0s", "5m"})), "'0s' is not longer than 0s: valid are");
  expect_contains(error_of(parse({})), "TLSGuardHSTSRamp needs a value: valid are");
  std::vector<std::string> texts;
  for (int i = 1; i <= 33; ++i) texts.push_back(std::to_string(i) + "d");
  std::vector<std::string_view> many(texts.begin(), texts.end());
  expect_contains(error_of(web::parse_hsts_ramp(many)), "'33d' is one step too many");
  many.pop_back();
  ck_assert(web::parse_hsts_ramp(many).has_value());
}
END_TEST

// --- the plain course of things --------------------------------------------------------------

START_TEST(each_step_is_kept_for_its_own_length) {
  Host host;
  std::vector<std::pair<long long, long long>> changes;  // seconds since the start, age
  auto look = [&] {
    if (changes.empty() || changes.back().second != host.age_now().count()) {
      changes.emplace_back((host.now - noon).count(), host.age_now().count());
    }
  };
  host.tick();
  look();
  while (host.now < noon + 3 * year) {
    host.tick(host.now < noon + 40 * day ? Seconds(1min) : Seconds(1h));
    look();
  }
  const std::vector<std::pair<long long, long long>> wanted{
      {0, 300},
      {300, 604800},
      {300 + 604800, 2592000},
      {300 + 604800 + 2592000, 63072000},
  };
  ck_assert(changes == wanted);
  ck_assert(host.state->complete);
  ck_assert(host.state->began == noon);
}
END_TEST

START_TEST(the_first_step_lasts_to_its_last_second) {
  Host host;
  host.tick();
  host.tick(Seconds(299));
  expect_age(host, 5min);
  host.tick(Seconds(1));
  expect_age(host, 7 * day);
}
END_TEST

START_TEST(preload_comes_with_the_full_age_and_sub_domains_at_once) {
  Host host;
  host.setting = {true, year, true, true};
  host.tick();
  for (Seconds age : {Seconds(5min), Seconds(7 * day), Seconds(30 * day), Seconds(year)}) {
    host.run_until(age);
    auto seen = browser_parses(host.value());
    ck_assert(seen.has_value());
    ck_assert_int_eq(seen->max_age, age.count());
    ck_assert(seen->include_sub_domains);
    ck_assert(seen->preload == (age == year));
  }
}
END_TEST

START_TEST(steps_at_or_above_the_full_age_are_never_sent) {
  Host host;
  host.setting.max_age = 7 * day;
  host.tick();
  ck_assert((web::partial_ages(host.setting, host.steps, host.state) == RampSteps{5min}));
  host.run(5min);
  expect_age(host, 7 * day);
  ck_assert(host.state->complete);
  host.run(60 * day, 1h);
  expect_age(host, 7 * day);
  host = Host();
  host.setting.max_age = 1min;
  host.tick();
  expect_age(host, 1min);
  ck_assert(host.state->complete);
  expect_text(host.value(), "max-age=60");
}
END_TEST

START_TEST(without_hsts_or_ramp_there_is_no_state) {
  Host ramping;
  ramping.tick();
  for (int i = 0; i < 3; ++i) {
    Host host = ramping;
    if (i == 0) host.setting = HstsSetting{};
    if (i == 1) host.setting.max_age = Seconds(0);
    if (i == 2) host.steps.clear();
    host.tick(day);
    ck_assert(!host.state);
    ck_assert(web::partial_ages(host.setting, host.steps, ramping.state).empty());
  }
}
END_TEST

START_TEST(switched_off_and_on_it_starts_anew) {
  for (int i = 0; i < 2; ++i) {
    Host host;
    host.tick();
    host.run_until(30 * day);
    host.setting = i == 0 ? HstsSetting{} : HstsSetting{true, Seconds(0), false, false};
    host.tick(1min);
    host.setting = two_years;
    host.tick(1min);
    expect_age(host, 5min);
    ck_assert(host.state->began == host.now);
  }
}
END_TEST

// --- the certificate -------------------------------------------------------------------------

START_TEST(while_the_certificate_is_not_good_the_clock_stands_still) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.run(3 * day);
  host.good = false;
  host.tick();
  host.run(year, 1h);
  expect_age(host, 7 * day);
  ck_assert_int_eq(host.state->kept.count(), Seconds(3 * day).count());
  host.good = true;
  host.tick();
  host.run(4 * day - 1s);
  expect_age(host, 7 * day);
  host.tick(1s);
  expect_age(host, 30 * day);
}
END_TEST

START_TEST(a_bad_certificate_at_the_start_holds_the_first_step) {
  Host host;
  host.good = false;
  host.tick();
  host.run(10 * day, 1h);
  expect_age(host, 5min);
  ck_assert_int_eq(host.state->kept.count(), 0);
  host.good = true;
  host.tick();
  expect_age(host, 5min);
  host.run(5min);
  expect_age(host, 7 * day);
}
END_TEST

START_TEST(time_with_a_bad_end_does_not_count) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.good = false;
  host.tick(day);  // good before, bad now
  ck_assert_int_eq(host.state->kept.count(), 0);
  host.good = true;
  host.tick(day);  // bad before, good now
  ck_assert_int_eq(host.state->kept.count(), 0);
  host.tick(day);
  ck_assert_int_eq(host.state->kept.count(), Seconds(day).count());
}
END_TEST

START_TEST(the_full_age_stays_with_a_bad_certificate) {
  Host host;
  host.tick();
  host.run_until(two_years.max_age);
  host.good = false;
  host.run(day, 1h);
  expect_age(host, two_years.max_age);
}
END_TEST

// --- clocks ----------------------------------------------------------------------------------

START_TEST(time_switched_off_counts_for_one_step_only) {
  Host host;
  host.tick();
  host.tick(60 * day);
  expect_age(host, 7 * day);
  ck_assert_int_eq(host.state->kept.count(), 0);
  host.tick(6 * day);
  host.tick(60 * day);
  expect_age(host, 30 * day);
  ck_assert_int_eq(host.state->kept.count(), 0);
}
END_TEST

START_TEST(a_leap_of_a_century_skips_no_step) {
  Host host;
  host.tick();
  for (Seconds age : {Seconds(7 * day), Seconds(30 * day), two_years.max_age}) {
    host.tick(100 * year);
    expect_age(host, age);
  }
}
END_TEST

START_TEST(a_clock_set_back_takes_nothing_away_and_gives_nothing) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.run(3 * day);
  host.now -= 1h;
  host.tick();
  expect_age(host, 7 * day);
  host.run(1h);  // up to where it was
  ck_assert_int_eq(host.state->kept.count(), Seconds(3 * day).count());
  host.run(1h);
  ck_assert_int_eq(host.state->kept.count(), Seconds(3 * day + 1h).count());
}
END_TEST

START_TEST(a_machine_that_boots_in_1970_gains_nothing_by_it) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  for (int boot = 0; boot < 100; ++boot) {
    sys_seconds off = host.now;
    host.now = sys_seconds(std::chrono::seconds(0));
    host.run(2min);
    host.now = off + 2min;  // the network is there, and with it the time
    host.tick();
    host.run(8min);
    expect_age(host, 7 * day);
  }
  ck_assert_int_eq(host.state->kept.count(), 60000);
}
END_TEST

START_TEST(a_clock_that_was_ahead_stops_the_ramp_for_a_day_only) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.run(day);
  sys_seconds right = host.now;
  host.now += 4 * 365 * day;
  host.tick();  // ends the step
  expect_age(host, 30 * day);
  host.now = right;
  host.tick();
  host.run(day - 1min);
  ck_assert(host.state->behind_since.has_value());
  ck_assert_int_eq(host.state->kept.count(), 0);
  host.tick(1min);
  host.tick(1min);
  ck_assert(!host.state->behind_since.has_value());
  ck_assert_int_eq(host.state->kept.count(), 60);
  host.run(30 * day - 1min);
  expect_age(host, two_years.max_age);
}
END_TEST

START_TEST(a_clock_set_back_twice_is_watched_from_the_earlier_time) {
  Host host;
  host.tick();
  host.now -= 10 * day;
  host.tick();
  host.now -= 10 * day;
  host.tick();
  host.run(day - 1s, 1h);
  ck_assert(host.state->behind_since.has_value());
  ck_assert(host.state->counted_until == noon);
  host.tick(1s);
  ck_assert(host.state->counted_until == noon - 19 * day);
}
END_TEST

START_TEST(ticks_within_one_second_lose_nothing) {
  Host host;
  host.tick();
  for (int i = 0; i < 1000; ++i) host.tick();
  expect_age(host, 5min);
  host.run(5min, 1s);
  expect_age(host, 7 * day);
}
END_TEST

// --- changed configurations ------------------------------------------------------------------

START_TEST(sub_domains_that_are_added_start_it_anew) {
  Host host;
  host.tick();
  host.run_until(two_years.max_age);
  host.setting.include_sub_domains = true;
  host.tick(1min);
  expect_age(host, 5min);
  expect_text(host.value(), "max-age=300; includeSubDomains");
  ck_assert(!host.state->complete);
  ck_assert(host.state->began == host.now);
  host.run(5min);
  expect_age(host, 7 * day);
}
END_TEST

START_TEST(sub_domains_that_are_removed_change_nothing_else) {
  Host host;
  host.setting.include_sub_domains = true;
  host.tick();
  host.run_until(30 * day);
  host.setting.include_sub_domains = false;
  host.tick(1min);
  expect_age(host, 30 * day);
  ck_assert_int_eq(host.state->kept.count(), 60);
  host.setting.include_sub_domains = true;
  host.tick(1min);
  expect_age(host, 5min);
}
END_TEST

START_TEST(an_age_of_the_old_list_is_kept_to_its_end) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.run(3 * day);
  host.steps = {day, 14 * day, 60 * day};
  host.run(4 * day - 1min);
  expect_age(host, 7 * day);
  expect_text(host.value(), "max-age=604800");
  host.tick(1min);
  expect_age(host, 14 * day);
}
END_TEST

START_TEST(a_shorter_list_goes_on_with_the_full_age) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.steps = {5min, day};
  host.run(7 * day - 1min);
  expect_age(host, 7 * day);
  host.tick(1min);
  expect_age(host, two_years.max_age);
}
END_TEST

START_TEST(a_list_with_a_new_start_does_not_go_back) {
  Host host;
  host.tick();
  host.run_until(30 * day);
  host.steps = {1min, 5min, 7 * day, 30 * day};
  host.tick(1min);
  expect_age(host, 30 * day);
  ck_assert_int_eq(host.state->kept.count(), 60);
}
END_TEST

START_TEST(a_full_age_below_the_one_reached_holds_at_once) {
  Host host;
  host.tick();
  host.run_until(30 * day);
  host.run(20 * day, 1h);
  host.setting.max_age = 14 * day;
  host.tick(1min);
  expect_age(host, 14 * day);
  ck_assert(host.state->complete);
  ck_assert(host.state->kept <= host.state->age);
  expect_text(host.value(), "max-age=1209600");
}
END_TEST

START_TEST(a_full_age_set_to_the_one_reached_ends_the_ramp) {
  Host host;
  host.tick();
  host.run_until(7 * day);
  host.setting.max_age = 7 * day;
  host.tick(1min);
  expect_age(host, 7 * day);
  ck_assert(host.state->complete);
  ck_assert_int_eq(host.state->kept.count(), 60);
}
END_TEST

START_TEST(a_full_age_that_is_raised_later_goes_on_by_the_steps_left) {
  Host host;
  host.setting.max_age = day;
  host.tick();
  host.run_until(day);
  host.setting.max_age = year;
  host.good = false;
  host.tick(1min);
  expect_age(host, day);  // never up with a bad certificate
  host.good = true;
  host.tick(1min);
  expect_age(host, 7 * day);
  ck_assert(!host.state->complete);
  host.run(7 * day, 1h);
  expect_age(host, 30 * day);
  host.run(30 * day, 1h);
  expect_age(host, year);
  ck_assert(host.state->complete);
  host.setting.max_age = 2 * year;
  host.tick(1min);
  expect_age(host, 2 * year);
}
END_TEST

// --- chance ----------------------------------------------------------------------------------

// Five simulated years of a server's life: ticks of any length, certificates that fail, clocks
// that jump, and crashes after which the file is all there is.
START_TEST(no_life_shortens_a_step) {
  std::mt19937 random(static_cast<unsigned>(_i));
  auto chance = [&](unsigned one_in) { return random() % one_in == 0; };
  Host host;
  long long good_time = 0;  // at this age, by the true clock
  host.tick();
  for (int i = 0; i < 20000; ++i) {
    bool was_good = host.good;
    Seconds before = host.age_now();
    if (chance(10)) host.good = !host.good;
    Seconds passed(chance(50) ? random() % 1728000 : random() % 7200);
    if (was_good && host.good) good_time += passed.count();
    host.tick(passed);
    Seconds after = host.age_now();
    if (after == before) continue;
    ck_assert(after > before);
    ck_assert_int_ge(good_time, before.count());
    good_time = 0;
    auto step = std::find(host.steps.begin(), host.steps.end(), before);
    ck_assert(step != host.steps.end());
    ck_assert(after == (step + 1 == host.steps.end() ? host.setting.max_age : *(step + 1)));
  }
  expect_age(host, two_years.max_age);
}
END_TEST

START_TEST(a_clock_that_runs_wild_passes_one_step_a_tick_and_none_back) {
  std::mt19937 random(static_cast<unsigned>(_i));
  Host host;
  host.steps = {1min, 5min, 1h, day, 7 * day, 30 * day, 90 * day, year};
  host.tick();
  for (int i = 0; i < 20000; ++i) {
    Seconds before = host.age_now();
    host.now = noon + std::chrono::seconds(random() % (1U << (random() % 30)));
    if (random() % 5 == 0) host.good = !host.good;
    host.tick();
    auto next = std::upper_bound(host.steps.begin(), host.steps.end(), before);
    Seconds above = next == host.steps.end() ? two_years.max_age : *next;
    ck_assert(host.age_now() == before || host.age_now() == above);
    ck_assert(host.state->kept <= host.state->age);
  }
}
END_TEST

START_TEST(a_crash_loses_nothing_that_was_not_worth_writing) {
  std::mt19937 random(static_cast<unsigned>(_i));
  Host steady;
  Host crashing;
  std::optional<RampState> file;
  int writes = 0;
  int crashes = 0;
  bool crashed = false;
  for (int i = 0; i < 20000; ++i) {
    if (!crashed && random() % 200 == 0) steady.good = crashing.good = !steady.good;
    Seconds passed(random() % 1200);
    steady.tick(passed);
    crashing.tick(passed);
    if (web::worth_writing(file, crashing.state)) {
      auto read = value_of(web::read_ramp_states(web::write_ramp_states({{"h", *crashing.state}})));
      file = read.at("h");
      ++writes;
    }
    ck_assert(crashing.state == steady.state);
    crashed = random() % 100 == 0;
    if (crashed) {
      crashing.state = file;
      ++crashes;
    }
  }
  ck_assert_int_gt(crashes, 100);
  ck_assert_int_gt(writes, 10);
  ck_assert_int_lt(writes, 300);
}
END_TEST

START_TEST(a_crash_and_a_lost_certificate_cost_a_day) {
  Host host;
  std::optional<RampState> file;
  host.tick();
  host.run_until(30 * day);
  for (Seconds passed(0); passed < 10 * day + 12h; passed += 10min) {
    host.tick(10min);
    if (web::worth_writing(file, host.state)) file = host.state;
  }
  host.state = file;
  host.good = false;
  host.tick(10min);
  ck_assert_int_ge(host.state->kept.count(), Seconds(9 * day + 12h).count());
}
END_TEST

START_TEST(what_is_worth_writing) {
  Host host;
  host.tick();
  ck_assert(!web::worth_writing(std::nullopt, std::nullopt));
  ck_assert(web::worth_writing(std::nullopt, host.state));
  ck_assert(web::worth_writing(host.state, std::nullopt));
  auto written = host.state;
  host.tick(1min);
  ck_assert(host.state != written);
  ck_assert(!web::worth_writing(written, host.state));
  host.good = false;
  host.tick(1min);
  ck_assert(web::worth_writing(written, host.state));
  host.good = true;
  host.tick();
  host.run(5min);
  ck_assert(web::worth_writing(written, host.state));
  written = host.state;
  host.run(day - 1s, 1h);
  ck_assert(!web::worth_writing(written, host.state));
  host.tick(1s);
  ck_assert(web::worth_writing(written, host.state));
  host.run_until(two_years.max_age);
  written = host.state;
  host.run(year, 1h);
  ck_assert(!web::worth_writing(written, host.state));
}
END_TEST

}  // namespace

Suite* hsts_ramp_suite() {
  Suite* suite = suite_create("HSTS ramp");
  TCase* tests = tcase_create("arguments");
  tcase_add_test(tests, steps_are_read);
  tcase_add_test(tests, errors_name_directive_value_and_what_is_valid);
  suite_add_tcase(suite, tests);
  tests = tcase_create("course");
  tcase_add_test(tests, each_step_is_kept_for_its_own_length);
  tcase_add_test(tests, the_first_step_lasts_to_its_last_second);
  tcase_add_test(tests, preload_comes_with_the_full_age_and_sub_domains_at_once);
  tcase_add_test(tests, steps_at_or_above_the_full_age_are_never_sent);
  tcase_add_test(tests, without_hsts_or_ramp_there_is_no_state);
  tcase_add_test(tests, switched_off_and_on_it_starts_anew);
  suite_add_tcase(suite, tests);
  tests = tcase_create("certificate");
  tcase_add_test(tests, while_the_certificate_is_not_good_the_clock_stands_still);
  tcase_add_test(tests, a_bad_certificate_at_the_start_holds_the_first_step);
  tcase_add_test(tests, time_with_a_bad_end_does_not_count);
  tcase_add_test(tests, the_full_age_stays_with_a_bad_certificate);
  suite_add_tcase(suite, tests);
  tests = tcase_create("clocks");
  tcase_add_test(tests, time_switched_off_counts_for_one_step_only);
  tcase_add_test(tests, a_leap_of_a_century_skips_no_step);
  tcase_add_test(tests, a_clock_set_back_takes_nothing_away_and_gives_nothing);
  tcase_add_test(tests, a_machine_that_boots_in_1970_gains_nothing_by_it);
  tcase_add_test(tests, a_clock_that_was_ahead_stops_the_ramp_for_a_day_only);
  tcase_add_test(tests, a_clock_set_back_twice_is_watched_from_the_earlier_time);
  tcase_add_test(tests, ticks_within_one_second_lose_nothing);
  suite_add_tcase(suite, tests);
  tests = tcase_create("changed configurations");
  tcase_add_test(tests, sub_domains_that_are_added_start_it_anew);
  tcase_add_test(tests, sub_domains_that_are_removed_change_nothing_else);
  tcase_add_test(tests, an_age_of_the_old_list_is_kept_to_its_end);
  tcase_add_test(tests, a_shorter_list_goes_on_with_the_full_age);
  tcase_add_test(tests, a_list_with_a_new_start_does_not_go_back);
  tcase_add_test(tests, a_full_age_below_the_one_reached_holds_at_once);
  tcase_add_test(tests, a_full_age_set_to_the_one_reached_ends_the_ramp);
  tcase_add_test(tests, a_full_age_that_is_raised_later_goes_on_by_the_steps_left);
  suite_add_tcase(suite, tests);
  tests = tcase_create("chance");
  tcase_add_loop_test(tests, no_life_shortens_a_step, 0, 20);
  tcase_add_loop_test(tests, a_clock_that_runs_wild_passes_one_step_a_tick_and_none_back, 0, 20);
  tcase_add_loop_test(tests, a_crash_loses_nothing_that_was_not_worth_writing, 0, 3);
  tcase_add_test(tests, a_crash_and_a_lost_certificate_cost_a_day);
  tcase_add_test(tests, what_is_worth_writing);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
