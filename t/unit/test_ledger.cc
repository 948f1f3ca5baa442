// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include "issued.h"
#include "renew/ca_health.h"
#include "renew/json_members.h"
#include "renew/ledger.h"

namespace tlsguard::test {
namespace {

using namespace renew;

constexpr std::int64_t hour = 3600;

OrderFacts facts(const std::vector<std::string>& names, const std::string& ca = "letsencrypt") {
  return {.ca = ca, .account = "https://ca.example/account/1", .names = names};
}

struct Book {
  PublicSuffixes suffixes = PublicSuffixes::parse("com\nexample\nco.uk\n*.ck\n!www.ck\n");
  Ledger ledger{suffixes};
  void issue(const OrderFacts& order, UnixSeconds at) {
    ledger.ordered(order, at);
    ledger.issued(order, at);
  }
  std::int64_t wait(const OrderFacts& order, UnixSeconds at) {
    auto held = ledger.postponed(order, at);
    return held ? held->seconds : 0;
  }
};

START_TEST(five_certificates_for_the_same_names_in_a_week) {
  Book book;
  OrderFacts order = facts({"b.example", "a.example"});
  for (int i = 0; i < 5; ++i) {
    ck_assert_int_eq(book.wait(order, test_now + i * hour), 0);
    book.issue(order, test_now + i * hour);
  }
  UnixSeconds now = test_now + 5 * hour;
  auto held = book.ledger.postponed(order, now);
  ck_assert(held.has_value());
  expect_contains(held->reason, "letsencrypt allows 5 certificates for exactly these names in 1w");
  ck_assert_int_eq(held->seconds, 7 * one_day - 5 * hour);
  ck_assert_int_gt(book.wait(facts({"a.example", "b.example"}), now), 0);  // in any order
  ck_assert_int_eq(book.wait(facts({"a.example"}), now), 0);
  OrderFacts replaces = order;
  replaces.replaces = true;
  ck_assert_int_eq(book.wait(replaces, now), 0);
  OrderFacts renewal = order;
  renewal.renewal = true;
  ck_assert_int_gt(book.wait(renewal, now), 0);
  ck_assert_int_eq(book.wait(order, now + held->seconds), 0);
  ck_assert_int_gt(book.wait(order, now + held->seconds - 1), 0);
}
END_TEST

START_TEST(fifty_certificates_for_a_registered_domain_in_a_week) {
  Book book;
  for (int i = 0; i < 50; ++i) {
    OrderFacts order =
        facts({"host" + std::to_string(i) + ".a.co.uk", "other" + std::to_string(i) + ".example"});
    ck_assert_int_eq(book.wait(order, test_now), 0);
    book.issue(order, test_now);
  }
  OrderFacts one_more = facts({"x.y.a.co.uk"});
  expect_contains(book.ledger.postponed(one_more, test_now)->reason, "registered domain");
  ck_assert_int_eq(book.wait(facts({"x.b.co.uk"}), test_now), 0);
  one_more.renewal = true;
  ck_assert_int_eq(book.wait(one_more, test_now), 0);
}
END_TEST

START_TEST(renewals_leave_room_for_others) {
  Book book;
  for (int i = 0; i < 60; ++i) {
    OrderFacts order = facts({"host" + std::to_string(i) + ".a.com"});
    order.replaces = true;
    book.issue(order, test_now);
  }
  ck_assert_int_eq(book.wait(facts({"x.a.com"}), test_now), 0);
}
END_TEST

START_TEST(orders_that_are_open_count_and_failed_ones_bring_no_certificate) {
  Book book;
  OrderFacts order = facts({"a.example"});
  for (int i = 0; i < 5; ++i) book.ledger.ordered(order, test_now);
  ck_assert_int_gt(book.wait(order, test_now), 0);
  for (int i = 0; i < 5; ++i) book.ledger.failed(order, test_now);
  ck_assert_int_eq(book.wait(order, test_now), 0);
  // Those nobody has settled count for a day.
  for (int i = 0; i < 5; ++i) book.ledger.ordered(order, test_now);
  ck_assert_int_gt(book.wait(order, test_now + 23 * hour), 0);
  ck_assert_int_eq(book.wait(order, test_now + 25 * hour), 0);
}
END_TEST

START_TEST(three_hundred_orders_of_an_account_in_three_hours) {
  Book book;
  for (int i = 0; i < 300; ++i) {
    OrderFacts order = facts({"host" + std::to_string(i) + ".com"});
    ck_assert_int_eq(book.wait(order, test_now + i), 0);
    book.ledger.ordered(order, test_now + i);
    book.ledger.failed(order, test_now + i);  // failed ones are orders, too
  }
  ck_assert_int_eq(book.wait(facts({"more.com"}), test_now + 300), 3 * hour - 300);
  ck_assert_int_eq(book.wait(facts({"more.com"}), test_now + 3 * hour), 0);
  OrderFacts other = facts({"more.com"});
  other.account = "https://ca.example/account/2";
  ck_assert_int_eq(book.wait(other, test_now + 300), 0);
}
END_TEST

START_TEST(five_failed_authorizations_of_a_name_in_an_hour) {
  Book book;
  OrderFacts order = facts({"a.example", "b.example"});
  for (int i = 0; i < 5; ++i) {
    ck_assert_int_eq(book.wait(order, test_now + i * 60), 0);
    book.ledger.authorization_failed(order, "b.example", test_now + i * 60);
  }
  expect_contains(book.ledger.postponed(order, test_now + 300)->reason, "'b.example'");
  ck_assert_int_eq(book.wait(order, test_now + 300), hour - 300);
  OrderFacts replaces = order;
  replaces.replaces = true;
  ck_assert_int_gt(book.wait(replaces, test_now + 300), 0);
  ck_assert_int_eq(book.wait(facts({"a.example"}), test_now + 300), 0);
}
END_TEST

START_TEST(only_cas_whose_limits_are_known_are_counted) {
  Book book;
  for (const char* ca : {"https://acme.example/directory", "letsencrypt-staging", "internal"}) {
    for (int i = 0; i < 400; ++i) book.issue(facts({"a.example"}, ca), test_now);
    ck_assert_int_eq(book.wait(facts({"a.example"}, ca), test_now), 0);
  }
  ck_assert(!book.ledger.take_changed());
}
END_TEST

START_TEST(it_is_kept_as_text) {
  Book book;
  OrderFacts order = facts({"a.example", "b.co.uk"});
  for (int i = 0; i < 5; ++i) book.issue(order, test_now);
  for (int i = 0; i < 5; ++i) book.ledger.authorization_failed(order, "c.example", test_now);
  ck_assert(book.ledger.take_changed());
  ck_assert(!book.ledger.take_changed());
  std::string text = book.ledger.to_json();
  ck_assert_msg(text.find("example") == std::string::npos, "names are not kept: %s", text.c_str());
  Book again;
  value_of(again.ledger.read_json(text, test_now + hour));
  ck_assert_int_eq(again.wait(order, test_now + hour), book.wait(order, test_now + hour));
  // Torn, foreign, of another time.
  for (std::size_t size = 0; size + 2 <= text.size(); ++size) {
    ck_assert(!again.ledger.read_json(text.substr(0, size), test_now));
  }
  for (const char* wrong :
       {R"({"version":1,"entries":[[1]]})", R"({"version":1,"entries":{}})",
        R"({"version":1,"entries":[[-1,0,0,1,1,1,[]]]})", R"({"version":2,"entries":[]})",
        R"({"version":1,"entries":[[1,9,0,1,1,1,[]]]})",
        R"({"version":1,"entries":[[1,0,0,1,1,1,["x"]]]})"}) {
    ck_assert_msg(!again.ledger.read_json(wrong, test_now), "%s", wrong);
  }
  ck_assert_int_gt(again.wait(order, test_now + hour), 0);     // what was there stays
  value_of(again.ledger.read_json(text, test_now - one_day));  // the clock has jumped back
  ck_assert_int_eq(again.wait(order, test_now), 0);
  value_of(again.ledger.read_json(text, test_now + 8 * one_day));
  ck_assert_uint_lt(again.ledger.to_json().size(), 40);
}
END_TEST

START_TEST(it_does_not_grow_without_end) {
  Book book;
  for (int i = 0; i < 100000; ++i) {
    book.ledger.authorization_failed(facts({"a.example"}), "a.example", test_now);
  }
  std::string text = book.ledger.to_json();
  ck_assert_uint_lt(text.size(), max_ledger_file);
  value_of(book.ledger.read_json(text, test_now));
}
END_TEST

START_TEST(registered_domains) {
  PublicSuffixes listed = PublicSuffixes::parse(
      "// a comment\n\ncom\nuk\nco.uk\nblog.example.com // later\n*.ck\n!www.ck\r\n");
  struct {
    const char* name;
    const char* registered;
  } cases[] = {{"www.a.com", "a.com"},
               {"a.com", "a.com"},
               {"com", "com"},
               {"x.y.a.co.uk", "a.co.uk"},
               {"*.a.co.uk", "a.co.uk"},
               {"me.blog.example.com", "me.blog.example.com"},
               {"blog.example.com", "blog.example.com"},
               {"x.a.foo.ck", "a.foo.ck"},
               {"x.www.ck", "www.ck"},
               {"host.unknown", "host.unknown"},
               {"a.host.unknown", "host.unknown"},
               {"192.0.2.1", "192.0.2.1"},
               {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}};
  for (const auto& c : cases) expect_text(listed.registered_domain(c.name), c.registered);
  PublicSuffixes none;
  ck_assert(none.empty());
  expect_text(none.registered_domain("www.a.com"), "a.com");
  expect_text(none.registered_domain("x.a.co.uk"), "a.co.uk");
  expect_text(none.registered_domain("x.a.gouv.fr"), "a.gouv.fr");
  expect_text(none.registered_domain("x.firma.de"), "firma.de");
  ck_assert(PublicSuffixes::load("/nowhere").empty());
}
END_TEST

START_TEST(a_ca_that_is_down_is_probed_with_growing_pauses) {
  CaHealth health;
  const std::string ca = "https://ca.example/directory";
  expect_text(health.trouble(ca), "");
  ck_assert(health.probes(test_now).empty());
  UnixSeconds now = test_now;
  health.unreachable(ca, "connection refused", now);
  health.unreachable(ca, "connection refused", now);  // of many jobs at once
  expect_contains(health.trouble(ca), "has not answered since 2027-01-15T08:00:00Z");
  std::int64_t last = 0;
  for (int i = 0; i < 20; ++i) {
    std::int64_t pause = health.probes(now).at(ca) - now;
    ck_assert_int_ge(pause, i < 6 ? 5 : 300);
    ck_assert_int_le(pause, 900);
    now += pause;
    health.unreachable(ca, "connection refused", now);
    last = pause;
  }
  ck_assert(health.reachable(ca, now));
  ck_assert(!health.reachable(ca, now));
  expect_text(health.trouble(ca), "");
  // Down again at once: the pauses stay long. Later they begin anew.
  health.unreachable(ca, "refused", now + 60);
  ck_assert_int_ge(health.probes(now + 60).at(ca) - now - 60, 300);
  ck_assert(health.reachable(ca, now + 900));
  health.unreachable(ca, "refused", now + 900 + 3600);
  ck_assert_int_le(health.probes(now + 4500).at(ca) - now - 4500, 15);
  ck_assert_int_gt(last, 0);
  // A clock that has jumped back does not stop the probes.
  ck_assert_int_eq(health.probes(now - one_day).at(ca), now - one_day);
}
END_TEST

}  // namespace

Suite* ledger_suite() {
  Suite* suite = suite_create("ledger");
  TCase* tests = tcase_create("ledger");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, five_certificates_for_the_same_names_in_a_week);
  tcase_add_test(tests, fifty_certificates_for_a_registered_domain_in_a_week);
  tcase_add_test(tests, renewals_leave_room_for_others);
  tcase_add_test(tests, orders_that_are_open_count_and_failed_ones_bring_no_certificate);
  tcase_add_test(tests, three_hundred_orders_of_an_account_in_three_hours);
  tcase_add_test(tests, five_failed_authorizations_of_a_name_in_an_hour);
  tcase_add_test(tests, only_cas_whose_limits_are_known_are_counted);
  tcase_add_test(tests, it_is_kept_as_text);
  tcase_add_test(tests, it_does_not_grow_without_end);
  tcase_add_test(tests, registered_domains);
  tcase_add_test(tests, a_ca_that_is_down_is_probed_with_growing_pauses);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
