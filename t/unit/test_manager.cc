// SPDX-License-Identifier: Apache-2.0
// The agent's work as a whole, in simulated time: issued, renewed, one and many.
#include "expect.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

constexpr std::int64_t hour = 3600;

DomainSettings internal_settings() {
  DomainSettings s;
  s.cas = {{"internal", ""}};
  return s;
}

START_TEST(a_new_domain_is_live_at_once) {
  RenewalBench bench;
  bench.add({"a.example", "www.a.example"});
  bench.start();
  bench.work();
  auto version = bench.live_version("a.example");
  ck_assert_uint_eq(version.number, 1);
  ck_assert_uint_eq(version.pairs.size(), 1);
  expect_text(version.meta.ca, "pretended");
  auto view = bench.live.of("a.example");
  ck_assert_uint_gt(view.generation, 0);
  ck_assert(view.phase == Phase::waiting);
  ck_assert_uint_eq(view.errors, 0);
  ck_assert_int_gt(view.next_run, bench.now);
  ck_assert(!bench.has_order("a.example"));
  ck_assert_int_eq(bench.ca.count("new-order"), 1);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  // Within a moment: nothing waited for minutes.
  ck_assert_int_le(bench.now - test_now, 5);
  for (Event event : {Event::renewing, Event::renewed, Event::activated}) {
    ck_assert_int_eq(bench.events.count(event), 1);
  }
  ck_assert_int_eq(bench.events.count(Event::failed), 0);
}
END_TEST

START_TEST(the_internal_ca_needs_nobody) {
  RenewalBench bench;
  bench.add({"a.example", "*.a.example", "192.0.2.1"}, internal_settings());
  bench.start();
  bench.work();
  auto version = bench.live_version("a.example");
  expect_text(version.meta.ca, "internal");
  ck_assert_int_eq(bench.ca.requests, 0);
  ck_assert_int_eq(bench.now, test_now);
  // It is renewed when half of its seven days are over.
  bench.run_for(30 * one_day);
  ck_assert_int_ge(bench.live_version("a.example").number, 8);
  ck_assert_int_le(bench.live_version("a.example").number, 10);
  expect_contains(bench.ask(R"({"command":"ca root"})")["result"]["pem"].get<std::string>(),
                  "BEGIN CERTIFICATE");
}
END_TEST

START_TEST(a_year_of_renewals) {
  struct {
    std::int64_t days;
    int least, most;
  } cases[] = {{90, 5, 7}, {47, 10, 13}, {6, 115, 125}};
  for (const auto& c : cases) {
    RenewalBench bench;
    bench.ca.lifetime = c.days * one_day;
    bench.ca.window = [&](UnixSeconds, UnixSeconds until) {
      return std::pair{until - c.days * one_day / 100, until};  // later than ours
    };
    bench.add({"a.example"});
    bench.start();
    UnixSeconds end = bench.now + 365 * one_day;
    while (bench.now < end) {
      bench.run_for(one_day);
      auto live = bench.job("a.example").live;
      ck_assert_int_gt(live->validity.not_after, bench.now);
    }
    ck_assert_int_ge(bench.ca.count("certificates"), c.least);
    ck_assert_int_le(bench.ca.count("certificates"), c.most);
    ck_assert_int_eq(bench.ca.count("accounts"), 1);
    ck_assert_int_le(static_cast<int>(bench.versions("a.example")), 5);
    ck_assert_int_eq(bench.events.count(Event::expiring), 0);
  }
}
END_TEST

START_TEST(all_key_types_are_ordered_and_activated_together) {
  RenewalBench bench;
  bench.ca.polls_until_valid = 2;
  auto settings = bench.settings();
  settings.key_types = {crypto::KeyType::p256, crypto::KeyType::rsa2048};
  bench.add({"a.example"}, settings);
  int published = 0;
  bench.live.watch = [&](const std::string&, const DomainView& view) {
    published += view.generation > 0 ? 1 : 0;
    if (view.generation > 0) ck_assert_int_eq(bench.ca.count("certificates"), 2);
  };
  bench.start();
  bench.work();
  auto version = bench.live_version("a.example");
  ck_assert_uint_eq(version.number, 1);
  ck_assert_uint_eq(version.pairs.size(), 2);
  ck_assert(version.pairs[0].type == crypto::KeyType::p256);
  ck_assert(version.pairs[1].type == crypto::KeyType::rsa2048);
  ck_assert_int_gt(published, 0);
}
END_TEST

START_TEST(ari_is_followed_and_says_what_it_replaces) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  ck_assert_int_eq(bench.ca.count("renewal-info"), 1);  // right after issuance
  std::string id = bench.job("a.example").live->renewal_ids.at(0);
  bench.ca.window = [&](UnixSeconds from, UnixSeconds) {
    return std::pair{from - 2 * one_day, from - one_day};  // it was revoked: now
  };
  bench.run_for(7 * hour);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  json orders = bench.ca.state()["orders"];
  expect_text(orders["2"]["replaces"].get<std::string>(), id);
  // A CA that stays with it is followed at a measured pace.
  bench.run_for(10 * one_day);
  ck_assert_int_le(bench.ca.count("certificates"), 50);
}
END_TEST

START_TEST(a_draw_is_kept_over_restarts) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  UnixSeconds draw = bench.job("a.example").ari.draw;
  ck_assert_int_gt(draw, bench.now);
  for (int i = 0; i < 3; ++i) {
    bench.start();
    bench.run_for(7 * hour);
    ck_assert_int_eq(bench.job("a.example").ari.draw, draw);
  }
  ck_assert_int_eq(bench.ca.count("renewal-info"), 4);
}
END_TEST

START_TEST(without_ari_nobody_asks_for_it) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.ari = false;
  bench.add({"a.example"}, settings);
  bench.start();
  bench.run_for(100 * one_day);
  ck_assert_int_eq(bench.ca.count("renewal-info"), 0);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  expect_text(bench.ca.state()["orders"]["2"]["replaces"].get<std::string>(), "");
}
END_TEST

struct Refusal {
  int status;
  const char* problem;
  bool again;  // without "replaces"
};
const std::array<Refusal, 6> refusals{{{409, "alreadyReplaced", true},
                                       {404, "malformed", true},
                                       {403, "unauthorized", true},
                                       {500, "serverInternal", true},
                                       {429, "rateLimited", false},
                                       {403, "userActionRequired", false}}};

START_TEST(what_may_not_be_replaced_is_ordered_without_saying_so) {
  const Refusal& refusal = refusals[static_cast<std::size_t>(_i)];
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  int refused = 0;
  bench.ca.fault = [&](const std::string& path,
                       const json& payload) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order" || !payload.contains("replaces")) return std::nullopt;
    ++refused;
    return Result<net::HttpResponse>(
        PretendCa::problem(refusal.status, refusal.problem, "because"));
  };
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"] == true);
  bench.work();
  ck_assert_int_eq(refused, 1);
  ck_assert_int_eq(bench.ca.count("certificates"), refusal.again ? 2 : 1);
  ck_assert_uint_eq(bench.live_version("a.example").number, refusal.again ? 2 : 1);
  ck_assert_uint_eq(bench.live.of("a.example").errors, refusal.again ? 0 : 1);
}
END_TEST

START_TEST(hundreds_at_once) {
  RenewalBench bench;
  bench.ca.polls_until_valid = 1;
  for (int i = 0; i < 200; ++i) bench.add({"host" + std::to_string(i) + ".example"});
  bench.start();
  bench.work();
  for (int i = 0; i < 200; ++i) bench.live_version("host" + std::to_string(i) + ".example");
  ck_assert_int_eq(bench.ca.count("new-order"), 200);
  ck_assert_int_eq(bench.ca.count("accounts"), 1);
  // With an account once; for ARI by all threads that come first.
  ck_assert_int_le(bench.ca.count("directory"), 1 + static_cast<int>(bench.threads));
}
END_TEST

START_TEST(what_is_served_already_is_looked_at_bit_by_bit) {
  RenewalBench bench;
  auto settings = internal_settings();
  for (int i = 0; i < 300; ++i) bench.add({"host" + std::to_string(i) + ".example"}, settings);
  bench.start();
  bench.work();
  bench.add({"new.example"}, settings);
  std::mutex mutex;
  std::set<std::string> seen;
  bench.live.watch = [&](const std::string& identity, const DomainView&) {
    std::lock_guard lock(mutex);
    seen.insert(identity);
  };
  bench.start();
  bench.work();
  ck_assert(seen.contains("new.example"));
  ck_assert_uint_eq(seen.size(), 129);
  bench.run_for(3);
  ck_assert_uint_eq(seen.size(), 301);
  ck_assert_uint_eq(bench.versions("host299.example"), 1);
}
END_TEST

START_TEST(ten_thousand_domains_that_are_fine_cost_little) {
  RenewalBench bench;
  auto settings = internal_settings();
  for (int i = 0; i < 10000; ++i) {
    bench.add({"host" + std::to_string(i) + ".example"}, settings);
  }
  // Held, with a state: what an agent finds after a restart.
  for (const DomainSpec& domain : bench.spec.domains) {
    JobState state;
    state.identity = domain.identity;
    state.hold = true;
    std::string path = bench.store_path() + "/agent/domains/" + domain.identity;
    std::filesystem::create_directories(path);
    write_file(path + "/job.json", to_json(state));
  }
  bench.start();
  bench.work();
  ck_assert_uint_eq(bench.manager().status().size(), 10000);
  ck_assert(bench.live.of("host9999.example").phase == Phase::held);
  std::clock_t before = std::clock();
  for (int i = 0; i < 1440; ++i) {  // a day
    bench.now += 60;
    bench.manager().tick();
  }
  double spent = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  ck_assert_msg(spent < 8.6, "a day of ticks took %g s", spent);  // 0.01 % of a core
}
END_TEST

}  // namespace

Suite* manager_suite() {
  Suite* suite = suite_create("manager");
  TCase* tests = tcase_create("manager");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, a_new_domain_is_live_at_once);
  tcase_add_test(tests, the_internal_ca_needs_nobody);
  tcase_add_test(tests, a_year_of_renewals);
  tcase_add_test(tests, all_key_types_are_ordered_and_activated_together);
  tcase_add_test(tests, ari_is_followed_and_says_what_it_replaces);
  tcase_add_test(tests, a_draw_is_kept_over_restarts);
  tcase_add_test(tests, without_ari_nobody_asks_for_it);
  tcase_add_loop_test(tests, what_may_not_be_replaced_is_ordered_without_saying_so, 0,
                      static_cast<int>(refusals.size()));
  tcase_add_test(tests, hundreds_at_once);
  tcase_add_test(tests, what_is_served_already_is_looked_at_bit_by_bit);
  tcase_add_test(tests, ten_thousand_domains_that_are_fine_cost_little);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
