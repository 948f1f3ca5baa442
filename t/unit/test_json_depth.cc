// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <string>

#include "core/json_depth.h"

namespace tlsguard::test {
namespace {

START_TEST(objects_and_lists_count) {
  ck_assert(!is_json_deeper("", 0));
  ck_assert(!is_json_deeper("17", 0));
  ck_assert(is_json_deeper("[]", 0));
  ck_assert(!is_json_deeper("[]", 1));
  ck_assert(!is_json_deeper(R"({"a":[{"b":[]}]})", 4));
  ck_assert(is_json_deeper(R"({"a":[{"b":[]}]})", 3));
  ck_assert(!is_json_deeper("[[],[],[],[],{},{}]", 2));
}
END_TEST

START_TEST(brackets_in_texts_do_not) {
  ck_assert(!is_json_deeper(R"(["[[[[{{{{"])", 1));
  ck_assert(!is_json_deeper(R"(["\"[[[[", "\\"])", 1));
  ck_assert(is_json_deeper(R"(["\\", [[]]])", 2));
  ck_assert(is_json_deeper(R"({"[":[[]]})", 2));
}
END_TEST

START_TEST(any_text_has_an_answer) {
  std::string deep(100000, '[');
  ck_assert(is_json_deeper(deep, 32));
  ck_assert(!is_json_deeper(std::string(100000, ']'), 0));
  ck_assert(!is_json_deeper("\"\\", 0));
  ck_assert(!is_json_deeper("\"[", 0));
}
END_TEST

}  // namespace

Suite* json_depth_suite() {
  Suite* suite = suite_create("json_depth");
  TCase* tcase = tcase_create("json_depth");
  tcase_add_test(tcase, objects_and_lists_count);
  tcase_add_test(tcase, brackets_in_texts_do_not);
  tcase_add_test(tcase, any_text_has_an_answer);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
