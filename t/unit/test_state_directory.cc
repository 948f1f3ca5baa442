// SPDX-License-Identifier: Apache-2.0
// Directories below the state directory: opened, made, listed, removed; files made in place.
#include "suites.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "expect.h"
#include "failing_calls.h"
#include "store/state_file.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using store::Directory;
using store::Durability;
using Names = std::vector<std::string>;

Directory opened(const TempDir& temp) { return value_of(Directory::open(temp.path())); }

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  ck_assert_int_eq(::lstat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

START_TEST(directories_below_are_opened_and_made) {
  TempDir temp;
  Directory top = opened(temp);
  ck_assert(!value_of(top.below("sub")).has_value());
  for (mode_t mask : {0000, 0022, 0077}) {
    ::umask(mask);
    for (mode_t mode : {0700, 0750, 02750}) {
      Directory made = value_of(top.make_below("sub", mode));
      ck_assert_uint_eq(mode_of(temp / "sub"), mode);
      expect_text(made.path(), temp / "sub");
      ck_assert(made.write("file", "x", 0600).has_value());
      expect_text(content_of(temp / "sub/file"), "x");
      // One that is there is left alone.
      value_of(top.make_below("sub", 0777));
      ck_assert_uint_eq(mode_of(temp / "sub"), mode);
      ck_assert(value_of(top.below("sub")).has_value());
      ck_assert(top.remove_with_files("sub").has_value());
    }
  }
}
END_TEST

START_TEST(only_directories_of_accepted_users_are_opened_below) {
  TempDir temp;
  Directory top = opened(temp);
  write_file(temp / "file", "x");
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  fs::create_directory(temp / "open");
  ck_assert_int_eq(::chmod((temp / "open").c_str(), 0777), 0);
  for (const char* name : {"link", "file"}) {
    expect_contains(error_of(top.below(name)), "is not a directory");
    expect_contains(error_of(top.make_below(name, 0700)), "is not a directory");
  }
  expect_contains(error_of(top.below("open")), "writable by everybody");
  for (const char* name : {"", ".", "..", "real/..", "../x"}) {
    expect_contains(error_of(top.below(name)), "no name");
    expect_contains(error_of(top.make_below(name, 0700)), "no name");
    expect_contains(error_of(top.remove_with_files(name)), "no name");
    expect_contains(error_of(top.remove(name)), "no name");
    expect_contains(error_of(top.create(name, "x", 0600)), "no name");
    expect_contains(error_of(top.rename("real", name)), "no name");
    expect_contains(error_of(top.link(name, "x")), "no name");
  }
}
END_TEST

// For root only, which can give files away.
START_TEST(one_more_user_may_be_trusted) {
  constexpr uid_t agent = 65531;
  TempDir temp;
  ck_assert_int_eq(::chown(temp.path().c_str(), agent, agent), 0);
  expect_contains(error_of(Directory::open(temp.path())), "belongs to user 65531");
  Directory top = value_of(Directory::open(temp.path(), agent));
  fs::create_directory(temp / "sub");
  write_file(temp / "sub/file", "x");
  ck_assert_int_eq(::chown((temp / "sub").c_str(), agent, agent), 0);
  ck_assert_int_eq(::chown((temp / "sub/file").c_str(), agent, agent), 0);
  Directory sub = std::move(*value_of(top.below("sub")));
  expect_text(value_of(sub.read("file", 10)).value(), "x");
  Directory moved = std::move(sub);
  expect_text(value_of(moved.read("file", 10)).value(), "x");
  ck_assert_int_eq(::chown((temp / "sub/file").c_str(), 65530, agent), 0);
  expect_contains(error_of(moved.read("file", 10)),
                  "belongs to user 65530, neither root nor the user this process runs as (0) or "
                  "user 65531");
  ck_assert_int_eq(::chown((temp / "sub").c_str(), 65530, agent), 0);
  expect_contains(error_of(top.below("sub")), "belongs to user 65530");
  value_of(Directory::open_or_create(temp / "new", 0700, agent));
  Directory anybodys = value_of(Directory::open(temp.path(), store::any_owner));
  expect_text(value_of(value_of(anybodys.below("sub"))->read("file", 10)).value(), "x");
  fs::permissions(temp / "sub", fs::perms::others_write, fs::perm_options::add);
  expect_contains(error_of(anybodys.below("sub")), "writable by everybody");
}
END_TEST

START_TEST(names_are_listed_sorted_and_bounded) {
  TempDir temp;
  Directory top = opened(temp);
  ck_assert(value_of(top.names(0)).empty());
  for (const char* name : {"b", "a", ".c"}) write_file(temp / name, "x");
  fs::create_directory(temp / "d");
  for (int again = 0; again < 2; ++again) {
    ck_assert(value_of(top.names(4)) == Names({".c", "a", "b", "d"}));
  }
  expect_contains(error_of(top.names(3)), "more than 3 names");
}
END_TEST

START_TEST(a_new_file_is_made_in_place) {
  TempDir temp;
  Directory top = opened(temp);
  ck_assert(top.create("file", "new", 0640).has_value());
  ck_assert_uint_eq(mode_of(temp / "file"), 0640);
  expect_contains(error_of(top.create("file", "other", 0640)), "File exists");
  expect_text(content_of(temp / "file"), "new");
  ck_assert(top.sync({"file"}).has_value());
  ck_assert(top.sync({}).has_value());
  expect_contains(error_of(top.sync({"none"})), "No such file");
  // Nothing is left of one that could not be written.
  watch_calls(Fault::fail, 2, ENOSPC);
  auto full = top.create("second", "x", 0600);
  stop_watching();
  expect_contains(error_of(full), "No space left");
  ck_assert(value_of(top.names(9)) == Names{"file"});
}
END_TEST

START_TEST(files_get_second_names) {
  TempDir temp;
  Directory top = opened(temp);
  write_file(temp / "a", "one");
  for (int again = 0; again < 2; ++again) {
    ck_assert(top.link("a", "b").has_value());
    expect_text(content_of(temp / "b"), "one");
  }
  ck_assert(top.write("a", "two", 0600).has_value());
  expect_text(content_of(temp / "b"), "one");
  ck_assert(top.link("a", "b").has_value());
  expect_text(content_of(temp / "b"), "two");
  ck_assert(value_of(top.names(9)) == Names({"a", "b"}));
  error_of(top.link("none", "b"));
}
END_TEST

START_TEST(a_directory_is_removed_with_its_files_only) {
  TempDir temp;
  Directory top = opened(temp);
  fs::create_directories(temp / "flat");
  for (const char* name : {"a", "b", ".c"}) write_file(temp / ("flat/" + std::string(name)), "x");
  fs::create_symlink("/", temp / "flat/link");
  ck_assert(top.remove_with_files("flat").has_value());
  ck_assert(top.remove_with_files("flat").has_value());
  fs::create_directories(temp / "deep/below/it");
  error_of(top.remove_with_files("deep"));
  ck_assert(fs::exists(temp / "deep/below/it"));
  write_file(temp / "file", "x");
  error_of(top.remove("deep"));
  ck_assert(top.remove("file").has_value());
  ck_assert(top.remove("file").has_value());
  ck_assert(value_of(top.names(9)) == Names{"deep"});
}
END_TEST

START_TEST(renaming_does_not_replace_what_is_full) {
  TempDir temp;
  Directory top = opened(temp);
  fs::create_directories(temp / "new");
  fs::create_directories(temp / "old/full");
  error_of(top.rename("new", "old"));
  ck_assert(top.rename("new", "other").has_value());
  ck_assert(fs::exists(temp / "other"));
  error_of(top.rename("none", "x"));
}
END_TEST

// Whoever has a directory open may hold its lock: httpd's group has certs/ open.
START_TEST(a_writer_that_is_alone_needs_no_lock) {
  TempDir temp;
  Directory top = opened(temp);
  int other = ::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY);
  ck_assert_int_eq(::flock(other, LOCK_EX), 0);
  expect_contains(error_of(top.write("file", "x", 0600)), "another process");
  ck_assert(top.write("file", "x", 0600, Durability::synced_alone).has_value());
  ck_assert(top.write("file", "y", 0600, Durability::quick).has_value());
  expect_text(content_of(temp / "file"), "y");
  ::close(other);
}
END_TEST

START_TEST(a_quick_write_is_whole_and_not_synced) {
  TempDir temp;
  Directory top = opened(temp);
  write_file(temp / ".file.tmp", "left");
  watch_calls();
  ck_assert(top.write("file", "x", 0640, Durability::quick).has_value());
  expect_text(stop_watching(), "open unlink open write chmod rename ");
  expect_text(content_of(temp / "file"), "x");
  ck_assert_uint_eq(mode_of(temp / "file"), 0640);
  ck_assert(value_of(top.names(9)) == Names{"file"});
}
END_TEST

}  // namespace

Suite* state_directory_suite() {
  Suite* suite = suite_create("state_directory");
  TCase* tcase = tcase_create("state_directory");
  tcase_add_test(tcase, directories_below_are_opened_and_made);
  tcase_add_test(tcase, only_directories_of_accepted_users_are_opened_below);
  tcase_add_test(tcase, names_are_listed_sorted_and_bounded);
  tcase_add_test(tcase, a_new_file_is_made_in_place);
  tcase_add_test(tcase, files_get_second_names);
  tcase_add_test(tcase, a_directory_is_removed_with_its_files_only);
  tcase_add_test(tcase, renaming_does_not_replace_what_is_full);
  tcase_add_test(tcase, a_writer_that_is_alone_needs_no_lock);
  tcase_add_test(tcase, a_quick_write_is_whole_and_not_synced);
  if (::geteuid() == 0) {
    tcase_add_test(tcase, one_more_user_may_be_trusted);
  } else {
    std::fputs("state_directory: one_more_user_may_be_trusted needs root, not run\n", stderr);
  }
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
