// SPDX-License-Identifier: Apache-2.0
// The agent's work as a whole, in simulated time: orders, renewals, failures, reloads.
#include "expect.h"

#include <algorithm>
#include <fstream>

#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;

DomainSettings internal_settings() {
  DomainSettings s;
  s.cas = {{"internal", ""}};
  return s;
}

Result<net::HttpResponse> problem(int status, const std::string& kind,
                                  const std::string& retry_after = {}) {
  net::HttpResponse response{
      status,
      {{"content-type", "application/problem+json"}},
      json{{"type", "urn:ietf:params:acme:error:" + kind}, {"detail", "because"}}.dump()};
  if (!retry_after.empty()) response.fields.emplace_back("retry-after", retry_after);
  return response;
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

START_TEST(already_replaced_is_ordered_without_saying_so) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  int refused = 0;
  bench.ca.fault = [&](const std::string& path,
                       const json& payload) -> std::optional<Result<net::HttpResponse>> {
    if (path != "/new-order" || !payload.contains("replaces")) return std::nullopt;
    ++refused;
    return problem(409, "alreadyReplaced");
  };
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"] == true);
  bench.work();
  ck_assert_int_eq(refused, 1);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  ck_assert_uint_eq(bench.live_version("a.example").number, 2);
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
}
END_TEST

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
    return problem(500, "serverInternal");
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
    return problem(400, "rejectedIdentifier");
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
    return problem(400, "invalidProfile");
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
    return problem(429, "rateLimited", "7200");
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
    ck_assert_msg(view.generation == 1, "host%d: %s", i, bench.log.all().substr(0, 2000).c_str());
  }
  ck_assert_int_eq(bench.ca.count("new-order"), domains);
  ck_assert_int_eq(bench.ca.count("accounts"), 1);
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
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

// The CA has changed the key, and its answer was lost.
START_TEST(a_roll_over_that_was_cut_off_is_finished) {
  for (bool done_at_ca : {false, true}) {
    RenewalBench bench;
    bench.add({"a.example"});
    bench.start();
    bench.work();
    bool cut = false;
    bench.ca.fault = [&](const std::string& path,
                         const json&) -> std::optional<Result<net::HttpResponse>> {
      if (path != "/key-change" || cut) return std::nullopt;
      cut = true;
      return Result<net::HttpResponse>(tl::unexpected(Error{"connection reset"}));
    };
    ck_assert(bench.ask(R"({"command":"account rollover"})")["ok"] == false);
    ck_assert(cut);
    if (done_at_ca) {
      bench.start();
      ck_assert(bench.ask(R"({"command":"account rollover"})")["ok"] == true);
    }
    bench.start();
    bench.ask(R"({"command":"renew","domain":"a.example"})");
    bench.work();
    ck_assert_int_eq(bench.ca.count("certificates"), 2);
    ck_assert_uint_eq(bench.ca.state()["accounts"].size(), 1);
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
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  ck_assert_int_eq(bench.ca.count("accounts"), 1);
  auto shown = bench.ask(R"({"command":"account show"})")["result"]["accounts"];
  ck_assert_uint_eq(shown.size(), 1);
  ck_assert(shown[0]["contacts"] == json::array({"new@example.org"}));
}
END_TEST

START_TEST(a_reload_orders_what_the_contract_says) {
  RenewalBench bench;
  bench.add({"a.example", "b.example"});
  bench.start();
  bench.work();
  auto reload = [&](const std::vector<std::string>& names, const DomainSettings& settings) {
    bench.spec.domains.clear();
    bench.add(names, settings);
    bench.start();
    bench.run_for(hour);
    return bench.ca.count("certificates") + bench.second_ca.count("certificates");
  };
  auto settings = bench.settings();
  ck_assert_int_eq(reload({"a.example", "b.example"}, settings), 1);
  ck_assert_int_eq(reload({"a.example"}, settings), 1);  // removed: at the next renewal
  settings.key_types = {crypto::KeyType::p384};
  ck_assert_int_eq(reload({"a.example"}, settings), 1);
  settings.preferred_chain = "Other Root";
  settings.profile = "x";
  ck_assert_int_eq(reload({"a.example"}, settings), 1);
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 2);  // added: at once
  ck_assert(bench.live_version("a.example").pairs[0].type == crypto::KeyType::p384);
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 2);
  settings.cas.erase(settings.cas.begin());  // no longer listed: at once
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 3);
  expect_text(bench.live_version("a.example").meta.ca, "second");
}
END_TEST

START_TEST(another_first_name_is_the_same_domain) {
  RenewalBench bench;
  bench.add({"a.example", "b.example", "c.example"});
  bench.start();
  bench.work();
  bench.ask(R"({"command":"hold","domain":"a.example"})");
  bench.spec.domains.clear();
  bench.add({"b.example", "a.example", "c.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  ck_assert(bench.live.of("b.example").phase == Phase::held);
  ck_assert_uint_gt(bench.live.of("b.example").generation, 0);
  ck_assert_uint_eq(bench.live_version("b.example").meta.names.size(), 3);
  // Few names in common: another domain.
  bench.spec.domains.clear();
  bench.add({"d.example", "a.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

START_TEST(a_torn_state_file_is_set_aside_and_healed) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.stop();
  std::string job = bench.store_path() + "/agent/domains/a.example/job.json";
  std::string whole = content_of(job);
  for (const std::string& torn : {whole.substr(0, whole.size() / 2), std::string(),
                                  std::string(300000, ' '), std::string("{\"version\":9}")}) {
    write_file(job, torn);
    bench.start();
    bench.run_for(hour);
    ck_assert_int_eq(bench.ca.count("certificates"), 1);
    auto live = bench.job("a.example").live;
    ck_assert_uint_eq(live->version, 1);
    expect_text(live->ca_url, bench.ca.directory_url());
    ck_assert_uint_eq(bench.live.of("a.example").generation, 1);
    bench.stop();
  }
  expect_text(content_of(job + ".bad"), "{\"version\":9}");
}
END_TEST

START_TEST(a_store_has_one_agent) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  // A second server with the same store, while the first one lives.
  LiveList other_live;
  AgentSpec spec = bench.spec;
  spec.domains.push_back({"b.example", {"b.example"}, spec.domains[0].settings});
  World world;
  world.now = [&] { return bench.now.load(); };
  auto second = value_of(Manager::open({.spec = spec,
                                        .sealing = bench.sealing,
                                        .live = other_live,
                                        .events = bench.events,
                                        .log = bench.log,
                                        .http = bench.manager().http(),
                                        .world = world}));
  second->tick();
  second->settle();
  ck_assert(!second->owns_store());
  ck_assert_uint_eq(other_live.of("a.example").generation, 1);
  ck_assert_uint_eq(other_live.of("b.example").generation, 0);
  ck_assert_int_eq(bench.ca.count("new-order"), 1);
  ck_assert(bench.log.has("another server"));
  // What the first one renews, the second one serves.
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  bench.now += 61;
  second->tick();
  ck_assert_uint_eq(other_live.of("a.example").generation, 2);
  // The first one goes: the second takes over.
  bench.stop();
  second->tick();
  second->settle();
  ck_assert(second->owns_store());
  ck_assert_uint_eq(other_live.of("b.example").generation, 1);
}
END_TEST

START_TEST(a_full_disk_is_a_clear_state_and_passes) {
  RenewalBench bench;
  bench.add({"a.example"});
  std::filesystem::create_directories(bench.store_path() + "/agent");
  bench.start();
  // A file where the domain's directory should be: nothing can be written there.
  std::string path = bench.store_path() + "/agent/domains/a.example";
  write_file(path, "");
  bench.work();
  ck_assert(bench.live.of("a.example").phase == Phase::own_error);
  ck_assert_int_eq(bench.ca.count("certificates"), 0);
  std::filesystem::remove(path);
  bench.run_for(2 * minute);
  bench.live_version("a.example");
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
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
  ck_assert_int_eq(bench.ca.count("directory"), 2);  // with an account, and for ARI
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
  tcase_add_test(tests, already_replaced_is_ordered_without_saying_so);
  tcase_add_test(tests, failures_back_off_and_are_kept_over_restarts);
  tcase_add_test(tests, other_settings_are_tried_at_once);
  tcase_add_test(tests, nothing_is_sent_without_agreement);
  tcase_add_test(tests, the_next_ca_comes_after_five_failures);
  tcase_add_test(tests, what_a_ca_refuses_for_good_goes_to_the_next_one);
  tcase_add_test(tests, profiles_are_sent_where_the_ca_has_them);
  tcase_add_test(tests, a_profile_that_is_refused_is_left_out);
  tcase_add_test(tests, retry_after_is_honoured);
  tcase_add_test(tests, a_ca_that_is_down_is_no_storm_and_is_noticed_when_it_is_back);
  tcase_add_test(tests, a_certificate_that_does_not_fit_is_never_served);
  tcase_add_test(tests, what_is_live_goes_on_when_renewal_fails);
  tcase_add_test(tests, a_veto_is_heeded_for_an_hour_each_until_it_gets_late);
  tcase_add_test(tests, hold_resume_and_renew);
  tcase_add_test(tests, manual_renewal_waits_for_a_command);
  tcase_add_test(tests, rollback_goes_back_and_revoke_goes_on);
  tcase_add_test(tests, accounts_roll_over);
  tcase_add_test(tests, a_roll_over_that_was_cut_off_is_finished);
  tcase_add_test(tests, other_contacts_keep_the_account);
  tcase_add_test(tests, a_reload_orders_what_the_contract_says);
  tcase_add_test(tests, another_first_name_is_the_same_domain);
  tcase_add_test(tests, a_torn_state_file_is_set_aside_and_healed);
  tcase_add_test(tests, a_store_has_one_agent);
  tcase_add_test(tests, a_full_disk_is_a_clear_state_and_passes);
  tcase_add_test(tests, hundreds_at_once);
  tcase_add_test(tests, ten_thousand_domains_that_are_fine_cost_little);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
