// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include "core/date.h"
#include "core/parse_date.h"

namespace tlsguard::test {
namespace {

constexpr UnixSeconds now = 1795277700;  // 2026-11-21T16:15:00Z

START_TEST(rfc3339_dates) {
  ck_assert_int_eq(*parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  ck_assert_int_eq(*parse_rfc3339("2026-11-21T16:15:00Z"), now);
  ck_assert_int_eq(*parse_rfc3339("2026-11-21t16:15:00z"), now);
  ck_assert_int_eq(*parse_rfc3339("2026-11-21 16:15:00.999999999Z"), now);
  ck_assert_int_eq(*parse_rfc3339("2026-11-21T18:15:00+02:00"), now);
  ck_assert_int_eq(*parse_rfc3339("2026-11-21T10:45:00-05:30"), now);
  ck_assert_int_eq(*parse_rfc3339("2016-12-31T23:59:60Z"), 1483228800);
  ck_assert_int_eq(*parse_rfc3339("2024-02-29T12:00:00Z"), 1709208000);
  for (UnixSeconds moment : {-62167219200LL, -1LL, 951782400LL, 253402300799LL}) {
    ck_assert_int_eq(*parse_rfc3339(format_date(moment)), moment);
  }
}
END_TEST

START_TEST(what_is_no_rfc3339_date) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T16:15:00",
                           "2026-11-21T16:15Z",
                           "2026-13-21T16:15:00Z",
                           "2026-11-31T16:15:00Z",
                           "2026-02-29T16:15:00Z",
                           "2026-11-21T24:15:00Z",
                           "2026-11-21T16:60:00Z",
                           "2026-11-21T16:15:61Z",
                           "2026-11-21T16:15:00.Z",
                           "2026-11-21T16:15:00+2:00",
                           "2026-11-21T16:15:00+24:00",
                           "2026-11-21T16:15:00+0200",
                           "2026-11-21T16:15:00Z ",
                           " 2026-11-21T16:15:00Z",
                           "20261121T161500Z",
                           "+026-11-21T16:15:00Z",
                           "2026-11-21T-1:15:00Z",
                           "2026-00-21T16:15:00Z",
                           "2026-11-00T16:15:00Z",
                           "2026-11-21T16:15:00ZZ"}) {
    ck_assert_msg(!parse_rfc3339(text), "%s", text);
  }
}
END_TEST

START_TEST(http_dates_have_three_forms) {
  ck_assert_int_eq(*parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), 784111777);
  ck_assert_int_eq(*parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), 784111777);
  ck_assert_int_eq(*parse_http_date("Sun Nov  6 08:49:37 1994", now), 784111777);
  ck_assert_int_eq(*parse_http_date("Sat Nov 26 08:49:37 1994", now), 785839777);
  ck_assert_int_eq(*parse_http_date("Sat, 21 Nov 2026 16:15:00 GMT", now), now);
}
END_TEST

START_TEST(two_digits_of_a_year_are_those_of_a_near_one) {
  ck_assert_int_eq(*parse_http_date("Saturday, 21-Nov-26 16:15:00 GMT", now), now);
  // 50 years ahead is ahead, 51 is in the past (RFC 9110 5.6.7).
  expect_text(format_date(*parse_http_date("Monday, 01-Jan-76 00:00:00 GMT", now)),
              "2076-01-01T00:00:00Z");
  expect_text(format_date(*parse_http_date("Monday, 01-Jan-77 00:00:00 GMT", now)),
              "1977-01-01T00:00:00Z");
}
END_TEST

START_TEST(what_is_no_http_date) {
  for (const char* text :
       {"", " ", "Sun", "Sun,", "Sun, ", "120", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
        "Sun, 06 Nov 1994 08:49:37 GMT,", "2026-11-21T16:15:00Z"}) {
    ck_assert_msg(!parse_http_date(text, now), "%s", text);
  }
}
END_TEST

}  // namespace

Suite* parse_date_suite() {
  Suite* suite = suite_create("parse_date");
  TCase* tcase = tcase_create("parse_date");
  tcase_add_test(tcase, rfc3339_dates);
  tcase_add_test(tcase, what_is_no_rfc3339_date);
  tcase_add_test(tcase, http_dates_have_three_forms);
  tcase_add_test(tcase, two_digits_of_a_year_are_those_of_a_near_one);
  tcase_add_test(tcase, what_is_no_http_date);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
