// SPDX-License-Identifier: Apache-2.0
// CAs that refuse, fail, or are not there, in simulated time.
#include "expect.h"

#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;

START_TEST(failures_back_off_and_are_kept_over_restarts) {
  RenewalBench bench;
  bench.ca.refuses_name = "a.example";
  bench.add({"a.example"});
  bench.start();
  bench.work();
  auto view = bench.live.of("a.example");
  ck_assert(view.phase == Phase::ca_error);
  ck_assert_uint_eq(view.errors, 1);
  expect_contains(bench.job("a.example").failure_text, "the answer was wrong");
  ck_assert(!bench.has_order("a.example"));
  ck_assert_int_eq(bench.events.count(Event::failed), 1);
  bench.run_for(2 * hour);
  std::uint32_t errors = bench.live.of("a.example").errors;
  ck_assert_uint_ge(errors, 6);
  ck_assert_uint_le(errors, 10);
  int orders = bench.ca.count("new-order");
  for (int i = 0; i < 20; ++i) {
    bench.start();
    bench.work();
  }
  ck_assert_int_eq(bench.ca.count("new-order"), orders);
  ck_assert_uint_eq(bench.live.of("a.example").errors, errors);
  // Mended: the next attempt succeeds, and all is forgotten.
  bench.ca.refuses_name.clear();
  bench.run_for(3 * hour);
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
  ck_assert_int_eq(bench.events.count(Event::recovered), 1);
  bench.live_version("a.example");
}
END_TEST

START_TEST(other_settings_are_tried_at_once) {
  RenewalBench bench;
  bench.ca.wants_external_account = true;
  bench.add({"a.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_uint_eq(bench.live.of("a.example").errors, 1);  // the same would fail the same way
  expect_contains(bench.job("a.example").failure_text, "external account");
  auto settings = bench.settings();
  settings.external_accounts = {{"pretended", "kid-1", "c2VjcmV0LWtleS1vZi1hLWdvb2QtbGVuZ3RoIQ"}};
  bench.spec.domains.clear();
  bench.add({"a.example"}, settings);
  bench.start();
  bench.work();
  bench.live_version("a.example");
  ck_assert(bench.ca.state()["last_account"].contains("externalAccountBinding"));
}
END_TEST

START_TEST(nothing_is_sent_without_agreement) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.agreement = false;
  bench.add({"a.example"}, settings);
  bench.start();
  bench.run_for(10 * one_day);
  ck_assert_int_eq(bench.ca.requests, 0);
  ck_assert(bench.live.of("a.example").phase == Phase::terms_not_agreed);
  expect_contains(bench.job("a.example").reason, "TLSGuardAgreement accepted");
  ck_assert_int_eq(bench.events.count(Event::action_needed), 1);
  // The internal CA has no terms.
  bench.spec.domains.clear();
  settings.cas.push_back({"internal", ""});
  bench.add({"a.example"}, settings);
  bench.start();
  bench.work();
  expect_text(bench.live_version("a.example").meta.ca, "internal");
}
END_TEST

START_TEST(the_next_ca_comes_after_five_failures) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  bench.add({"a.example"}, settings);
  bench.ca.fault = [](const std::string& path,
                      const json&) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order") return std::nullopt;
    return Result<net::HttpResponse>(PretendCa::problem(500, "serverInternal", "because"));
  };
  bench.start();
  bench.run_for(one_day);
  ck_assert_int_eq(bench.ca.count("new-order"), 5);
  expect_text(bench.live_version("a.example").meta.ca, "second");
  // Back to the first at the next renewal.
  bench.ca.fault = nullptr;
  bench.run_for(70 * one_day);
  expect_text(bench.live_version("a.example").meta.ca, "pretended");
  ck_assert_int_eq(bench.second_ca.count("certificates"), 1);
}
END_TEST

START_TEST(what_a_ca_refuses_for_good_goes_to_the_next_one) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  bench.add({"a.example"}, settings);
  bench.ca.fault = [](const std::string& path,
                      const json&) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order") return std::nullopt;
    return Result<net::HttpResponse>(PretendCa::problem(400, "rejectedIdentifier", "because"));
  };
  bench.start();
  bench.run_for(one_day);
  ck_assert_int_eq(bench.ca.count("new-order"), 1);
  expect_text(bench.live_version("a.example").meta.ca, "second");
}
END_TEST

START_TEST(profiles_are_sent_where_the_ca_has_them) {
  RenewalBench bench;
  auto settings = bench.settings();
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  settings.profile = "shortlived";
  bench.second_ca.profiles = {"classic", "shortlived"};
  bench.add({"a.example"}, settings);
  settings.profile_required = true;
  bench.add({"b.example"}, settings);
  settings.cas.pop_back();
  bench.add({"c.example"}, settings);
  bench.start();
  bench.work();
  expect_text(bench.live_version("a.example").meta.ca, "pretended");
  expect_text(bench.live_version("a.example").meta.profile, "");
  expect_text(bench.live_version("b.example").meta.ca, "second");
  expect_text(bench.live_version("b.example").meta.profile, "shortlived");
  ck_assert(bench.live.of("c.example").phase == Phase::action_needed);
  expect_contains(bench.job("c.example").reason, "has no profile 'shortlived'");
  // On renewals, too.
  bench.run_for(70 * one_day);
  json orders = bench.second_ca.state()["orders"];
  ck_assert_uint_eq(orders.size(), 2);
  expect_text(orders["2"]["profile"].get<std::string>(), "shortlived");
}
END_TEST

START_TEST(a_profile_that_is_refused_is_left_out) {
  RenewalBench bench;
  bench.ca.profiles = {"fancy"};
  auto settings = bench.settings();
  settings.profile = "fancy";
  bench.add({"a.example"}, settings);
  bench.ca.fault = [](const std::string& path,
                      const json& payload) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order" || !payload.contains("profile")) return std::nullopt;
    return Result<net::HttpResponse>(PretendCa::problem(400, "invalidProfile", "because"));
  };
  bench.start();
  bench.work();
  expect_text(bench.live_version("a.example").meta.profile, "");
}
END_TEST

START_TEST(retry_after_is_honoured) {
  RenewalBench bench;
  bench.add({"a.example"});
  int asked = 0;
  bench.ca.fault = [&](const std::string& path,
                       const json&) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order" || ++asked > 1) return std::nullopt;
    auto busy = PretendCa::problem(429, "rateLimited", "later");
    busy.fields.emplace_back("retry-after", "7200");
    return Result<net::HttpResponse>(busy);
  };
  bench.start();
  bench.run_for(7000);
  ck_assert_int_eq(asked, 1);
  ck_assert(bench.live.of("a.example").phase == Phase::postponed);
  bench.run_for(1000);
  ck_assert_int_eq(asked, 2);
  bench.live_version("a.example");
}
END_TEST

START_TEST(a_ca_that_is_down_is_no_storm_and_is_noticed_when_it_is_back) {
  RenewalBench bench;
  constexpr int domains = 300;
  for (int i = 0; i < domains; ++i) bench.add({"host" + std::to_string(i) + ".example"});
  std::atomic<bool> down = true;
  bench.ca.fault = [&](const std::string&,
                       const json&) -> std::optional<Result<net::HttpResponse>> {
    if (!down) return std::nullopt;
    return Result<net::HttpResponse>(tl::unexpected(Error{"connection refused"}));
  };
  bench.start();
  bench.run_for(40 * one_day);
  // A probe every quarter of an hour or so, whatever the number of domains.
  ck_assert_int_le(bench.ca.requests, 40 * 24 * 8 + 50);
  ck_assert_int_ge(bench.ca.requests, 40 * 24);
  ck_assert(bench.live.of("host7.example").phase == Phase::ca_error);
  down = false;
  bench.run_for(20 * minute);
  for (int i = 0; i < domains; ++i) {
    auto view = bench.live.of("host" + std::to_string(i) + ".example");
    ck_assert_msg(view.generation == 1, "host%d: %s", i, bench.log.texts().substr(0, 2000).c_str());
  }
  ck_assert_int_eq(bench.ca.count("new-order"), domains);
  ck_assert_int_eq(bench.ca.count("accounts"), 1);
}
END_TEST

START_TEST(who_asks_for_a_renewal_does_not_wait_for_a_ca_that_was_down) {
  RenewalBench bench;
  bench.add({"a.example"});
  std::atomic<bool> down = true;
  bench.ca.fault = [&](const std::string&,
                       const json&) -> std::optional<Result<net::HttpResponse>> {
    if (!down) return std::nullopt;
    return Result<net::HttpResponse>(tl::unexpected(Error{"connection refused"}));
  };
  bench.start();
  bench.run_for(2 * hour);
  expect_contains(bench.job("a.example").reason, "has not answered since");
  down = false;
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"].get<bool>());
  bench.work();
  bench.live_version("a.example");
}
END_TEST

START_TEST(an_answer_that_is_not_taken_is_no_silence) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.ca.fault = [](const std::string& path,
                      const json&) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order") return std::nullopt;
    Error error{"the answer is larger than 262144 bytes"};
    error.kind = net::unusable_answer;
    return Result<net::HttpResponse>(tl::unexpected(std::move(error)));
  };
  bench.start();
  bench.run_for(2 * minute);
  ck_assert_int_ge(bench.ca.count("accounts"), 1);
  expect_contains(bench.job("a.example").reason, "new order: the answer is larger than");
  ck_assert_msg(!bench.log.has("has not answered"), "%s", bench.log.texts().c_str());
  ck_assert_int_eq(bench.log.count("TG0115"), 0);
}
END_TEST

START_TEST(a_certificate_that_does_not_fit_is_never_served) {
  for (const char* what : {"other name", "other key", "no pem", "key in chain", "expired"}) {
    RenewalBench bench;
    bench.add({"a.example"});
    bench.ca.fault = [&](const std::string& path,
                         const json&) -> std::optional<Result<net::HttpResponse>> {
      if (!path.starts_with("/certificate/")) return std::nullopt;
      Issuer root = make_issuer("Other", nullptr);
      auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
      std::string pem = chain_pem_for({"a.example"}, key.get(), root);
      if (what == std::string("no pem")) pem = "<html>";
      if (what == std::string("key in chain")) {
        pem += value_of(crypto::key_to_pem(key.get())).text();
      }
      return Result<net::HttpResponse>(
          net::HttpResponse{200, {{"content-type", "application/pem-certificate-chain"}}, pem});
    };
    if (what == std::string("other name")) {
      bench.ca.fault = [&](const std::string& path,
                           const json& payload) -> std::optional<Result<net::HttpResponse>> {
        if (path == "/new-order")
          const_cast<json&>(payload)["identifiers"][0]["value"] = "b.example";
        return std::nullopt;
      };
    }
    if (what == std::string("expired")) {
      bench.ca.fault = nullptr;
      bench.ca.lifetime = 10;
    }
    bench.start();
    bench.work();
    ck_assert_msg(bench.live.of("a.example").generation == 0, "%s", what);
    ck_assert_msg(bench.live.of("a.example").errors >= 1, "%s", what);
    ck_assert_int_eq(static_cast<int>(bench.versions("a.example")), 0);
  }
}
END_TEST

START_TEST(what_is_live_goes_on_when_renewal_fails) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  auto generation = bench.live.of("a.example").generation;
  bench.ca.refuses_name = "a.example";
  UnixSeconds end = bench.job("a.example").live->validity.not_after;
  bench.run_until(end + one_day);
  auto view = bench.live.of("a.example");
  ck_assert_uint_eq(view.generation, generation);
  ck_assert_int_eq(view.not_after, end);
  ck_assert_int_ge(bench.events.count(Event::expiring), 13);
  ck_assert_int_le(bench.events.count(Event::expiring), 16);
  // Often enough before the end, and no storm.
  ck_assert_int_ge(static_cast<int>(view.errors), 40);
  ck_assert_int_le(static_cast<int>(view.errors), 120);
}
END_TEST

START_TEST(a_veto_is_heeded_for_an_hour_each_until_it_gets_late) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.events.veto = true;
  UnixSeconds end = bench.job("a.example").live->validity.not_after;
  bench.run_until(end - 15 * one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  ck_assert(bench.live.of("a.example").phase == Phase::vetoed);
  int asked = bench.events.count(Event::renewing);
  ck_assert_int_ge(asked, 10 * 24);
  bench.run_until(end - 13 * one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

}  // namespace

Suite* manager_failures_suite() {
  Suite* suite = suite_create("manager failures");
  TCase* tests = tcase_create("manager failures");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, failures_back_off_and_are_kept_over_restarts);
  tcase_add_test(tests, other_settings_are_tried_at_once);
  tcase_add_test(tests, nothing_is_sent_without_agreement);
  tcase_add_test(tests, the_next_ca_comes_after_five_failures);
  tcase_add_test(tests, what_a_ca_refuses_for_good_goes_to_the_next_one);
  tcase_add_test(tests, profiles_are_sent_where_the_ca_has_them);
  tcase_add_test(tests, a_profile_that_is_refused_is_left_out);
  tcase_add_test(tests, retry_after_is_honoured);
  tcase_add_test(tests, a_ca_that_is_down_is_no_storm_and_is_noticed_when_it_is_back);
  tcase_add_test(tests, who_asks_for_a_renewal_does_not_wait_for_a_ca_that_was_down);
  tcase_add_test(tests, an_answer_that_is_not_taken_is_no_silence);
  tcase_add_test(tests, a_certificate_that_does_not_fit_is_never_served);
  tcase_add_test(tests, what_is_live_goes_on_when_renewal_fails);
  tcase_add_test(tests, a_veto_is_heeded_for_an_hour_each_until_it_gets_late);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
