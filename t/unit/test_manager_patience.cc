// SPDX-License-Identifier: Apache-2.0
// What a manager waits for: the CA's published limits, the CA's Retry-After, a name that leads
// elsewhere.
#include "expect.h"

#include "dns_server.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;

constexpr char letsencrypt[] = "acme-v02.api.letsencrypt.org";

// TLSGuardCA may name it or have its URL, as an import writes.
START_TEST(published_limits_are_kept_and_outlive_the_agent) {
  RenewalBench bench({}, letsencrypt);
  auto settings = bench.settings();
  settings.cas = {{_i == 0 ? "letsencrypt" : bench.ca.directory_url(), bench.ca.directory_url()}};
  constexpr int allowed = 50;  // for names of one registered domain, in a week
  for (int i = 0; i <= allowed; ++i) {
    bench.add({"host" + std::to_string(i) + ".example.com"}, settings);
  }
  bench.threads = 1;  // so that each order is counted before the next is made
  bench.start();
  bench.work();
  ck_assert_int_eq(bench.ca.count("new-order"), allowed);
  ck_assert_int_eq(bench.ca.count("certificates"), allowed);
  ck_assert(bench.log.has("letsencrypt allows 50 certificates for one registered domain in"));
  bench.start();
  bench.run_for(6 * one_day);
  ck_assert_int_eq(bench.ca.count("new-order"), allowed);
  bench.run_for(2 * one_day);
  ck_assert_int_eq(bench.ca.count("certificates"), allowed + 1);
}
END_TEST

START_TEST(failed_authorizations_are_counted_too) {
  RenewalBench bench({}, letsencrypt);
  auto settings = bench.settings();
  settings.cas = {{"letsencrypt", bench.ca.directory_url()}};
  bench.ca.refuses_name = "a.example.com";
  bench.add({"a.example.com"}, settings);
  bench.start();
  for (int i = 0; i < 8; ++i) {
    bench.ask(R"({"command":"renew","domain":"a.example.com"})");
    bench.work();
  }
  ck_assert_int_eq(bench.ca.count("new-order"), 5);  // of one name in an hour
  expect_contains(bench.job("a.example.com").reason, "failed authorizations of 'a.example.com'");
}
END_TEST

// The first order of a.example at a CA whose polls are to wait so long; when it began.
UnixSeconds order_at_slow_ca(RenewalBench& bench, int retry_after) {
  bench.ca.polls_until_valid = 1;
  bench.ca.retry_after = retry_after;
  bench.add({"a.example"});
  bench.start();
  const UnixSeconds began = bench.now;
  bench.work();
  return began;
}

START_TEST(polls_wait_as_long_as_the_ca_says) {
  RenewalBench bench;
  const UnixSeconds began = order_at_slow_ca(bench, 20);
  bench.live_version("a.example");
  // Twice for the authorization, and at least once for the certificate.
  ck_assert_int_ge(bench.now - began, 3 * 20);
}
END_TEST

START_TEST(long_waits_leave_the_order_for_later) {
  RenewalBench bench;
  const UnixSeconds began = order_at_slow_ca(bench, 600);
  ck_assert_int_lt(bench.now - began, 600);
  const int asked = bench.ca.requests;
  bench.run_until(began + 590);
  ck_assert_int_eq(bench.ca.requests, asked);
  ck_assert(bench.has_order("a.example"));
  bench.run_until(began + 3600);
  bench.live_version("a.example");
  ck_assert_int_eq(bench.ca.count("new-order"), 1);
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
}
END_TEST

// Not an error of the CA, so never a reason to turn to the next; and mended by itself.
START_TEST(a_failed_pre_flight_costs_no_ca_an_attempt) {
  RenewalBench bench;
  DnsServer dns;
  dns.zone("example", {"ns.example"});
  dns.a("ns.example", "127.0.0.1");
  dns.a("a.example", "127.0.0.1");
  dns.caa("a.example", "issue", "another.example");
  bench.dns = dns.settings();
  bench.ca.caa_identities = {"ca.example"};
  bench.second_ca.caa_identities = {"second.example"};
  auto settings = bench.settings();
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  bench.add({"a.example"}, settings);
  bench.start();
  bench.run_for(10 * one_day);
  ck_assert(bench.live.of("a.example").phase == Phase::preflight_failed);
  ck_assert_uint_ge(bench.live.of("a.example").errors, 6);
  ck_assert(bench.job("a.example").ca_failures.empty());
  ck_assert_int_eq(bench.ca.count("new-order") + bench.second_ca.count("new-order"), 0);
  ck_assert_int_eq(bench.second_ca.count("accounts"), 0);
  expect_contains(bench.job("a.example").reason, "CAA");
  dns.remove("a.example", net::DnsType::caa);
  bench.run_for(2 * one_day);
  expect_text(bench.live_version("a.example").meta.ca, "pretended");
}
END_TEST

}  // namespace

Suite* manager_patience_suite() {
  Suite* suite = suite_create("manager patience");
  TCase* tests = tcase_create("manager patience");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, published_limits_are_kept_and_outlive_the_agent, 0, 2);
  tcase_add_test(tests, failed_authorizations_are_counted_too);
  tcase_add_test(tests, polls_wait_as_long_as_the_ca_says);
  tcase_add_test(tests, long_waits_leave_the_order_for_later);
  tcase_add_test(tests, a_failed_pre_flight_costs_no_ca_an_attempt);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
