// SPDX-License-Identifier: Apache-2.0
#include <check.h>

#include <random>
#include <string>
#include <vector>

#include "core/name_table.h"
#include "suites.h"

namespace tlsguard::test {
namespace {

// httpd's walk: the first virtual host in file order with a name or pattern that matches.
struct Named {
  std::string text;
  bool pattern;
};

int walk(const std::vector<Named>& names, const std::string& asked) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    bool match = names[i].pattern ? tlsguard::matches_alias_pattern(asked, names[i].text)
                                  : tlsguard::equal_ignoring_case(asked, names[i].text);
    if (match) return static_cast<int>(i);
  }
  return -1;
}

int look_up(const NameTable<int>& table, const std::string& asked) {
  const int* found = table.find(asked);
  return found != nullptr ? *found : -1;
}

START_TEST(earlier_pattern_beats_later_name) {
  NameTable<int> table;
  table.add_name("first.example.org", 0);
  table.add_pattern("*.example.org", 1);
  table.add_name("later.example.org", 2);
  ck_assert_int_eq(look_up(table, "first.example.org"), 0);
  ck_assert_int_eq(look_up(table, "LATER.example.org"), 1);
  ck_assert_int_eq(look_up(table, "a.b.example.org"), 1);  // '*' takes dots
  ck_assert_int_eq(look_up(table, "example.org"), -1);
  ck_assert_int_eq(look_up(table, "later.example.org."), -1);  // no trailing dot
  ck_assert_int_eq(look_up(table, ""), -1);
  ck_assert_int_eq(look_up(table, std::string(256, 'a')), -1);
}
END_TEST

START_TEST(known_name_keeps_its_value) {
  NameTable<int> table;
  ck_assert_int_eq(table.add_name("a", 1), 1);
  ck_assert_int_eq(table.add_name("A", 2), 1);
  table.add_name("a", 3) = 7;
  ck_assert_int_eq(look_up(table, "a"), 7);
  ck_assert_int_eq(table.add_pattern("x?y", 1), 1);
  ck_assert_int_eq(table.add_pattern("X?Y", 2), 1);
}
END_TEST

START_TEST(each_gives_all_that_match) {
  NameTable<int> table;
  table.add_pattern("*.example.org", 1);
  table.add_name("a.example.org", 2);
  table.add_pattern("a.*", 4);
  table.add_pattern("*.org", 8);
  table.add_name("b.example.org", 16);
  int all = 0;
  int exact = 0;
  auto ask = [&](const std::string& asked) {
    all = exact = 0;
    table.each(asked, [&](int value, bool is_exact) {
      all += value;
      if (is_exact) exact += value;
    });
  };
  ask("A.example.org");
  ck_assert_int_eq(all, 1 + 2 + 4 + 8);
  ck_assert_int_eq(exact, 2);
  ask("a.org");
  ck_assert_int_eq(all, 4 + 8);
  ck_assert_int_eq(exact, 0);
  ask("example.com");
  ck_assert_int_eq(all, 0);
  ask(std::string(256, 'a'));
  ck_assert_int_eq(all, 0);
}
END_TEST

START_TEST(agrees_with_the_walk) {
  std::mt19937 random(20261120);  // NOLINT(cert-msc51-cpp): the same cases each time
  const std::vector<std::string> parts{"a", "b", "ab", "x1", "*", "?", "a*", "*b"};
  auto some = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  auto name = [&](bool pattern) {
    std::string text;
    for (std::size_t i = 0, n = 1 + some(2); i < n; ++i) {
      text += (i > 0 ? "." : "") + parts[some(pattern ? parts.size() - 1 : 3)];
    }
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Named> names;
    NameTable<int> table;
    for (int i = 0; i < 12; ++i) {
      bool pattern = some(1) == 1;
      names.push_back({name(pattern), pattern});
      if (pattern) {
        table.add_pattern(names.back().text, i);
      } else {
        table.add_name(names.back().text, i);
      }
    }
    for (int i = 0; i < 40; ++i) {
      std::string asked = name(false);
      ck_assert_msg(look_up(table, asked) == walk(names, asked), "%s", asked.c_str());
    }
  }
}
END_TEST

}  // namespace

Suite* name_table_suite() {
  Suite* suite = suite_create("name_table");
  TCase* cases = tcase_create("names");
  tcase_add_test(cases, earlier_pattern_beats_later_name);
  tcase_add_test(cases, known_name_keeps_its_value);
  tcase_add_test(cases, each_gives_all_that_match);
  tcase_add_test(cases, agrees_with_the_walk);
  suite_add_tcase(suite, cases);
  return suite;
}

}  // namespace tlsguard::test
