// SPDX-License-Identifier: Apache-2.0
// Directories of domains: readable, and never one for two names.
#include "suites.h"

#include <set>
#include <string>
#include <vector>

#include "expect.h"
#include "store/layout.h"

namespace tlsguard::test {
namespace {

using store::directory_of;

START_TEST(common_names_are_readable) {
  for (auto [name, directory] : std::vector<std::pair<const char*, const char*>>{
           {"example.org", "example.org"},
           {"WWW.Example.ORG", "www.example.org"},
           {"*.example.org", "_wildcard.example.org"},
           {"192.0.2.7", "192.0.2.7"},
           {"2001:db8::1", "2001_db8__1"},
           {"::ffff:192.0.2.7", "__ffff_192.0.2.7"},
           {"xn--mller-kva.example", "xn--mller-kva.example"}}) {
    expect_text(directory_of(name), directory);
  }
}
END_TEST

START_TEST(no_two_names_share_a_directory) {
  const std::string label(63, 'a');
  const std::string long_name = label + "." + label + "." + label + ".";
  const std::string nul("a\0b", 3);
  std::set<std::string> seen;
  std::vector<std::string> names{"example.org",
                                 "*.example.org",
                                 "_wildcard.example.org",
                                 "2001:db8::1",
                                 "2001_db8__1",
                                 "*.2001:db8::1",
                                 "*",
                                 "*.",
                                 "",
                                 ".",
                                 "..",
                                 ".example.org",
                                 "a/b",
                                 "a_b",
                                 "a:b",
                                 "a*b",
                                 "a~b",
                                 nul,
                                 "a b",
                                 "m\xc3\xbcller.example",
                                 "*.*.example.org",
                                 "::",
                                 "__",
                                 long_name + "b.org",
                                 long_name + "c.org",
                                 "*." + long_name + "b.org",
                                 std::string(5000, 'x'),
                                 std::string(5001, 'x')};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string directory = directory_of(names[i]);
    ck_assert_msg(seen.insert(directory).second, "'%s' is used twice", directory.c_str());
    // One component, not hidden, with room for an ending.
    ck_assert_uint_le(directory.size(), 160);
    ck_assert(!directory.empty() && directory.front() != '.');
    ck_assert(directory.find_first_of(std::string("/\0", 2)) == std::string::npos);
    // And none is the directory of a name that looks like it.
    if (directory != names[i]) ck_assert(directory_of(directory) != directory);
  }
}
END_TEST

}  // namespace

Suite* layout_suite() {
  Suite* suite = suite_create("layout");
  TCase* tcase = tcase_create("layout");
  tcase_add_test(tcase, common_names_are_readable);
  tcase_add_test(tcase, no_two_names_share_a_directory);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
