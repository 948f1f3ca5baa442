// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include "policy/policy.h"

namespace tlsguard::policy {
namespace {

using test::error_of;
using test::expect_contains;
using test::expect_text;
using test::value_of;

Settings minimum(Protocol protocol) {
  Settings settings;
  settings.min_protocol = protocol;
  return settings;
}

START_TEST(built_in_policies_are_found_by_every_name) {
  const Catalogue catalogue;
  expect_text(value_of(catalogue.find("modern")).id(), "mozilla-modern@6.0");
  expect_text(value_of(catalogue.find("MODERN")).id(), "mozilla-modern@6.0");
  expect_text(value_of(catalogue.find("mozilla-modern")).id(), "mozilla-modern@6.0");
  expect_text(value_of(catalogue.find("mozilla-modern@5.7")).id(), "mozilla-modern@5.7");
  expect_text(value_of(catalogue.find("Baseline@1")).id(), "baseline@1");
  for (const std::string& name : catalogue.names()) {
    expect_text(value_of(catalogue.find(name)).id(), name);
  }
}
END_TEST

START_TEST(an_unknown_name_is_answered_with_the_valid_ones) {
  Catalogue catalogue;
  ck_assert(catalogue.define("house", "", {}, "a.conf:1").has_value());
  const std::string text = error_of(catalogue.find("modrn"));
  expect_contains(text, "unknown policy 'modrn' (did you mean modern?)");
  for (const std::string& name : catalogue.names()) expect_contains(text, name);
  expect_contains(text, "modern, intermediate, old");
  expect_contains(text, "house");
  expect_contains(error_of(catalogue.find("")), "unknown policy ''");
  ck_assert(error_of(catalogue.find("zzzzzzzz")).find("did you mean") == std::string::npos);
}
END_TEST

START_TEST(an_unknown_version_is_answered_with_the_versions) {
  const Catalogue catalogue;
  expect_text(error_of(catalogue.find("mozilla-modern@4.0")),
              "there is no policy 'mozilla-modern@4.0': valid are mozilla-modern@5.7, "
              "mozilla-modern@5.8, mozilla-modern@6.0");
  // An alias stands for one version and takes none.
  expect_contains(error_of(catalogue.find("modern@5.7")), "valid are mozilla-modern@5.7");
}
END_TEST

START_TEST(an_own_policy_begins_with_the_baseline) {
  Catalogue catalogue;
  ck_assert(catalogue.define("house", "", minimum(Protocol::tls1_3), "a.conf:7").has_value());
  const Policy house = value_of(catalogue.find("HOUSE"));
  const Policy base = value_of(catalogue.find("baseline"));
  expect_text(house.id(), "house");
  expect_text(house.source, "a.conf:7");
  expect_contains(house.note, "baseline@1");
  ck_assert(house.min_protocol == Protocol::tls1_3);
  ck_assert(house.suites == base.suites && house.groups == base.groups);
  ck_assert(house.min_rsa_bits == base.min_rsa_bits && house.min_hsts_age == base.min_hsts_age);
}
END_TEST

START_TEST(own_policies_build_on_each_other_in_any_order) {
  Catalogue catalogue;
  Settings groups;
  groups.groups = std::vector<std::string>{"P-384"};
  ck_assert(catalogue.define("child", "Parent", groups, "a.conf:1").has_value());
  ck_assert(
      catalogue.define("parent", "modern", minimum(Protocol::tls1_3), "a.conf:2").has_value());
  ck_assert(catalogue.resolve_all().has_value());
  const Policy child = value_of(catalogue.find("child"));
  expect_text(child.id(), "child");
  ck_assert(child.groups == std::vector<std::string>{"P-384"});
  ck_assert(child.server_preference == false);  // of mozilla-modern
  expect_contains(child.note, "parent");
}
END_TEST

START_TEST(a_name_is_taken_only_once) {
  Catalogue catalogue;
  ck_assert(catalogue.define("house", "", {}, "a.conf:1").has_value());
  expect_contains(error_of(catalogue.define("House", "", {}, "a.conf:9")),
                  "already defined at a.conf:1");
  for (const char* name : {"baseline", "Modern", "mozilla-old", "baseline@1", "none"}) {
    ck_assert_msg(!catalogue.define(name, "", {}, "a.conf:2").has_value(), "%s", name);
  }
  for (const char* name : {"", "two words", "house@1", "a/b", "\xc3\xa4"}) {
    expect_contains(error_of(catalogue.define(name, "", {}, "a.conf:3")),
                    "cannot be the name of a policy");
  }
}
END_TEST

START_TEST(a_cycle_is_an_error_that_names_its_place) {
  Catalogue catalogue;
  ck_assert(catalogue.define("a", "b", {}, "x.conf:1").has_value());
  ck_assert(catalogue.define("b", "c", {}, "x.conf:2").has_value());
  ck_assert(catalogue.define("c", "A", {}, "x.conf:3").has_value());
  expect_text(error_of(catalogue.resolve_all()),
              "x.conf:1: policy 'a' is defined by way of itself: a from b from c from a");
  Catalogue own;
  ck_assert(own.define("me", "me", {}, "x.conf:4").has_value());
  expect_text(error_of(own.find("me")),
              "x.conf:4: policy 'me' is defined by way of itself: me from me");
}
END_TEST

START_TEST(an_unknown_parent_is_an_error_that_names_its_place) {
  Catalogue catalogue;
  ck_assert(catalogue.define("child", "parent", {}, "x.conf:1").has_value());
  ck_assert(catalogue.define("parent", "moderm", {}, "x.conf:2").has_value());
  const std::string text = error_of(catalogue.find("child"));
  ck_assert_msg(text.starts_with("x.conf:2: unknown policy 'moderm' (did you mean modern?)"), "%s",
                text.c_str());
}
END_TEST

START_TEST(a_setting_that_does_not_fit_is_an_error_that_names_its_place) {
  Catalogue catalogue;
  Settings settings;
  settings.max_protocol = Protocol::tls1_2;
  ck_assert(catalogue.define("house", "modern", settings, "x.conf:5").has_value());
  expect_text(error_of(catalogue.resolve_all()),
              "x.conf:5: policy 'house': the minimum version TLSv1.3 is above the maximum TLSv1.2 "
              "(policy mozilla-modern@6.0 has TLSv1.3 to TLSv1.3)");
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* catalogue_suite() {
  Suite* suite = suite_create("catalogue");
  TCase* tests = tcase_create("catalogue");
  tcase_add_test(tests, policy::built_in_policies_are_found_by_every_name);
  tcase_add_test(tests, policy::an_unknown_name_is_answered_with_the_valid_ones);
  tcase_add_test(tests, policy::an_unknown_version_is_answered_with_the_versions);
  tcase_add_test(tests, policy::an_own_policy_begins_with_the_baseline);
  tcase_add_test(tests, policy::own_policies_build_on_each_other_in_any_order);
  tcase_add_test(tests, policy::a_name_is_taken_only_once);
  tcase_add_test(tests, policy::a_cycle_is_an_error_that_names_its_place);
  tcase_add_test(tests, policy::an_unknown_parent_is_an_error_that_names_its_place);
  tcase_add_test(tests, policy::a_setting_that_does_not_fit_is_an_error_that_names_its_place);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
