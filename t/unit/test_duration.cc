// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <fmt/format.h>

#include "core/duration.h"

namespace tlsguard::test {
namespace {

long long parsed(std::string_view text, PlainNumber plain = PlainNumber::error) {
  return value_of(parse_duration(text, plain)).count();
}

std::string refused(std::string_view text, PlainNumber plain = PlainNumber::error) {
  return error_of(parse_duration(text, plain));
}

START_TEST(each_unit_has_its_length) {
  ck_assert_int_eq(parsed("30s"), 30);
  ck_assert_int_eq(parsed("10m"), 600);
  ck_assert_int_eq(parsed("12h"), 43200);
  ck_assert_int_eq(parsed("14d"), 1209600);
  ck_assert_int_eq(parsed("4w"), 2419200);
  ck_assert_int_eq(parsed("1y"), 31536000);
  ck_assert_int_eq(parsed("1Y"), 31536000);
  ck_assert_int_eq(parsed("0s"), 0);
  ck_assert_int_eq(parsed("007d"), 604800);
}
END_TEST

START_TEST(a_plain_number_is_what_the_caller_says) {
  ck_assert_int_eq(parsed("90", PlainNumber::seconds), 90);
  ck_assert_int_eq(parsed("90", PlainNumber::days), 7776000);
  ck_assert_int_eq(parsed("90s", PlainNumber::days), 90);
  expect_contains(refused("90"), "'90' is not a duration: valid are a whole number and a unit");
}
END_TEST

START_TEST(anything_else_is_an_error_that_names_it) {
  for (std::string_view text : {"", " ", "d", "1 d", " 1d", "1d ", "+1d", "-1d", "1.5d", "1,5d",
                                "1dd", "1d2h", "1ms", "1mi", "1x", "0x10s", "1\xc2\xb5", "d1"}) {
    for (PlainNumber plain : {PlainNumber::seconds, PlainNumber::days, PlainNumber::error}) {
      expect_contains(refused(text, plain), fmt::format("'{}' is not a duration", text));
    }
  }
  expect_contains(refused("x", PlainNumber::seconds), "or a plain number of seconds");
  expect_contains(refused("x", PlainNumber::days), "or a plain number of days");
}
END_TEST

START_TEST(a_century_is_the_limit) {
  ck_assert_int_eq(parsed("100y"), 3153600000LL);
  ck_assert_int_eq(parsed("3153600000s"), 3153600000LL);
  for (std::string_view text :
       {"101y", "3153600001s", "36501d", "18446744073709551615y", "18446744073709551616s",
        "99999999999999999999999999999999999999d"}) {
    expect_contains(refused(text), fmt::format("'{}' is too long", text));
  }
  expect_contains(refused("99999999999999999999x"), "is not a duration");
}
END_TEST

START_TEST(the_shortest_exact_spelling_is_chosen) {
  expect_text(format_duration(Seconds(0)), "0s");
  expect_text(format_duration(Seconds(90)), "90s");
  expect_text(format_duration(Seconds(60)), "1m");
  expect_text(format_duration(Seconds(604800)), "1w");
  expect_text(format_duration(Seconds(30 * 86400)), "30d");
  expect_text(format_duration(Seconds(63072000)), "2y");
  expect_text(format_duration(Seconds(-90)), "-90s");
}
END_TEST

START_TEST(what_is_formatted_is_read_back) {
  for (long long count = 0; count < 3153600000LL; count = count * 3 / 2 + 1) {
    for (long long unit : {1LL, 60LL, 3600LL, 86400LL, 604800LL}) {
      Seconds duration(count / unit * unit);
      ck_assert(value_of(parse_duration(format_duration(duration), PlainNumber::error)) ==
                duration);
    }
  }
}
END_TEST

}  // namespace

Suite* duration_suite() {
  Suite* suite = suite_create("duration");
  TCase* tests = tcase_create("duration");
  tcase_add_test(tests, each_unit_has_its_length);
  tcase_add_test(tests, a_plain_number_is_what_the_caller_says);
  tcase_add_test(tests, anything_else_is_an_error_that_names_it);
  tcase_add_test(tests, a_century_is_the_limit);
  tcase_add_test(tests, the_shortest_exact_spelling_is_chosen);
  tcase_add_test(tests, what_is_formatted_is_read_back);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
