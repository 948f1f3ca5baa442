// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <string>
#include <vector>

#include "core/dns_name.h"

namespace tlsguard::test {
namespace {

START_TEST(patterns_match_as_in_server_alias) {
  struct {
    const char* name;
    const char* pattern;
    bool matches;
  } cases[] = {
      {"www.example.com", "www.example.com", true},
      {"WWW.Example.COM", "www.eXample.com", true},
      {"www.example.com", "*.example.com", true},
      {"a.b.example.com", "*.example.com", true},
      {"example.com", "*.example.com", false},
      {".example.com", "*.example.com", true},
      {"www.example.com.", "*.example.com", false},
      {"www1.example.com", "www?.example.com", true},
      {"www.example.com", "www?.example.com", false},
      {"www12.example.com", "www?.example.com", false},
      {"anything", "*", true},
      {"", "*", true},
      {"", "", true},
      {"", "?", false},
      {"a", "", false},
      {"a", "**", true},
      {"example.com", "ex*le.*", true},
      {"a.example.org", "*.example.com", false},
      {"aXb", "a[xX]b", false},
  };
  for (const auto& c : cases) {
    ck_assert_msg(matches_alias_pattern(c.name, c.pattern) == c.matches, "%s, %s", c.name,
                  c.pattern);
  }
}
END_TEST

// The definition of a match, with no regard for time.
bool matches_by_definition(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return matches_by_definition(name, pattern.substr(1)) ||
           (!name.empty() && matches_by_definition(name.substr(1), pattern));
  }
  return !name.empty() && (pattern.front() == '?' || pattern.front() == name.front()) &&
         matches_by_definition(name.substr(1), pattern.substr(1));
}

std::vector<std::string> all_words(std::string_view letters, std::size_t longest) {
  std::vector<std::string> words{""};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].size() == longest) break;
    for (char c : letters) words.push_back(words[i] + c);
  }
  return words;
}

START_TEST(every_short_pattern_matches_by_the_definition) {
  auto names = all_words("a.", 5);
  std::size_t hits = 0;
  for (const std::string& pattern : all_words("a.*?", 5)) {
    for (const std::string& name : names) {
      bool matches = matches_alias_pattern(name, pattern);
      ck_assert_msg(matches == matches_by_definition(name, pattern), "%s, %s", name.c_str(),
                    pattern.c_str());
      if (matches) ++hits;
    }
  }
  ck_assert_uint_gt(hits, 1000);
}
END_TEST

START_TEST(many_stars_take_no_long_time) {
  std::string name(20000, 'a');
  std::string pattern;
  for (int i = 0; i < 5000; ++i) pattern += "*a";
  ck_assert(matches_alias_pattern(name, pattern));
  ck_assert(!matches_alias_pattern(name, pattern + "b"));
}
END_TEST

START_TEST(addresses_are_ip_literals) {
  for (const char* host :
       {"192.0.2.1", "0.0.0.0", "255.255.255.255", "192.0.2.1.", "::1", "[::1]", "2001:DB8::1",
        "[2001:db8::1]", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]", "[fe80::1%eth0]",
        "[fe80::1%25eth0]", "fe80::1%eth0", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789"}) {
    ck_assert_msg(is_ip_literal(host), "%s", host);
  }
}
END_TEST

START_TEST(names_and_odd_texts_are_not) {
  for (const char* host : {"",
                           ".",
                           "..",
                           "example.com",
                           "localhost",
                           "a1",
                           "1",
                           "12345",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.4..",
                           "256.1.1.1",
                           "1.2.3.04x",
                           "192.0.2.1.example",
                           "xn--p1ai",
                           "abcd",
                           "[",
                           "]",
                           "[]",
                           "[::1",
                           "::1]",
                           "[192.0.2.1]",
                           "[example]",
                           "1::2::3",
                           "12345::",
                           "[[::1]]",
                           "192.0.2.1:80",
                           "[::1]:80",
                           "cafe",
                           "dead.beef",
                           " 192.0.2.1"}) {
    ck_assert_msg(!is_ip_literal(host), "%s", host);
  }
  ck_assert(!is_ip_literal(std::string_view("192.0.2.1\0", 10)));
  ck_assert(!is_ip_literal(std::string_view("192.0.2.1\0.1", 12)));
  ck_assert(!is_ip_literal(std::string(70, '1')));
  ck_assert(!is_ip_literal("[" + std::string(5000, ':') + "]"));
}
END_TEST

}  // namespace

Suite* dns_name_suite() {
  Suite* suite = suite_create("DNS name");
  TCase* tests = tcase_create("DNS name");
  tcase_add_test(tests, patterns_match_as_in_server_alias);
  tcase_add_test(tests, every_short_pattern_matches_by_the_definition);
  tcase_add_test(tests, many_stars_take_no_long_time);
  tcase_add_test(tests, addresses_are_ip_literals);
  tcase_add_test(tests, names_and_odd_texts_are_not);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
