// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <initializer_list>
#include <vector>

#include "browser_hsts.h"
#include "web/hsts.h"

namespace tlsguard::test {
namespace {

using web::decide_hsts;
using web::format_hsts;
using web::HstsAction;
using web::HstsSetting;
using web::HstsValues;

Result<HstsSetting> parse(std::initializer_list<std::string_view> arguments) {
  return web::parse_hsts(std::vector<std::string_view>(arguments));
}

std::string full_value(const HstsSetting& setting) { return format_hsts(setting, setting.max_age); }

START_TEST(arguments_are_read) {
  ck_assert(value_of(parse({"off"})) == HstsSetting{});
  ck_assert((value_of(parse({"on"})) == HstsSetting{true, Seconds(63072000), false, false}));
  ck_assert((value_of(parse({"max-age=300"})) == HstsSetting{true, Seconds(300), false, false}));
  ck_assert((value_of(parse({"max-age=4w"})) == HstsSetting{true, Seconds(2419200), false, false}));
  ck_assert((value_of(parse({"MAX-AGE=1Y", "INCLUDESUBDOMAINS", "PreLoad"})) ==
             HstsSetting{true, Seconds(31536000), true, true}));
  ck_assert((value_of(parse({"on", "preload", "includeSubDomains"})) ==
             HstsSetting{true, Seconds(63072000), true, true}));
  ck_assert((value_of(parse({"max-age=0"})) == HstsSetting{true, Seconds(0), false, false}));
  ck_assert((value_of(parse({"max-age=0s", "includeSubDomains"})) ==
             HstsSetting{true, Seconds(0), true, false}));
}
END_TEST

START_TEST(errors_name_directive_value_and_what_is_valid) {
  for (std::string_view first : {"", "yes", "true", "0", "300", "max-age", "maxage=300",
                                 "includeSubDomains", "preload", "on;", "always"}) {
    std::string text = error_of(parse({first}));
    expect_contains(text, "TLSGuardHSTS: '" + std::string(first) + "' is not known");
    expect_contains(text, "valid are off, on and max-age=duration");
  }
  for (std::string_view first :
       {"max-age=", "max-age=x", "max-age=-1", "max-age=1.5y", "max-age=\"300\"", "max-age=300;",
        "max-age= 300", "max-age=300d4", "max-age=300, max-age=300", "max-age=1000y"}) {
    std::string text = error_of(parse({first}));
    expect_contains(text, "TLSGuardHSTS: '" + std::string(first) + "': ");
    expect_contains(text, "valid are");
  }
  for (std::string_view word : {"", "subdomains", "includeSubDomains=x", "includeSubDomains;", "on",
                                "off", "max-age=1y", "preload=1"}) {
    std::string text = error_of(parse({"on", word}));
    expect_contains(text, "TLSGuardHSTS: '" + std::string(word) + "' is not known");
    expect_contains(text, "includeSubDomains and preload");
  }
  expect_contains(error_of(parse({"on", "includeSubDomains", "INCLUDESUBDOMAINS"})),
                  "'INCLUDESUBDOMAINS' is there twice");
  expect_contains(error_of(parse({"off", "includeSubDomains"})),
                  "'includeSubDomains' cannot follow off");
  expect_contains(error_of(parse({})), "TLSGuardHSTS needs a value");
}
END_TEST

START_TEST(preload_needs_a_year_and_sub_domains) {
  ck_assert(parse({"max-age=1y", "includeSubDomains", "preload"}).has_value());
  ck_assert(parse({"max-age=31536000", "preload", "includeSubDomains"}).has_value());
  for (auto arguments : {std::initializer_list<std::string_view>{"on", "preload"},
                         {"max-age=31535999", "includeSubDomains", "preload"},
                         {"max-age=52w", "preload", "includeSubDomains"},
                         {"max-age=0", "includeSubDomains", "preload"}}) {
    std::string text = error_of(parse(arguments));
    expect_contains(text, "TLSGuardHSTS: 'preload' needs includeSubDomains and a max-age of");
  }
  expect_contains(error_of(parse({"max-age=300", "preload"})),
                  "this has max-age=300 and no includeSubDomains");
}
END_TEST

START_TEST(values_are_spelled_as_in_the_rfc) {
  expect_text(full_value(value_of(parse({"on"}))), "max-age=63072000");
  expect_text(full_value(value_of(parse({"max-age=1y", "preload", "includesubdomains"}))),
              "max-age=31536000; includeSubDomains; preload");
  expect_text(full_value(value_of(parse({"max-age=0"}))), "max-age=0");
  HstsSetting all = value_of(parse({"on", "includeSubDomains", "preload"}));
  expect_text(format_hsts(all, Seconds(300)), "max-age=300; includeSubDomains");
  expect_text(format_hsts(all, Seconds(63072001)), "max-age=63072000; includeSubDomains; preload");
}
END_TEST

START_TEST(a_browser_reads_every_value_as_it_was_meant) {
  for (long long max_age : {0LL, 1LL, 300LL, 31535999LL, 31536000LL, 63072000LL, 3153600000LL}) {
    for (bool sub_domains : {false, true}) {
      for (bool preload : {false, true}) {
        HstsSetting setting{true, Seconds(max_age), sub_domains, preload};
        for (long long age : {0LL, 1LL, 299LL, 300LL, 604800LL, 31536000LL, 3153600000LL}) {
          auto seen = browser_parses(format_hsts(setting, Seconds(age)));
          ck_assert(seen.has_value());
          ck_assert_int_eq(seen->max_age, std::min(age, max_age));
          ck_assert(seen->include_sub_domains == sub_domains);
          ck_assert(seen->preload == (preload && age >= max_age));
          ck_assert(seen->unknown.empty());
        }
      }
    }
  }
}
END_TEST

// The judge above is worth something only if it turns down what RFC 6797 6.1 does.
START_TEST(the_browser_ignores_malformed_fields) {
  for (const char* field : {"",
                            ";",
                            " ; ",
                            "max-age",
                            "max-age=",
                            "max-age=x",
                            "max-age=-1",
                            "max-age=1.5",
                            "max-age=100, max-age=200",
                            "max-age=100; max-age=200",
                            "max-age=100; max-age=100",
                            "max-age=100; includeSubDomains; includeSubDomains",
                            "max-age=100; includeSubDomains=x",
                            "max-age=100; includeSubDomains=\"\"",
                            "includeSubDomains",
                            "preload",
                            "max-age=\"100",
                            "max-age=100\"",
                            "max-age=100; x=\"y",
                            "max-age=100 includeSubDomains",
                            "max-age=100; =x",
                            "max-age==100",
                            "100",
                            "max-age=100; a b",
                            "max-age=\"1 0\"",
                            "MAX-AGE=1; max-age=2",
                            "max-age=100\r\nX: y"}) {
    ck_assert_msg(!browser_parses(field), "%s", field);
  }
}
END_TEST

START_TEST(the_browser_takes_odd_but_valid_fields) {
  for (const char* field : {"max-age=100", "MAX-AGE=100", "max-age=\"100\"", "max-age=\"1\\00\"",
                            " max-age = 100 ", "max-age=100;", ";max-age=100", "max-age=100;;",
                            "x; max-age=100", "max-age=100; x=\"a;max-age=1\"",
                            "max-age=100; preload", "includeSubDomains;max-age=100"}) {
    auto seen = browser_parses(field);
    ck_assert_msg(seen.has_value(), "%s", field);
    ck_assert_int_eq(seen->max_age, 100);
  }
  auto seen = browser_parses("max-age=7; INCLUDEsubdomains; other=1");
  ck_assert(seen && seen->include_sub_domains && seen->unknown.size() == 1);
}
END_TEST

START_TEST(the_value_is_that_of_the_age_reached) {
  HstsSetting setting = value_of(parse({"max-age=1000", "includeSubDomains"}));
  std::vector<Seconds> ages{Seconds(300), Seconds(10), Seconds(300), Seconds(2000), Seconds(1000)};
  HstsValues values(setting, ages);
  expect_text(values.at(Seconds(10)), "max-age=10; includeSubDomains");
  expect_text(values.at(Seconds(300)), "max-age=300; includeSubDomains");
  expect_text(values.at(Seconds(1000)), "max-age=1000; includeSubDomains");
  // Numbers no ramp of this configuration has: never more than what was reached.
  expect_text(values.at(Seconds(999)), "max-age=300; includeSubDomains");
  expect_text(values.at(Seconds(299)), "max-age=10; includeSubDomains");
  expect_text(values.at(Seconds(9)), "max-age=10; includeSubDomains");
  expect_text(values.at(Seconds::min()), "max-age=10; includeSubDomains");
  expect_text(values.at(Seconds::max()), "max-age=1000; includeSubDomains");
}
END_TEST

START_TEST(without_a_ramp_there_is_one_value) {
  HstsValues values(value_of(parse({"on"})));
  for (long long reached : {0LL, 1LL, 63072000LL, 99999999999LL}) {
    expect_text(values.at(Seconds(reached)), "max-age=63072000");
  }
  HstsValues forget(value_of(parse({"max-age=0"})));
  expect_text(forget.at(Seconds(0)), "max-age=0");
  expect_text(forget.at(Seconds(300)), "max-age=0");
}
END_TEST

START_TEST(exactly_the_secure_responses_of_named_hosts_get_it) {
  HstsValues on(value_of(parse({"on"})));
  for (bool secure : {false, true}) {
    for (bool ip : {false, true}) {
      auto decision = decide_hsts(on, Seconds(0), secure, ip);
      if (secure && !ip) {
        ck_assert(decision.action == HstsAction::set);
        expect_text(decision.value, "max-age=63072000");
      } else {
        ck_assert(decision.action == HstsAction::remove);
        ck_assert_ptr_null(decision.value);
      }
    }
  }
}
END_TEST

START_TEST(off_neither_adds_nor_removes) {
  for (const HstsValues& off : {HstsValues(), HstsValues(value_of(parse({"off"})))}) {
    ck_assert(!off.enabled());
    for (bool secure : {false, true}) {
      for (bool ip : {false, true}) {
        auto decision = decide_hsts(off, Seconds(300), secure, ip);
        ck_assert(decision.action == HstsAction::leave);
        ck_assert_ptr_null(decision.value);
      }
    }
  }
}
END_TEST

}  // namespace

Suite* hsts_suite() {
  Suite* suite = suite_create("HSTS");
  TCase* arguments = tcase_create("TLSGuardHSTS");
  tcase_add_test(arguments, arguments_are_read);
  tcase_add_test(arguments, errors_name_directive_value_and_what_is_valid);
  tcase_add_test(arguments, preload_needs_a_year_and_sub_domains);
  suite_add_tcase(suite, arguments);
  TCase* values = tcase_create("field values");
  tcase_add_test(values, values_are_spelled_as_in_the_rfc);
  tcase_add_test(values, a_browser_reads_every_value_as_it_was_meant);
  tcase_add_test(values, the_browser_ignores_malformed_fields);
  tcase_add_test(values, the_browser_takes_odd_but_valid_fields);
  tcase_add_test(values, the_value_is_that_of_the_age_reached);
  tcase_add_test(values, without_a_ramp_there_is_one_value);
  suite_add_tcase(suite, values);
  TCase* decision = tcase_create("decision");
  tcase_add_test(decision, exactly_the_secure_responses_of_named_hosts_get_it);
  tcase_add_test(decision, off_neither_adds_nor_removes);
  suite_add_tcase(suite, decision);
  return suite;
}

}  // namespace tlsguard::test
