// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include "core/text.h"
#include "expect.h"
#include "renew/spec_ca.h"
#include "renew/spec_names.h"

namespace tlsguard::test {
namespace {

using renew::certificate_name;
using renew::parse_domain_list;

START_TEST(names_come_in_one_spelling) {
  for (const auto& [written, wanted] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Example.ORG", "example.org"},
           {"*.Example.org", "*.example.org"},
           {"localhost", "localhost"},
           {"xn--bcher-kva.example", "xn--bcher-kva.example"},
           {"1.example", "1.example"},
           {"192.0.2.1", "192.0.2.1"},
           {"[2001:DB8:0::1]", "2001:db8::1"},
           {"2001:db8::1", "2001:db8::1"}}) {
    expect_text(value_of(certificate_name(written)), wanted);
  }
}
END_TEST

START_TEST(what_no_certificate_can_have_is_refused) {
  for (const char* text : {"",
                           ".",
                           "a..b",
                           ".a",
                           "a.",
                           "*",
                           "*.",
                           "*.*.a",
                           "a.*",
                           "a*.b",
                           "-a.b",
                           "a-.b",
                           "a_b.c",
                           "a b",
                           "a,b",
                           "http://a.b",
                           "a.b:443",
                           "192.0.2.1/24",
                           "*.192.0.2.1:1",
                           "\xc3\xa9.example"}) {
    ck_assert_msg(!certificate_name(text).has_value(), "%s", text);
  }
  std::string label(63, 'a');
  ck_assert(certificate_name(label + ".example").has_value());
  ck_assert(!certificate_name(label + "a.example").has_value());
  std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ck_assert_uint_eq(longest.size(), 253);
  ck_assert(certificate_name(longest).has_value());
  ck_assert(!certificate_name(longest + "b").has_value());
}
END_TEST

START_TEST(a_certificate_has_each_name_once_and_not_too_many) {
  auto names = value_of(renew::certificate_names({"B.example", "a.example", "b.EXAMPLE"}));
  expect_text(join(names, " "), "b.example a.example");
  expect_contains(error_of(renew::certificate_names({})), "one name");
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= renew::max_names; ++i) {
    many.push_back("n" + std::to_string(i) + ".example");
  }
  expect_contains(error_of(renew::certificate_names(many)), "101");
}
END_TEST

START_TEST(a_list_is_read_line_by_line) {
  auto list = parse_domain_list(
      "# all of them\r\n\n a.example  B.example\t# two\r\n*.c.example\nlast.example");
  ck_assert_uint_eq(list.lines.size(), 3);
  ck_assert_uint_eq(list.lines[0].number, 3);
  expect_text(join(list.lines[0].names, " "), "a.example b.example");
  expect_text(join(list.lines[1].names, " "), "*.c.example");
  ck_assert_uint_eq(list.lines[2].number, 5);
  ck_assert(list.bad.empty());
}
END_TEST

START_TEST(a_bad_line_costs_the_others_nothing) {
  auto list =
      parse_domain_list("good.example\nbad_name.example\nother.example good.example\nz.example");
  ck_assert_uint_eq(list.lines.size(), 2);
  ck_assert_uint_eq(list.bad.size(), 2);
  ck_assert_uint_eq(list.bad[0].number, 2);
  expect_contains(list.bad[0].why, "bad_name.example");
  ck_assert_uint_eq(list.bad[1].number, 3);
  expect_contains(list.bad[1].why, "'good.example' is in a line before it");
}
END_TEST

START_TEST(a_list_has_a_bound) {
  std::string text;
  for (std::size_t i = 0; i <= renew::max_list_lines + 5; ++i) {
    text += "n" + std::to_string(i) + ".example\n";
  }
  auto list = parse_domain_list(text);
  ck_assert_uint_eq(list.lines.size(), renew::max_list_lines);
  ck_assert_uint_eq(list.bad.size(), 1);
}
END_TEST

START_TEST(cas_have_names_and_urls) {
  auto letsencrypt = value_of(renew::parse_ca("LetsEncrypt"));
  expect_text(letsencrypt.name, "letsencrypt");
  expect_text(letsencrypt.directory_url, "https://acme-v02.api.letsencrypt.org/directory");
  ck_assert(value_of(renew::parse_ca("internal")).internal());
  auto own = value_of(renew::parse_ca("https://ca.example.net:14000/dir"));
  expect_text(own.name, own.directory_url);
  ck_assert_ptr_null(renew::find_known_ca(own));
  ck_assert_ptr_eq(renew::find_known_ca(
                       value_of(renew::parse_ca("https://acme-v02.api.letsencrypt.org/directory"))),
                   renew::find_known_ca(letsencrypt));
  for (const renew::KnownCa& known : renew::known_cas()) {
    ck_assert_ptr_eq(renew::find_known_ca(value_of(renew::parse_ca(known.name))), &known);
  }
}
END_TEST

START_TEST(other_urls_are_refused_and_the_names_are_listed) {
  for (const char* text : {"", "letsencrypt2", "http://ca.example", "https://", "https:///dir",
                           "https://ca.example/a b", "ftp://ca.example"}) {
    std::string why = error_of(renew::parse_ca(text));
    for (const renew::KnownCa& known : renew::known_cas()) expect_contains(why, known.name);
    expect_contains(why, text);
  }
}
END_TEST

}  // namespace

Suite* spec_names_suite() {
  Suite* suite = suite_create("spec_names");
  TCase* tests = tcase_create("spec_names");
  tcase_add_test(tests, names_come_in_one_spelling);
  tcase_add_test(tests, what_no_certificate_can_have_is_refused);
  tcase_add_test(tests, a_certificate_has_each_name_once_and_not_too_many);
  tcase_add_test(tests, a_list_is_read_line_by_line);
  tcase_add_test(tests, a_bad_line_costs_the_others_nothing);
  tcase_add_test(tests, a_list_has_a_bound);
  tcase_add_test(tests, cas_have_names_and_urls);
  tcase_add_test(tests, other_urls_are_refused_and_the_names_are_listed);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
