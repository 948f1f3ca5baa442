// SPDX-License-Identifier: Apache-2.0
// Years of renewals in simulated time: the schedule decides, a pretended CA issues or fails.
#include "expect.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "renew/ari.h"
#include "renew/backoff.h"
#include "renew/schedule.h"
#include "renew/spread.h"

namespace tlsguard::test {
namespace {

using namespace renew;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 86400;
constexpr UnixSeconds epoch = 1795176000;  // 2026-11-20

Validity lasting(std::int64_t lifetime, UnixSeconds from = epoch) {
  return {from, from + lifetime};
}

Situation served(std::int64_t lifetime, const std::string& name = "example.org") {
  Situation s;
  s.seed = seed_of(name);
  s.live = lasting(lifetime);
  return s;
}

// One domain through time. A CA that is `up` issues at once; else the attempt fails.
struct Simulation {
  Situation s;
  std::int64_t lifetime;
  std::function<bool(UnixSeconds)> up = [](UnixSeconds) { return true; };
  std::function<acme::RenewalInfo(const Validity&)> ari = {};  // empty: the CA has none
  Blame blame = Blame::ca;

  std::vector<UnixSeconds> attempts = {};
  std::vector<UnixSeconds> renewals = {};
  std::vector<UnixSeconds> questions = {};  // ARI

  void renew(UnixSeconds now, Cause cause) {
    attempts.push_back(now);
    if (!up(now)) {
      ++s.failure.in_row;
      s.failure.last_at = now;
      s.failure.blame = blame;
      return;
    }
    renewals.push_back(now);
    s.live = lasting(lifetime, now);
    s.failure = {};
    s.ari = {};
    s.by_ari_at = cause == Cause::ari ? now : 0;
    s.forced = s.changed = false;
  }
  void step(UnixSeconds now) {
    Plan p = plan(s, now);
    if (p.ask_ari_at <= now) {
      questions.push_back(now);
      if (up(now) && ari) {
        take_window(s.ari, ari(*s.live), now, mixed(s.seed, questions.size()));
      } else {
        take_failure(s.ari, Error{"down"}, now, s.seed);
      }
      p = plan(s, now);
    }
    if (p.warn_at <= now) s.warned_at = now;
    if (p.renew_at <= now) renew(now, p.cause);
  }
  // Never more than a step a second: time must go on.
  UnixSeconds run(UnixSeconds from, UnixSeconds until) {
    UnixSeconds now = from;
    while (now < until) {
      step(now);
      now = std::max(now + 1, std::min(plan(s, now).next(), until));
    }
    return now;
  }
};

std::size_t count_between(const std::vector<UnixSeconds>& moments, UnixSeconds from,
                          UnixSeconds until) {
  return static_cast<std::size_t>(std::count_if(
      moments.begin(), moments.end(), [&](UnixSeconds at) { return at >= from && at < until; }));
}

START_TEST(windows_are_as_the_contract_says) {
  ck_assert_int_eq(renew_window_of(lasting(100 * day), std::nullopt), 33 * day);
  ck_assert_int_eq(renew_window_of(lasting(6 * day), std::nullopt), 3 * day);
  ck_assert_int_eq(renew_window_of(lasting(10 * day), std::nullopt), 33 * day / 10);
  ck_assert_int_eq(renew_window_of(lasting(90 * day), Seconds(30 * day)), 30 * day);
  ck_assert_int_eq(renew_window_of(lasting(90 * day), 50), 45 * day);
  ck_assert_int_eq(renew_window_of(lasting(90 * day), 0), 0);
  // Nobody renews without end.
  ck_assert_int_eq(renew_window_of(lasting(6 * day), Seconds(30 * day)), 3 * day);
  ck_assert_int_eq(renew_window_of(lasting(90 * day), 100), 81 * day);
  ck_assert_int_eq(warn_window_of(lasting(90 * day), std::nullopt), 14 * day);
  ck_assert_int_eq(warn_window_of(lasting(6 * day), std::nullopt), 36 * hour);
  ck_assert_int_eq(warn_window_of(lasting(90 * day), Seconds(7 * day)), 7 * day);
  ck_assert_int_eq(warn_window_of(lasting(90 * day), 10), 9 * day);
}
END_TEST

START_TEST(what_is_not_there_is_ordered_at_once) {
  Situation s;
  ck_assert_int_eq(plan(s, epoch).renew_at, epoch);
  ck_assert(plan(s, epoch).cause == Cause::first);
  s.automatic = false;
  ck_assert_int_eq(plan(s, epoch).next(), never);
  s.forced = true;
  ck_assert_int_eq(plan(s, epoch).renew_at, epoch);
  ck_assert(plan(s, epoch).cause == Cause::forced);
  Situation with = served(90 * day);
  ck_assert(plan(with, epoch).cause == Cause::window);
  with.changed = true;
  ck_assert_int_eq(plan(with, epoch).renew_at, epoch);
  ck_assert(plan(with, epoch).cause == Cause::changed);
}
END_TEST

START_TEST(renewal_falls_into_the_first_tenth_of_its_window) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day, 160 * hour, 5 * minute}) {
    for (int i = 0; i < 200; ++i) {
      Situation s = served(lifetime, "host" + std::to_string(i) + ".example");
      std::int64_t window = renew_window_of(*s.live, std::nullopt);
      UnixSeconds begin = s.live->not_after - window;
      UnixSeconds at = plan(s, epoch).renew_at;
      ck_assert_int_ge(at, begin);
      ck_assert_int_le(at, begin + window / 10);
    }
  }
}
END_TEST

START_TEST(years_pass_without_a_gap) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day, 160 * hour}) {
    Simulation sim{served(lifetime), lifetime};
    UnixSeconds last = epoch;
    sim.run(epoch, epoch + 5 * 365 * day);
    ck_assert_uint_gt(sim.renewals.size(), 0);
    ck_assert_uint_eq(sim.attempts.size(), sim.renewals.size());
    std::int64_t window = renew_window_of(lasting(lifetime), std::nullopt);
    for (UnixSeconds at : sim.renewals) {
      ck_assert_int_ge(at - last, lifetime - window);
      ck_assert_int_le(at - last, lifetime - window + window / 10);
      last = at;
    }
  }
}
END_TEST

START_TEST(ten_thousand_domains_do_not_renew_at_once) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day}) {
    std::map<std::int64_t, int> by_hour;
    std::int64_t window = renew_window_of(lasting(lifetime), std::nullopt);
    for (int i = 0; i < 10000; ++i) {
      Situation s = served(lifetime, "host" + std::to_string(i) + ".example");
      UnixSeconds at = plan(s, epoch).renew_at;
      ck_assert_int_eq(at, plan(s, epoch + day).renew_at);  // whenever it is asked
      ++by_hour[at / hour];
    }
    // Even would be 10,000 over a tenth of the window; no hour has twice as many.
    std::int64_t hours = window / 10 / hour;
    ck_assert_int_ge(hours, 7);
    for (auto [which, count] : by_hour) {
      ck_assert_msg(count <= 2 * 10000 / hours, "%d in an hour, of %ld hours", count,
                    static_cast<long>(hours));
    }
  }
}
END_TEST

START_TEST(back_off_doubles_and_is_capped) {
  for (int i = 0; i < 100; ++i) {
    std::uint64_t seed = seed_of("host" + std::to_string(i));
    std::int64_t middle = 30;
    for (std::uint32_t errors = 1; errors <= 11; ++errors, middle *= 2) {
      std::int64_t delay = backoff_delay(errors, seed);
      ck_assert_int_ge(delay, middle / 2);
      ck_assert_int_le(delay, middle + middle / 2);
    }
    for (std::uint32_t errors : {20U, 31U, 32U, 33U, 63U, 64U, 65U, 10000U, 0xffffffffU}) {
      ck_assert_int_ge(backoff_delay(errors, seed), 8 * hour);
      ck_assert_int_le(backoff_delay(errors, seed), day);
    }
  }
  ck_assert_int_eq(backoff_delay(0, 1), 0);
}
END_TEST

START_TEST(ten_thousand_failures_neither_overflow_nor_storm) {
  Simulation sim{served(90 * day), 90 * day, [](UnixSeconds) { return false; }};
  sim.s.live.reset();
  UnixSeconds now = epoch;
  UnixSeconds before = 0;
  while (sim.attempts.size() < 10000) {
    sim.step(now);
    ck_assert_int_eq(sim.attempts.back(), now);
    if (sim.attempts.size() > 20) ck_assert_int_ge(now - before, 8 * hour);
    before = now;
    now = plan(sim.s, now).next();
  }
  ck_assert_uint_eq(sim.s.failure.in_row, 10000);
  sim.s.failure.in_row = 0xffffffffU;
  ck_assert_int_le(retry_delay(sim.s), day);
}
END_TEST

START_TEST(a_ca_that_is_down_for_forty_days_is_no_storm) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day}) {
    for (int i = 0; i < 20; ++i) {
      Simulation sim{served(lifetime, "host" + std::to_string(i)), lifetime};
      UnixSeconds down = plan(sim.s, epoch).renew_at - 1;
      UnixSeconds back = down + 40 * day;
      sim.up = [=](UnixSeconds at) { return at < down || at >= back; };
      sim.run(epoch, back + 3 * day);
      ck_assert_uint_eq(sim.renewals.size(), 1);
      ck_assert_msg(sim.attempts.size() < 200, "%zu attempts", sim.attempts.size());
      // Never two within seconds, and no hour with more than a handful after the first ones.
      for (UnixSeconds at = down + hour; at < back; at += hour) {
        ck_assert_uint_le(count_between(sim.attempts, at, at + hour), 6);
      }
      ck_assert_int_le(sim.renewals.front() - back, day);
    }
  }
}
END_TEST

// From a failure on, however late it was: several tries before the end.
START_TEST(retries_come_sooner_as_expiry_nears) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day}) {
    Simulation sim{served(lifetime), lifetime, [](UnixSeconds) { return false; }};
    UnixSeconds end = sim.s.live->not_after;
    sim.s.failure = {.in_row = 500, .last_at = end - 2 * day};
    sim.run(end - 2 * day, end);
    ck_assert_uint_ge(count_between(sim.attempts, end - 2 * day, end), 10);
    ck_assert_uint_ge(count_between(sim.attempts, end - 6 * hour, end), 6);
    // And slower again when it has long expired.
    sim.run(end, end + 60 * day);
    ck_assert_uint_le(count_between(sim.attempts, end + 30 * day, end + 60 * day), 90);
  }
}
END_TEST

START_TEST(what_the_other_side_asks_for_is_waited) {
  Situation s = served(90 * day);
  s.live->not_after = epoch + hour;  // near expiry, which would hurry us
  s.failure = {.in_row = 1, .last_at = epoch, .blame = Blame::limits, .retry_after = 7200};
  ck_assert_int_ge(plan(s, epoch).renew_at, epoch + 7200);
  ck_assert_int_le(plan(s, epoch).renew_at, epoch + 7200 * 11 / 10);
  s.failure.retry_after = 1000000000000;
  ck_assert_int_le(plan(s, epoch).renew_at, epoch + 8 * day);
  // A short one is no licence to storm.
  s.failure = {.in_row = 8, .last_at = epoch, .retry_after = 1};
  s.live.reset();
  ck_assert_int_ge(plan(s, epoch).renew_at, epoch + 30 * 64);
  s.failure.retry_after = -5;
  ck_assert_int_ge(plan(s, epoch).renew_at, epoch + 30 * 64);
}
END_TEST

START_TEST(what_cannot_change_by_itself_is_tried_daily) {
  Situation s;
  s.failure = {.in_row = 1, .last_at = epoch, .for_good = true};
  ck_assert_int_ge(plan(s, epoch).renew_at, epoch + 16 * hour);
  ck_assert_int_le(plan(s, epoch).renew_at, epoch + day);
  // What is ours to mend is looked at every hour.
  for (Blame blame : {Blame::preflight, Blame::ours, Blame::action}) {
    s.failure = {.in_row = 1000, .last_at = epoch, .blame = blame};
    ck_assert_int_le(plan(s, epoch).renew_at, epoch + hour);
    ck_assert_int_ge(plan(s, epoch).renew_at, epoch + 20 * minute);
  }
  s.failure = {.in_row = 3, .last_at = epoch, .blame = Blame::terms};
  ck_assert_int_eq(plan(s, epoch).renew_at, epoch + day);
}
END_TEST

START_TEST(a_veto_holds_for_an_hour_and_not_in_the_warn_window) {
  Situation s;
  s.vetoed_at = epoch;
  ck_assert_int_eq(plan(s, epoch).renew_at, epoch + hour);
  s = served(90 * day);
  UnixSeconds due = plan(s, epoch).renew_at;
  s.vetoed_at = due;
  ck_assert_int_eq(plan(s, due).renew_at, due + hour);
  UnixSeconds warn = s.live->not_after - 14 * day;
  s.vetoed_at = warn - 60;
  ck_assert_int_eq(plan(s, warn - 60).renew_at, warn);
  ck_assert_int_le(plan(s, warn).renew_at, warn);
}
END_TEST

START_TEST(a_clock_that_jumps_delays_nothing) {
  // Written down under a clock that was ten years ahead.
  Situation s;
  UnixSeconds ahead = epoch + 10 * 365 * day;
  s.failure = {.in_row = 1000, .last_at = ahead, .retry_after = day};
  ck_assert_int_eq(plan(s, epoch).renew_at, epoch);
  Situation with = served(90 * day);
  with.ask_ari = true;
  with.ari = {.start = epoch + day,
              .end = epoch + 2 * day,
              .draw = epoch + day,
              .asked_at = ahead,
              .wait = day};
  ck_assert_int_eq(plan(with, epoch).ask_ari_at, epoch);
  with.by_ari_at = ahead;
  ck_assert_int_eq(plan(with, epoch).renew_at, epoch + day);
  with.warned_at = ahead;
  ck_assert_int_eq(plan(with, epoch).warn_at, with.live->not_after - 14 * day);

  // A simulated year in which the clock is wrong for a while, both ways.
  for (std::int64_t jump : {-10 * 365 * day, 10 * 365 * day}) {
    Simulation sim{served(90 * day), 90 * day};
    sim.run(epoch, epoch + 20 * day);
    // The CA's clock is right: what it issues is not valid at the wrong time, so attempts fail.
    sim.up = [](UnixSeconds) { return false; };
    sim.run(epoch + 20 * day + jump, epoch + 21 * day + jump);
    ck_assert_uint_le(sim.attempts.size(), 20);
    sim.up = [](UnixSeconds) { return true; };
    UnixSeconds resumed = epoch + 21 * day;
    ck_assert_int_ge(plan(sim.s, resumed).next(), resumed);
    sim.run(resumed, epoch + 365 * day);
    ck_assert_uint_ge(sim.renewals.size(), 5);
    ck_assert_uint_le(sim.renewals.size(), 7);
    ck_assert_int_le(sim.renewals.front(), epoch + 90 * day);
  }
}
END_TEST

START_TEST(dates_beyond_reason_do_not_overflow) {
  for (Validity odd : {Validity{never, never}, Validity{0, never}, Validity{-never, never},
                       Validity{-never, -never}, Validity{epoch, epoch - day}, Validity{0, 0}}) {
    Situation s;
    s.live = odd;
    s.ask_ari = true;
    for (std::uint32_t errors : {0U, 1U, 1000U}) {
      s.failure.in_row = errors;
      s.failure.last_at = epoch;
      Plan p = plan(s, epoch);
      ck_assert_int_ge(p.next(), -never);
    }
  }
}
END_TEST

Situation with_window(UnixSeconds start, UnixSeconds end, std::uint64_t random = 0) {
  Situation s = served(90 * day);
  s.ask_ari = true;
  take_window(s.ari, {.start = start, .end = end}, epoch, random);
  return s;
}

START_TEST(the_draw_is_even_and_kept) {
  std::vector<int> tenths(10);
  for (std::uint64_t i = 0; i < 10000; ++i) {
    Situation s = with_window(epoch + day, epoch + day + 999, mixed(1, i));
    ck_assert_int_ge(s.ari.draw, epoch + day);
    ck_assert_int_le(s.ari.draw, epoch + day + 999);
    ++tenths.at(static_cast<std::size_t>((s.ari.draw - epoch - day) / 100));
  }
  for (int count : tenths) {
    ck_assert_int_ge(count, 900);
    ck_assert_int_le(count, 1100);
  }
  Situation s = with_window(epoch + day, epoch + 2 * day, 12345);
  UnixSeconds drawn = s.ari.draw;
  ck_assert_int_eq(drawn, epoch + day + 12345);
  take_window(s.ari, {.start = epoch + day, .end = epoch + 2 * day}, epoch + 100, 777);
  ck_assert_int_eq(s.ari.draw, drawn);
  take_window(s.ari, {.start = epoch + day, .end = epoch + 2 * day + 1}, epoch + 200, 777);
  ck_assert_int_eq(s.ari.draw, epoch + day + 777);
}
END_TEST

START_TEST(windows_in_the_past_mean_now_and_empty_ones_nothing) {
  Situation past = with_window(epoch - 2 * day, epoch - day);
  ck_assert_int_le(plan(past, epoch).renew_at, epoch);
  ck_assert(plan(past, epoch).cause == Cause::ari);
  for (UnixSeconds end : {epoch - 2 * day, epoch - 3 * day}) {
    Situation empty = with_window(epoch - 2 * day, end);
    ck_assert(plan(empty, epoch).cause == Cause::window);
    ck_assert_int_eq(empty.ari.asked_at, epoch);
  }
  Situation huge = with_window(-never - 1, never, 0xffffffffffffffffU);
  ck_assert_int_le(huge.ari.draw, never);
  Situation off = with_window(epoch - 2 * day, epoch - day);
  off.ask_ari = false;
  ck_assert(plan(off, epoch).cause == Cause::window);
}
END_TEST

START_TEST(never_later_than_without_ari) {
  Situation without = served(90 * day);
  Situation late = with_window(epoch + 85 * day, epoch + 89 * day);
  ck_assert_int_eq(plan(late, epoch).renew_at, plan(without, epoch).renew_at);
  ck_assert(plan(late, epoch).cause == Cause::window);
}
END_TEST

START_TEST(the_ca_is_asked_as_often_as_it_says) {
  Situation s = served(90 * day);
  s.ask_ari = true;
  ck_assert_int_eq(plan(s, epoch).ask_ari_at, epoch);  // right after issuance
  acme::RenewalInfo info{.start = epoch + 60 * day, .end = epoch + 62 * day};
  struct {
    std::optional<std::int64_t> retry_after;
    std::int64_t wait;
  } cases[] = {{std::nullopt, 6 * hour}, {0, minute}, {-7, minute}, {59, minute}, {3600, hour},
               {day + 1, day},           {never, day}};
  for (const auto& c : cases) {
    info.retry_after = c.retry_after;
    take_window(s.ari, info, epoch, 0);
    ck_assert_int_eq(plan(s, epoch).ask_ari_at, epoch + c.wait);
  }
  // Not after expiry, and not for what is no longer live.
  ck_assert_int_eq(plan(s, s.live->not_after).ask_ari_at, never);
  ck_assert_int_eq(plan(s, s.live->not_after + day).ask_ari_at, never);
  Situation gone = s;
  gone.live.reset();
  ck_assert_int_eq(plan(gone, epoch).ask_ari_at, never);
  // Errors back off, up to six hours, and forget nothing.
  for (int i = 0; i < 1000; ++i) {
    take_failure(s.ari, Error{"down"}, epoch, s.seed);
    ck_assert_int_le(s.ari.wait, 6 * hour);
    if (i == 0) ck_assert_int_le(s.ari.wait, 90);
  }
  ck_assert_int_eq(s.ari.draw, info.start);
  take_failure(s.ari, Error{"slow down", Next::wait, std::chrono::seconds(7200)}, epoch, s.seed);
  ck_assert_int_eq(s.ari.wait, 7200);
}
END_TEST

START_TEST(years_with_ari) {
  for (std::int64_t lifetime : {90 * day, 47 * day, 6 * day}) {
    Simulation sim{served(lifetime), lifetime};
    sim.s.ask_ari = true;
    // Earlier than our own window would be.
    sim.ari = [&](const Validity& v) {
      return acme::RenewalInfo{.start = v.not_before + lifetime * 45 / 100,
                               .end = v.not_before + lifetime * 48 / 100};
    };
    sim.run(epoch, epoch + 2 * 365 * day);
    UnixSeconds last = epoch;
    for (UnixSeconds at : sim.renewals) {
      ck_assert_int_ge(at - last, lifetime * 45 / 100);
      ck_assert_int_le(at - last, lifetime * 48 / 100 + 1);
      last = at;
    }
    ck_assert_uint_gt(sim.renewals.size(), 10);
    // Four questions a day.
    ck_assert_uint_le(sim.questions.size(), 2 * 365 * 4 + 2 * sim.renewals.size());
  }
}
END_TEST

START_TEST(a_ca_that_always_suggests_the_past_does_not_have_us_order_without_end) {
  for (std::int64_t lifetime : {90 * day, 6 * day}) {
    Simulation sim{served(lifetime), lifetime};
    sim.s.ask_ari = true;
    sim.ari = [](const Validity& v) {
      return acme::RenewalInfo{.start = v.not_before - 2 * day, .end = v.not_before - day};
    };
    sim.run(epoch, epoch + 10 * day);
    ck_assert_int_le(sim.renewals.front(), epoch + 1);  // the first time it is heeded at once
    ck_assert_uint_le(sim.renewals.size(), 41);
    ck_assert_uint_ge(sim.renewals.size(), 15);
  }
}
END_TEST

START_TEST(warnings_come_once_a_day_in_the_warn_window) {
  Simulation sim{served(90 * day), 90 * day, [](UnixSeconds) { return false; }};
  UnixSeconds end = sim.s.live->not_after;
  std::set<UnixSeconds> warnings;
  UnixSeconds now = epoch;
  while (now < end) {
    sim.step(now);
    if (sim.s.warned_at > 0) warnings.insert(sim.s.warned_at);
    now = std::max(now + 1, plan(sim.s, now).next());
  }
  ck_assert_int_eq(*warnings.begin(), end - 14 * day);
  ck_assert_uint_eq(warnings.size(), 14);
}
END_TEST

START_TEST(seeds_differ) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 10000; ++i) seeds.insert(seed_of("host" + std::to_string(i)));
  ck_assert_uint_eq(seeds.size(), 10000);
  ck_assert_int_eq(spread(1, 1, 0), 0);
  ck_assert_int_eq(spread(1, 1, -5), 0);
  ck_assert_int_eq(spread(1, 1, 1), 0);
}
END_TEST

}  // namespace

Suite* schedule_suite() {
  Suite* suite = suite_create("schedule");
  TCase* tests = tcase_create("schedule");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, windows_are_as_the_contract_says);
  tcase_add_test(tests, what_is_not_there_is_ordered_at_once);
  tcase_add_test(tests, renewal_falls_into_the_first_tenth_of_its_window);
  tcase_add_test(tests, years_pass_without_a_gap);
  tcase_add_test(tests, ten_thousand_domains_do_not_renew_at_once);
  tcase_add_test(tests, back_off_doubles_and_is_capped);
  tcase_add_test(tests, ten_thousand_failures_neither_overflow_nor_storm);
  tcase_add_test(tests, a_ca_that_is_down_for_forty_days_is_no_storm);
  tcase_add_test(tests, retries_come_sooner_as_expiry_nears);
  tcase_add_test(tests, what_the_other_side_asks_for_is_waited);
  tcase_add_test(tests, what_cannot_change_by_itself_is_tried_daily);
  tcase_add_test(tests, a_veto_holds_for_an_hour_and_not_in_the_warn_window);
  tcase_add_test(tests, a_clock_that_jumps_delays_nothing);
  tcase_add_test(tests, dates_beyond_reason_do_not_overflow);
  tcase_add_test(tests, the_draw_is_even_and_kept);
  tcase_add_test(tests, windows_in_the_past_mean_now_and_empty_ones_nothing);
  tcase_add_test(tests, never_later_than_without_ari);
  tcase_add_test(tests, the_ca_is_asked_as_often_as_it_says);
  tcase_add_test(tests, years_with_ari);
  tcase_add_test(tests, a_ca_that_always_suggests_the_past_does_not_have_us_order_without_end);
  tcase_add_test(tests, warnings_come_once_a_day_in_the_warn_window);
  tcase_add_test(tests, seeds_differ);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
