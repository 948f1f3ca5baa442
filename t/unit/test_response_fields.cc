// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <string>
#include <vector>

#include "net/response_fields.h"

namespace tlsguard::test {
namespace {

using net::HttpResponse;

constexpr UnixSeconds now = 1795277700;  // Sat, 21 Nov 2026 16:15:00 GMT

std::int64_t wait_of(const std::string& value, const std::string& date = "") {
  HttpResponse response{503, {{"retry-after", value}}, ""};
  if (!date.empty()) response.fields.emplace_back("date", date);
  return net::retry_after(response, now).value_or(-1);
}

START_TEST(retry_after_is_a_number_or_a_date) {
  ck_assert_int_eq(net::retry_after(HttpResponse(), now).value_or(-1), -1);
  ck_assert_int_eq(wait_of("120"), 120);
  ck_assert_int_eq(wait_of(" 120 "), 120);
  ck_assert_int_eq(wait_of("0"), 0);
  ck_assert_int_eq(wait_of("Sat, 21 Nov 2026 16:16:00 GMT"), 60);
  ck_assert_int_eq(wait_of("Sat Nov 21 16:16:00 2026"), 60);
  ck_assert_int_eq(wait_of("Saturday, 21-Nov-26 16:16:00 GMT"), 60);
  // The past.
  ck_assert_int_eq(wait_of("Sat, 21 Nov 2026 16:14:00 GMT"), 0);
}
END_TEST

START_TEST(a_date_is_held_against_the_cas_own_clock) {
  ck_assert_int_eq(wait_of("Thu, 21 Nov 2030 16:16:00 GMT", "Thu, 21 Nov 2030 16:15:30 GMT"), 30);
  ck_assert_int_eq(wait_of("Sat, 21 Nov 2026 16:16:00 GMT", "no date"), 60);
}
END_TEST

START_TEST(what_is_no_retry_after_is_none) {
  for (const char* value : {"", " ", "-1", "1.5", "1e9", "+5", "soon", "0x10", "12 s", "1,2"}) {
    ck_assert_msg(wait_of(value) == -1, "%s", value);
  }
}
END_TEST

START_TEST(no_wait_is_endless) {
  ck_assert_int_eq(wait_of("99999999999999999999999999"), net::max_retry_after);
  ck_assert_int_eq(wait_of("9223372036854775807"), net::max_retry_after);
  ck_assert_int_eq(wait_of("Sun, 21 Nov 9999 16:16:00 GMT"), net::max_retry_after);
}
END_TEST

std::string links_of(const std::vector<std::string>& values, std::size_t limit = 8) {
  HttpResponse response;
  response.fields.emplace_back("content-type", "<not>;rel=alternate");
  for (const std::string& value : values) response.fields.emplace_back("link", value);
  std::string joined;
  for (const std::string& target : net::links(response, "alternate", limit)) {
    joined += target + " ";
  }
  return joined;
}

START_TEST(links_of_one_relation) {
  expect_text(links_of({}), "");
  expect_text(links_of({"<a>;rel=\"alternate\"", "<b>;rel=index", "<c>; rel=alternate"}), "a c ");
  expect_text(links_of({"<a>;rel=\"alternate\", <b>;rel=\"up\" , <c>;rel=ALTERNATE"}), "a c ");
  expect_text(links_of({"<a,b;c>; title=\"x, <y>; \\\" rel=alternate\"; rel=\"up alternate\""}),
              "a,b;c ");
  expect_text(links_of({"<a> ;\tREL = alternate"}), "a ");
  expect_text(links_of({"<>;rel=alternate"}), " ");
  // Only the first rel counts.
  expect_text(links_of({"<a>;rel=up;rel=alternate"}), "");
  expect_text(links_of({"<a>;rel=alternates,<b>;rel=alt,<c>"}), "");
}
END_TEST

START_TEST(malformed_links_are_passed_over) {
  expect_text(links_of({"<a"}), "");
  expect_text(links_of({"a>;rel=alternate"}), "");
  expect_text(links_of({"<a>;rel=\"alternate"}), "a ");
  expect_text(links_of({"<a>;rel=\"alternate\\"}), "");
  expect_text(links_of({"<a>;;;rel=alternate"}), "a ");
  expect_text(links_of({"<a>;=;rel=alternate"}), "a ");
  expect_text(links_of({"<a> rel=alternate, <b>;rel=alternate"}), "b ");
  expect_text(links_of({";;;,,,<<<>>>\"\"\""}), "");
}
END_TEST

START_TEST(links_without_an_end) {
  expect_text(links_of({std::string(60000, '<')}), "");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "<" + std::to_string(i) + ">;rel=alternate,";
  expect_text(links_of({many}), "0 1 2 3 4 5 6 7 ");
  expect_text(links_of({many, many}, 1), "0 ");
  expect_text(links_of({"<a>" + std::string(60000, ';') + "rel=alternate"}), "a ");
  expect_text(links_of({"<a>;rel=\"" + std::string(60000, ' ') + "alternate\""}), "a ");
}
END_TEST

START_TEST(media_types) {
  auto type = [](const char* value) {
    return net::media_type({200, {{"content-type", value}}, ""});
  };
  expect_text(net::media_type({}), "");
  expect_text(type("Application/JSON"), "application/json");
  expect_text(type("application/problem+json; charset=utf-8"), "application/problem+json");
  expect_text(type(" text/html ;x"), "text/html");
  expect_text(type(""), "");
}
END_TEST

}  // namespace

Suite* response_fields_suite() {
  Suite* suite = suite_create("response_fields");
  TCase* tcase = tcase_create("response_fields");
  tcase_add_test(tcase, retry_after_is_a_number_or_a_date);
  tcase_add_test(tcase, a_date_is_held_against_the_cas_own_clock);
  tcase_add_test(tcase, what_is_no_retry_after_is_none);
  tcase_add_test(tcase, no_wait_is_endless);
  tcase_add_test(tcase, links_of_one_relation);
  tcase_add_test(tcase, malformed_links_are_passed_over);
  tcase_add_test(tcase, links_without_an_end);
  tcase_add_test(tcase, media_types);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
