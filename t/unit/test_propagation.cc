// SPDX-License-Identifier: Apache-2.0
// TXT records that arrive at the servers of a zone one after the other, or never.
#include "suites.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "dns_server.h"
#include "expect.h"
#include "renew/propagation.h"

namespace tlsguard::test {
namespace {

using net::DnsType;
using net::Patience;
using renew::Propagation;
using renew::TxtWatch;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Trick = DnsServer::Trick;

constexpr char record[] = "_acme-challenge.example.org";

// A zone of two servers. The first one is the resolver, too.
struct Zone {
  DnsServer one;
  DnsServer two{"127.0.0.2", one.port()};

  Zone() {
    one.zone("example.org", {"ns1.test", "ns2.test"});
    one.a("ns1.test", "127.0.0.1");
    one.a("ns2.test", "127.0.0.2");
  }
  [[nodiscard]] TxtWatch watch(const std::string& value,
                               std::function<bool()> stopping = {}) const {
    net::DnsSettings settings = one.settings();
    settings.timeout = milliseconds(200);
    return {settings, record,
            [value](const std::vector<std::string>& values) {
              return std::find(values.begin(), values.end(), value) != values.end();
            },
            std::move(stopping)};
  }
};

Propagation times(milliseconds limit) {
  Propagation times;
  times.limit = limit;
  times.silence = milliseconds(300);
  times.first_pause = milliseconds(20);
  times.longest_pause = milliseconds(100);
  return times;
}

START_TEST(a_record_that_is_there_is_seen_at_once) {
  Zone zone;
  zone.one.txt(record, {"other"});
  for (DnsServer* server : {&zone.one, &zone.two}) server->txt(record, {"va", "lue"});
  TxtWatch watch = zone.watch("value");
  ck_assert(watch.glance());
  ck_assert(watch.wait(times(seconds(60)), Patience(seconds(60))));
  expect_text(watch.missing(), "");
  ck_assert(watch.seen() == std::vector<std::string>({"other", "value"}));
  // The resolver is never asked for it: it would remember that there was nothing.
  ck_assert_int_eq(zone.two.asked(record, DnsType::txt), 1);
}
END_TEST

START_TEST(the_last_server_is_waited_for) {
  Zone zone;
  zone.one.txt(record, {"value"});
  zone.two.txt(record, {"an older one"});
  TxtWatch watch = zone.watch("value");
  auto begin = std::chrono::steady_clock::now();
  std::thread secondary([&] {
    while (zone.two.asked(record, DnsType::txt) < 1) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    std::this_thread::sleep_until(begin + milliseconds(400));
    zone.two.txt(record, {"value"});
  });
  ck_assert(watch.wait(times(seconds(60)), Patience(seconds(60))));
  ck_assert(std::chrono::steady_clock::now() - begin >= milliseconds(390));
  secondary.join();
  // A server that has it is not asked again.
  ck_assert_int_eq(zone.one.asked(record, DnsType::txt), 1);
  ck_assert_int_ge(zone.two.asked(record, DnsType::txt), 2);
}
END_TEST

START_TEST(after_the_limit_it_says_who_lacks_it) {
  Zone zone;
  zone.one.txt(record, {"value"});
  TxtWatch watch = zone.watch("value");
  ck_assert(!watch.wait(times(milliseconds(400)), Patience(seconds(60))));
  expect_text(watch.missing(), "not at ns2.test");
  zone.two.play("", Trick::drop);
  (void)watch.look();
  expect_text(watch.missing(), "no answer from ns2.test");
}
END_TEST

START_TEST(a_dead_server_is_waited_for_a_while_only) {
  Zone zone;
  zone.one.txt(record, {"value"});
  zone.two.play("", Trick::drop);
  TxtWatch watch = zone.watch("value");
  auto begin = std::chrono::steady_clock::now();
  ck_assert(watch.wait(times(seconds(300)), Patience(seconds(300))));
  ck_assert(std::chrono::steady_clock::now() - begin >= milliseconds(300));
  expect_text(watch.missing(), "no answer from ns2.test");
}
END_TEST

START_TEST(a_server_is_asked_at_its_other_address) {
  Zone zone;
  zone.two.txt(record, {"value"});
  zone.one.remove("ns1.test", DnsType::a);
  zone.one.remove("ns2.test", DnsType::a);
  zone.one.a("ns1.test", "127.0.0.2");
  zone.one.a("ns2.test", "127.0.0.3");  // nobody listens
  zone.one.a("ns2.test", "127.0.0.2");
  TxtWatch watch = zone.watch("value");
  ck_assert(watch.wait(times(seconds(60)), Patience(seconds(60))));
  expect_text(watch.missing(), "");
}
END_TEST

START_TEST(without_a_zone_the_resolver_decides) {
  Zone zone;
  zone.one.play(record, Trick::none);
  zone.one.remove("example.org", DnsType::soa);
  TxtWatch watch = zone.watch("value");
  ck_assert(!watch.glance());
  auto sight = watch.look();
  ck_assert(sight.by_resolver);
  ck_assert_uint_eq(sight.lacking, 1);
  expect_contains(watch.missing(), "no DNS zone was found");
  zone.one.txt(record, {"value"});
  ck_assert(watch.wait(times(seconds(60)), Patience(seconds(60))));
}
END_TEST

// A firewall that lets DNS through to the resolver only.
START_TEST(where_all_servers_are_out_of_reach_the_resolver_decides) {
  Zone zone;
  zone.one.txt(record, {"value"});
  zone.one.remove("ns1.test", DnsType::a);
  zone.one.a("ns1.test", "127.0.0.3");
  zone.two.play("", Trick::drop);
  TxtWatch watch = zone.watch("value");
  ck_assert(watch.wait(times(seconds(300)), Patience(seconds(300))));
  expect_contains(watch.missing(), "no answer from ns1.test, ns2.test");
}
END_TEST

START_TEST(nobody_to_ask_is_unknown) {
  Zone zone;
  zone.one.play("", Trick::servfail);
  TxtWatch watch = zone.watch("value");
  auto sight = watch.look();
  ck_assert_uint_eq(sight.having + sight.lacking, 0);
  ck_assert_uint_eq(sight.silent, 1);
  ck_assert(!sight.everywhere());
  expect_contains(watch.missing(), "SERVFAIL");
}
END_TEST

START_TEST(to_stop_ends_the_wait) {
  Zone zone;
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop = true;
  });
  TxtWatch watch = zone.watch("value", [&] { return stop.load(); });
  auto begin = std::chrono::steady_clock::now();
  Propagation slow = times(seconds(600));
  slow.first_pause = seconds(600);
  ck_assert(!watch.wait(slow, Patience(seconds(600), [&] { return stop.load(); })));
  ck_assert(std::chrono::steady_clock::now() - begin < seconds(30));
  stopper.join();
}
END_TEST

}  // namespace

Suite* propagation_suite() {
  Suite* suite = suite_create("propagation");
  TCase* tcase = tcase_create("propagation");
  tcase_set_timeout(tcase, 90);
  tcase_add_test(tcase, a_record_that_is_there_is_seen_at_once);
  tcase_add_test(tcase, the_last_server_is_waited_for);
  tcase_add_test(tcase, after_the_limit_it_says_who_lacks_it);
  tcase_add_test(tcase, a_dead_server_is_waited_for_a_while_only);
  tcase_add_test(tcase, a_server_is_asked_at_its_other_address);
  tcase_add_test(tcase, without_a_zone_the_resolver_decides);
  tcase_add_test(tcase, where_all_servers_are_out_of_reach_the_resolver_decides);
  tcase_add_test(tcase, nobody_to_ask_is_unknown);
  tcase_add_test(tcase, to_stop_ends_the_wait);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
