// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <string>

#include "core/json_depth.h"

namespace tlsguard::test {
namespace {

START_TEST(objects_and_arrays_count) {
  ck_assert(!nested_deeper_than(0, "17"));
  ck_assert(nested_deeper_than(0, "[]"));
  ck_assert(!nested_deeper_than(1, "[]"));
  ck_assert(nested_deeper_than(1, R"({"a":[1]})"));
  ck_assert(!nested_deeper_than(2, R"({"a":[1],"b":[2],"c":{"d":3}})"));
  ck_assert(nested_deeper_than(2, R"({"a":[1],"b":[[2]]})"));
  ck_assert(nested_deeper_than(100, std::string(101, '[')));
}
END_TEST

START_TEST(what_stands_in_strings_does_not) {
  ck_assert(!nested_deeper_than(1, R"(["[[[{{{"])"));
  ck_assert(!nested_deeper_than(1, R"(["\"[[["])"));
  ck_assert(nested_deeper_than(1, R"(["\\",[]])"));
  ck_assert(nested_deeper_than(1, R"({"]}":[]})"));
}
END_TEST

START_TEST(any_text_is_safe) {
  for (const char* text : {"", "\"", "\"\\", "]]]]", "}[", "\xff[\xfe"}) {
    ck_assert(!nested_deeper_than(1, text));
  }
}
END_TEST

}  // namespace

Suite* json_depth_suite() {
  Suite* suite = suite_create("JSON depth");
  TCase* tests = tcase_create("depth");
  tcase_add_test(tests, objects_and_arrays_count);
  tcase_add_test(tests, what_stands_in_strings_does_not);
  tcase_add_test(tests, any_text_is_safe);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
