// SPDX-License-Identifier: Apache-2.0
// What an administrator asks of the agent at work.
#include "expect.h"

#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

START_TEST(hold_resume_and_renew) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  ck_assert(bench.ask(R"({"command":"hold","domain":"A.example"})")["ok"] == true);
  bench.run_for(95 * one_day);  // past its expiry
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  ck_assert(bench.live.of("a.example").phase == Phase::held);
  bench.start();  // it is kept
  bench.run_for(one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  // What is asked for is done even so, once.
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"] == true);
  bench.run_for(one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  ck_assert(bench.live.of("a.example").phase == Phase::held);
  ck_assert(bench.ask(R"({"command":"resume","domain":"a.example"})")["ok"] == true);
  bench.run_for(70 * one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), 3);
}
END_TEST

START_TEST(manual_renewal_waits_for_a_command) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.automatic = false;
  bench.add({"a.example"}, settings);
  bench.start();
  bench.run_for(one_day);
  ck_assert_int_eq(bench.ca.requests, 0);
  ck_assert(bench.live.of("a.example").phase == Phase::manual);
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"] == true);
  bench.work();
  bench.live_version("a.example");
}
END_TEST

START_TEST(a_command_outlives_a_clock_that_jumps_back) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.ari = false;  // with it the domain would be looked at anyway
  bench.add({"a.example"}, settings);
  bench.start();
  bench.work();
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"] == true);
  bench.now -= 60;
  bench.work();
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

START_TEST(rollback_goes_back_and_revoke_goes_on) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  auto refused = bench.ask(R"({"command":"rollback","domain":"a.example"})");
  ck_assert(refused["ok"] == false);
  expect_contains(refused["error"].get<std::string>(), "no older version");
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  ck_assert_uint_eq(bench.live_version("a.example").number, 2);
  auto generation = bench.live.of("a.example").generation;
  ck_assert(bench.ask(R"({"command":"rollback","domain":"a.example"})")["ok"] == true);
  bench.work();
  ck_assert_uint_eq(bench.live_version("a.example").number, 1);
  ck_assert_uint_gt(bench.live.of("a.example").generation, generation);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);

  auto revoked = bench.ask(R"({"command":"revoke","domain":"a.example","reason":"keyCompromise"})");
  ck_assert_msg(revoked["ok"] == true, "%s", revoked.dump().c_str());
  bench.work();
  json seen = bench.ca.state()["revoked"];
  ck_assert_uint_eq(seen.size(), 1);
  ck_assert(seen[0]["reason"] == 1);
  ck_assert_uint_eq(bench.live_version("a.example").number, 3);
  // Not to what was revoked.
  ck_assert(bench.ask(R"({"command":"rollback","domain":"a.example"})")["ok"] == true);
  ck_assert_uint_eq(bench.live_version("a.example").number, 2);
  ck_assert(bench.ask(R"({"command":"rollback","domain":"a.example"})")["ok"] == false);
}
END_TEST

START_TEST(accounts_roll_over) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  json before = bench.ca.state()["accounts"];
  auto shown = bench.ask(R"({"command":"account show"})")["result"]["accounts"];
  ck_assert_uint_eq(shown.size(), 1);
  expect_text(shown[0]["account"].get<std::string>(), "https://ca.example/account/1");
  ck_assert_msg(shown.dump().find("key") == std::string::npos, "%s", shown.dump().c_str());
  auto rolled = bench.ask(R"({"command":"account rollover","ca":"pretended"})");
  ck_assert_msg(rolled["ok"] == true, "%s", rolled.dump().c_str());
  json after = bench.ca.state()["accounts"];
  ck_assert_uint_eq(after.size(), 1);
  ck_assert(after.begin().key() != before.begin().key());
  ck_assert(after.begin().value() == before.begin().value());
  bench.start();
  bench.work();
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

START_TEST(a_roll_over_that_was_cut_off_is_finished) {
  // The CA has not heard of it; it has, and its answer was lost; and we were ended before we knew.
  for (auto [done_at_ca, ended] : {std::pair{false, false}, {true, false}, {true, true}}) {
    RenewalBench bench;
    bench.add({"a.example"});
    bench.start();
    bench.work();
    std::string before = bench.ca.state()["accounts"].begin().key();
    bool cut = false;
    auto cuts = [&, ended = ended](const std::string& path) {
      bool now = ended ? cut || path == "/key-change" : !cut && path == "/key-change";
      cut = cut || now;
      return now;
    };
    if (done_at_ca) {
      bench.ca.loses = cuts;
    } else {
      bench.ca.fault = [&](const std::string& path,
                           const json&) -> std::optional<Result<net::HttpResponse>> {
        if (!cuts(path)) return std::nullopt;
        return Result<net::HttpResponse>(tl::unexpected(Error{"connection reset"}));
      };
    }
    // The new key works, so it has been done.
    bool known = done_at_ca && !ended;
    ck_assert(bench.ask(R"({"command":"account rollover"})")["ok"] == known);
    ck_assert(cut);
    bench.ca.loses = nullptr;
    bench.start();
    bench.work();
    bench.ask(R"({"command":"renew","domain":"a.example"})");
    bench.work();
    ck_assert_int_eq(bench.ca.count("certificates"), 2);
    ck_assert_uint_eq(bench.ca.state()["accounts"].size(), 1);
    ck_assert(bench.ca.state()["accounts"].begin().key() != before);
    ck_assert(bench.ask(R"({"command":"account show"})")["result"]["accounts"][0]["rolling_over"] ==
              false);
  }
}
END_TEST

START_TEST(other_contacts_keep_the_account) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  auto settings = bench.settings();
  settings.contacts = {"new@example.org"};
  bench.spec.domains.clear();
  bench.add({"a.example"}, settings);
  bench.start();
  bench.work();
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  ck_assert_int_eq(bench.ca.count("accounts"), 1);
  auto shown = bench.ask(R"({"command":"account show"})")["result"]["accounts"];
  ck_assert_uint_eq(shown.size(), 1);
  ck_assert(shown[0]["contacts"] == json::array({"new@example.org"}));
}
END_TEST

START_TEST(what_nobody_serves_is_deleted_when_asked) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.add({"b.example"});
  bench.start();
  bench.work();
  bench.spec.domains.clear();
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.live_version("b.example");  // not of itself
  auto reply = bench.ask(R"({"command":"store gc"})");
  ck_assert_msg(reply["result"]["removed"] == json::array({"b.example"}), "%s",
                reply.dump().c_str());
  ck_assert(reply["result"]["kept"] == 1);
  ck_assert_uint_eq(bench.versions("b.example"), 0);
  ck_assert(!bench.manager().workshop().jobs.read_job("b.example")->has_value());
  bench.live_version("a.example");
  ck_assert(bench.ask(R"({"command":"store gc"})")["result"]["removed"] == json::array());
}
END_TEST

START_TEST(a_domain_with_an_order_under_way_is_not_deleted) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.add({"b.example"});
  bench.start();
  bench.work();
  bench.ca.fault = [](const std::string& path,
                      const json&) -> std::optional<Result<net::HttpResponse>> {
    if (path.find("finalize") == std::string::npos) return std::nullopt;
    return Result<net::HttpResponse>(tl::unexpected(Error{"connection reset"}));
  };
  bench.ask(R"({"command":"renew","domain":"b.example"})");
  bench.work();
  ck_assert(bench.has_order("b.example"));
  bench.spec.domains.clear();
  bench.add({"a.example"});
  bench.start();
  bench.work();
  ck_assert(bench.ask(R"({"command":"store gc"})")["result"]["removed"] == json::array());
  ck_assert(bench.has_order("b.example"));
  bench.live_version("b.example");
}
END_TEST

START_TEST(a_change_of_the_store_from_outside_goes_live_when_told) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  auto current = bench.manager().workshop().certificates.activate("a.example", 1);
  ck_assert(current.has_value());
  ck_assert_uint_lt(bench.live.of("a.example").generation, current->generation);
  ck_assert(bench.ask(R"({"command":"look","domain":"a.example"})")["ok"] == true);
  bench.work();
  ck_assert_uint_eq(bench.live.of("a.example").generation, current->generation);
  ck_assert_uint_eq(bench.job("a.example").live->version, 1);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

START_TEST(an_account_of_another_program_is_kept) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  Accounts& accounts = bench.manager().workshop().accounts;
  for (crypto::KeyType type : {crypto::KeyType::rsa2048, crypto::KeyType::p384}) {
    auto key = crypto::generate_key(type);
    AccountId id{"https://other.example/" + std::string(crypto::key_type_name(type)), {}, ""};
    auto imported = accounts.import(id, "https://other.example/account/7", key->get(), bench.now);
    ck_assert(imported.has_value() && *imported);
    imported = accounts.import(id, "https://other.example/account/8", key->get(), bench.now);
    ck_assert(imported.has_value() && !*imported);
  }
  ck_assert_uint_eq(accounts.list().size(), 2);
  for (const AccountSummary& each : accounts.list()) {
    expect_text(each.account_url, "https://other.example/account/7");
  }
}
END_TEST

}  // namespace

Suite* manager_control_suite() {
  Suite* suite = suite_create("manager control");
  TCase* tests = tcase_create("manager control");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, hold_resume_and_renew);
  tcase_add_test(tests, a_command_outlives_a_clock_that_jumps_back);
  tcase_add_test(tests, manual_renewal_waits_for_a_command);
  tcase_add_test(tests, rollback_goes_back_and_revoke_goes_on);
  tcase_add_test(tests, accounts_roll_over);
  tcase_add_test(tests, a_roll_over_that_was_cut_off_is_finished);
  tcase_add_test(tests, other_contacts_keep_the_account);
  tcase_add_test(tests, what_nobody_serves_is_deleted_when_asked);
  tcase_add_test(tests, a_domain_with_an_order_under_way_is_not_deleted);
  tcase_add_test(tests, a_change_of_the_store_from_outside_goes_live_when_told);
  tcase_add_test(tests, an_account_of_another_program_is_kept);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
