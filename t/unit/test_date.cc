// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <cstdint>
#include <limits>

#include "core/date.h"

namespace tlsguard::test {
namespace {

void expect(std::int64_t moment, const char* wanted) {
  std::string got = format_date(moment);
  ck_assert_str_eq(got.c_str(), wanted);
}

START_TEST(dates_are_those_of_date_u) {  // date -u -d @N +%FT%TZ
  expect(0, "1970-01-01T00:00:00Z");
  expect(-1, "1969-12-31T23:59:59Z");
  expect(951782400, "2000-02-29T00:00:00Z");
  expect(1795277700, "2026-11-21T16:15:00Z");
  expect(4107542399, "2100-02-28T23:59:59Z");
  expect(4107542400, "2100-03-01T00:00:00Z");
}
END_TEST

START_TEST(years_have_four_digits_whatever_the_number) {
  expect(253402300799, "9999-12-31T23:59:59Z");
  expect(253402300800, "9999-12-31T23:59:59Z");
  expect(-62167219201, "0000-01-01T00:00:00Z");
  expect(std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59Z");
  expect(std::numeric_limits<std::int64_t>::min(), "0000-01-01T00:00:00Z");
}
END_TEST

}  // namespace

Suite* date_suite() {
  Suite* suite = suite_create("date");
  TCase* tests = tcase_create("format");
  tcase_add_test(tests, dates_are_those_of_date_u);
  tcase_add_test(tests, years_have_four_digits_whatever_the_number);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
