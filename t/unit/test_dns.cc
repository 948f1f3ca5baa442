// SPDX-License-Identifier: Apache-2.0
// DNS asked of real servers on loopback: right answers, wrong ones, and none.
#include "suites.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "dns_server.h"
#include "expect.h"
#include "net/dns.h"

namespace tlsguard::test {
namespace {

using net::Dns;
using net::DnsAnswer;
using net::DnsType;
using Outcome = DnsAnswer::Outcome;
using Trick = DnsServer::Trick;
using std::chrono::milliseconds;

std::vector<std::string> values_of(const DnsAnswer& answer) {
  std::vector<std::string> values;
  for (const auto& record : answer.records) values.push_back(record.value);
  return values;
}

DnsAnswer ask(const DnsServer& server, const std::string& name, DnsType type) {
  return value_of(Dns(server.settings()).ask(name, type));
}

std::string error_for(const DnsServer& server, const std::string& name) {
  auto answer = Dns(server.settings()).ask(name, DnsType::txt);
  return error_of(answer);
}

START_TEST(records_of_all_types_are_read) {
  DnsServer server;
  server.a("example.org", "192.0.2.1");
  server.a("example.org", "192.0.2.2");
  server.aaaa("example.org", "2001:db8::1");
  server.txt("example.org", {"one", " and two"});
  server.caa("example.org", "Issue", "ca.example; a=b", 128);
  server.zone("example.org", {"NS.Example.Net"});
  auto a = ask(server, "Example.ORG", DnsType::a);
  ck_assert(a.outcome == Outcome::found);
  expect_text(a.canonical, "example.org");
  ck_assert(values_of(a) == std::vector<std::string>({"192.0.2.1", "192.0.2.2"}));
  ck_assert(values_of(ask(server, "example.org", DnsType::aaaa)) ==
            std::vector<std::string>{"2001:db8::1"});
  ck_assert(values_of(ask(server, "example.org", DnsType::txt)) ==
            std::vector<std::string>{"one and two"});
  ck_assert(values_of(ask(server, "example.org", DnsType::ns)) ==
            std::vector<std::string>{"ns.example.net"});
  ck_assert(values_of(ask(server, "example.org", DnsType::soa)) ==
            std::vector<std::string>{"ns.test"});
  auto caa = ask(server, "example.org", DnsType::caa);
  ck_assert_uint_eq(caa.records.size(), 1);
  expect_text(caa.records[0].tag, "issue");
  expect_text(caa.records[0].value, "ca.example; a=b");
  ck_assert(caa.records[0].critical);
}
END_TEST

START_TEST(nothing_is_told_from_no_such_name) {
  DnsServer server;
  server.a("www.example.org", "192.0.2.1");
  ck_assert(ask(server, "www.example.org", DnsType::txt).outcome == Outcome::no_data);
  ck_assert(ask(server, "example.org", DnsType::txt).outcome == Outcome::no_data);
  ck_assert(ask(server, "mail.example.org", DnsType::txt).outcome == Outcome::no_name);
  server.play("", Trick::no_soa);
  ck_assert(ask(server, "www.example.org", DnsType::txt).outcome == Outcome::no_data);
}
END_TEST

START_TEST(aliases_are_followed) {
  DnsServer server;
  server.cname("_acme-challenge.example.org", "a.alias.test");
  server.cname("a.alias.test", "b.alias.test");
  server.txt("b.alias.test", {"here"});
  auto txt = ask(server, "_acme-challenge.example.org", DnsType::txt);
  expect_text(txt.canonical, "b.alias.test");
  ck_assert(values_of(txt) == std::vector<std::string>{"here"});
  Dns dns(server.settings());
  expect_text(value_of(dns.canonical_name("_acme-challenge.example.org")), "b.alias.test");
  expect_text(value_of(dns.canonical_name("B.alias.test")), "b.alias.test");
  expect_text(value_of(dns.canonical_name("nothing.test")), "nothing.test");
  ck_assert_int_eq(server.asked("_acme-challenge.example.org", DnsType::txt), 1);
}
END_TEST

START_TEST(aliases_without_an_end_are_an_error) {
  DnsServer server;
  server.cname("a.test", "b.test");
  server.cname("b.test", "a.test");
  expect_contains(error_for(server, "a.test"), "makes no sense");
  auto name = Dns(server.settings()).canonical_name("a.test");
  expect_contains(error_of(name), "do not end");
}
END_TEST

// What a server of one zone says of a name that leads out of it.
START_TEST(an_alias_to_elsewhere_is_told) {
  DnsServer server;
  server.cname("a.test", "far.example");
  server.play("a.test", Trick::no_soa);
  auto answer =
      value_of(Dns(server.settings()).ask_server(server.as_server(), "a.test", DnsType::txt));
  // NXDOMAIN from a server that does not know the target counts for the target.
  ck_assert(answer.outcome == Outcome::no_name);
  server.a("x.far.example", "192.0.2.1");
  answer = value_of(Dns(server.settings()).ask_server(server.as_server(), "a.test", DnsType::txt));
  ck_assert(answer.outcome == Outcome::elsewhere);
  expect_text(answer.canonical, "far.example");
}
END_TEST

START_TEST(long_answers_come_over_tcp) {
  DnsServer server;
  server.txt("long.test", {"value"});
  server.play("long.test", Trick::truncate);
  ck_assert(values_of(ask(server, "long.test", DnsType::txt)) == std::vector<std::string>{"value"});
  ck_assert_int_eq(server.asked_over_tcp(), 1);
  for (int i = 0; i < 200; ++i) server.txt("huge.test", {std::string(200, 'x')});
  server.play("huge.test", Trick::truncate);
  ck_assert_uint_eq(ask(server, "huge.test", DnsType::txt).records.size(), 200);
  for (int i = 0; i < 100; ++i) server.txt("huge.test", {"y"});
  expect_contains(error_for(server, "huge.test"), "makes no sense");
}
END_TEST

START_TEST(servers_without_edns_are_asked_without) {
  DnsServer server;
  server.txt("old.test", {"value"});
  server.play("old.test", Trick::formerr_with_edns);
  ck_assert(values_of(ask(server, "old.test", DnsType::txt)) == std::vector<std::string>{"value"});
}
END_TEST

START_TEST(answers_to_others_are_passed_over) {
  DnsServer server;
  server.txt("a.test", {"value"});
  server.play("a.test", Trick::foreign_first);
  ck_assert(values_of(ask(server, "a.test", DnsType::txt)) == std::vector<std::string>{"value"});
  server.play("a.test", Trick::only_foreign);
  expect_contains(error_for(server, "a.test"), "no answer");
}
END_TEST

START_TEST(errors_say_who_and_what) {
  DnsServer server;
  server.txt("a.test", {"value"});
  for (auto [trick, text] :
       std::vector<std::pair<Trick, const char*>>{{Trick::servfail, "SERVFAIL"},
                                                  {Trick::refused, "REFUSED"},
                                                  {Trick::nonsense, "makes no sense"},
                                                  {Trick::referral, "makes no sense"},
                                                  {Trick::truncate_always, "cut off"},
                                                  {Trick::drop, "no answer in time"}}) {
    server.play("a.test", trick);
    std::string error = error_for(server, "a.test");
    expect_contains(error, text);
    expect_contains(error, "DNS TXT of a.test from 127.0.0.1:");
  }
}
END_TEST

START_TEST(a_cut_tcp_answer_is_an_error) {
  DnsServer server;
  server.txt("a.test", {"value"});
  server.play("a.test", Trick::cut_tcp);
  expect_contains(error_for(server, "a.test"), "closed before the whole answer");
}
END_TEST

START_TEST(the_next_resolver_answers_where_one_does_not) {
  DnsServer silent;
  DnsServer failing;
  DnsServer good;
  silent.play("", Trick::drop);
  failing.play("", Trick::servfail);
  good.txt("a.test", {"value"});
  net::DnsSettings settings = good.settings();
  settings.timeout = milliseconds(100);
  settings.resolvers = {silent.as_server(), failing.as_server(), good.as_server()};
  ck_assert(values_of(value_of(Dns(settings).ask("a.test", DnsType::txt))) ==
            std::vector<std::string>{"value"});
  ck_assert_int_eq(silent.asked("a.test", DnsType::txt), settings.attempts);
}
END_TEST

START_TEST(nobody_listening_is_an_error_at_once) {
  std::uint16_t port = DnsServer().port();  // gone again
  net::DnsSettings settings;
  settings.resolvers = {{"127.0.0.1", port}};
  settings.timeout = milliseconds(20000);
  auto begin = std::chrono::steady_clock::now();
  auto answer = Dns(settings).ask("a.test", DnsType::txt);
  expect_contains(error_of(answer), "refused");
  ck_assert(std::chrono::steady_clock::now() - begin < milliseconds(10000));
}
END_TEST

START_TEST(what_is_no_name_is_not_asked) {
  DnsServer server;
  for (const std::string& name :
       {std::string(), std::string("a..b"), std::string(64, 'x') + ".test",
        std::string("nul\0here", 8), std::string(300, 'x')}) {
    auto answer = Dns(server.settings()).ask(name, DnsType::a);
    ck_assert(!answer);
    ck_assert(answer.error().next == Next::never);
  }
}
END_TEST

START_TEST(to_stop_ends_a_query) {
  DnsServer server;
  server.play("", Trick::drop);
  net::DnsSettings settings = server.settings();
  settings.timeout = milliseconds(60000);
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(150));
    stop = true;
  });
  auto begin = std::chrono::steady_clock::now();
  auto answer = Dns(settings, [&] { return stop.load(); }).ask("a.test", DnsType::txt);
  auto took = std::chrono::steady_clock::now() - begin;
  stopper.join();
  ck_assert(!answer);
  ck_assert(took < milliseconds(20000));
}
END_TEST

START_TEST(a_zone_and_its_servers_are_found) {
  DnsServer server;
  server.zone("example.org", {"ns1.example.org", "ns2.elsewhere.test", "gone.test"});
  server.a("ns1.example.org", "127.0.0.1");
  server.a("ns2.elsewhere.test", "127.0.0.2");
  server.aaaa("ns2.elsewhere.test", "::1");
  auto zone = value_of(Dns(server.settings()).zone_of("_acme-challenge.www.Example.org"));
  expect_text(zone.apex, "example.org");
  ck_assert_uint_eq(zone.servers.size(), 3);
  expect_text(zone.servers[0].name, "gone.test");
  ck_assert(zone.servers[0].addresses.empty());
  ck_assert(zone.servers[1].addresses ==
            std::vector<net::DnsServer>({{"127.0.0.1", server.port()}}));
  ck_assert(zone.servers[2].addresses ==
            std::vector<net::DnsServer>({{"127.0.0.2", server.port()}, {"::1", server.port()}}));
}
END_TEST

START_TEST(a_delegated_zone_is_found_before_its_parent) {
  DnsServer server;
  server.zone("example.org", {"ns1.test"});
  server.zone("sub.example.org", {"ns2.test"});
  Dns dns(server.settings());
  expect_text(value_of(dns.zone_of("a.sub.example.org")).apex, "sub.example.org");
  expect_text(value_of(dns.zone_of("example.org")).apex, "example.org");
  expect_contains(error_of(dns.zone_of("other.test")), "no DNS zone");
  // An alias at a name does not make the target's zone its own.
  server.cname("alias.example.org", "sub.example.org");
  expect_text(value_of(dns.zone_of("alias.example.org")).apex, "example.org");
}
END_TEST

START_TEST(resolv_conf_is_read_as_the_c_library_does) {
  using net::resolvers_of;
  auto two = resolvers_of(
      "# nameserver 9.9.9.9\nsearch example.org\n"
      "nameserver 192.0.2.1\n  nameserver\t2001:db8::1%eth0 \r\nnameserver\n");
  ck_assert(two == std::vector<net::DnsServer>({{"192.0.2.1", 53}, {"2001:db8::1%eth0", 53}}));
  ck_assert_uint_eq(resolvers_of("nameserver 1\nnameserver 2\nnameserver 3\nnameserver 4").size(),
                    3);
  ck_assert(resolvers_of("") == std::vector<net::DnsServer>({{"127.0.0.1", 53}}));
}
END_TEST

START_TEST(many_threads_ask_at_once) {
  DnsServer server;
  server.txt("a.test", {"value"});
  Dns dns(server.settings());
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        auto answer = dns.ask("a.test", DnsType::txt);
        if (answer && answer->records.size() == 1 && answer->records[0].value == "value") ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ck_assert_int_eq(right, 80);
}
END_TEST

}  // namespace

Suite* dns_suite() {
  Suite* suite = suite_create("dns");
  TCase* tcase = tcase_create("dns");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, records_of_all_types_are_read);
  tcase_add_test(tcase, nothing_is_told_from_no_such_name);
  tcase_add_test(tcase, aliases_are_followed);
  tcase_add_test(tcase, aliases_without_an_end_are_an_error);
  tcase_add_test(tcase, an_alias_to_elsewhere_is_told);
  tcase_add_test(tcase, long_answers_come_over_tcp);
  tcase_add_test(tcase, servers_without_edns_are_asked_without);
  tcase_add_test(tcase, answers_to_others_are_passed_over);
  tcase_add_test(tcase, errors_say_who_and_what);
  tcase_add_test(tcase, a_cut_tcp_answer_is_an_error);
  tcase_add_test(tcase, the_next_resolver_answers_where_one_does_not);
  tcase_add_test(tcase, nobody_listening_is_an_error_at_once);
  tcase_add_test(tcase, what_is_no_name_is_not_asked);
  tcase_add_test(tcase, to_stop_ends_a_query);
  tcase_add_test(tcase, a_zone_and_its_servers_are_found);
  tcase_add_test(tcase, a_delegated_zone_is_found_before_its_parent);
  tcase_add_test(tcase, resolv_conf_is_read_as_the_c_library_does);
  tcase_add_test(tcase, many_threads_ask_at_once);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
