// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "expect.h"
#include "store/state_file.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using store::Directory;
constexpr std::size_t limit = 1 << 20;

Directory opened(const std::string& path) { return value_of(Directory::open(path)); }

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  ck_assert_int_eq(::lstat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

std::size_t entries_in(const std::string& path) {
  auto all = std::filesystem::directory_iterator(path);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void write(const Directory& directory, const std::string& name, std::string_view content) {
  auto written = directory.write(name, content, 0600);
  ck_assert_msg(written.has_value(), "%s", written ? "" : written.error().text.c_str());
}

void expect_content(const Directory& directory, const std::string& name, std::string_view wanted) {
  auto content = value_of(directory.read(name, limit));
  ck_assert_msg(content.has_value(), "no file '%s'", name.c_str());
  expect_text(*content, wanted);
}

START_TEST(what_was_written_is_read) {
  TempDir temp;
  Directory directory = opened(temp.path());
  std::string binary("\0\n\xff", 3);
  write(directory, "state", binary);
  expect_content(directory, "state", binary);
  write(directory, "state", "");
  expect_content(directory, "state", "");
  std::string large(limit, 'x');
  write(directory, "state", large);
  expect_content(directory, "state", large);
  ck_assert_uint_eq(entries_in(temp.path()), 1);
}
END_TEST

START_TEST(mode_is_the_one_given_whatever_the_umask) {
  TempDir temp;
  Directory directory = opened(temp.path());
  for (mode_t mask : {0000, 0022, 0777}) {
    const mode_t before = ::umask(mask);
    for (mode_t mode : {0600, 0644, 0640}) {
      ck_assert(directory.write("state", "x", mode).has_value());
      ck_assert_uint_eq(mode_of(temp / "state"), mode);
    }
    ::umask(before);
  }
}
END_TEST

START_TEST(a_missing_file_is_no_error_and_a_large_one_is) {
  TempDir temp;
  Directory directory = opened(temp.path());
  ck_assert(!value_of(directory.read("state", limit)).has_value());
  write(directory, "state", "12345678");
  ck_assert(value_of(directory.read("state", 8)).has_value());
  expect_contains(error_of(directory.read("state", 7)), "larger than 7 bytes");
  expect_contains(error_of(directory.read("state", 0)), temp / "state");
}
END_TEST

START_TEST(only_regular_files_are_read) {
  TempDir temp;
  Directory directory = opened(temp.path());
  write_file(temp / "target", "secret");
  ck_assert_int_eq(::symlink("target", (temp / "link").c_str()), 0);
  ck_assert_int_eq(::mkfifo((temp / "fifo").c_str(), 0600), 0);
  ck_assert_int_eq(::mkdir((temp / "sub").c_str(), 0700), 0);
  expect_contains(error_of(directory.read("link", limit)), "symbolic link");
  expect_contains(error_of(directory.read("fifo", limit)), "no regular file");
  expect_contains(error_of(directory.read("sub", limit)), "no regular file");
}
END_TEST

START_TEST(a_link_in_the_place_of_the_file_is_replaced_not_followed) {
  TempDir temp;
  Directory directory = opened(temp.path());
  write_file(temp / "target", "old");
  for (const char* name : {"state", ".state.tmp"}) {
    ck_assert_int_eq(::symlink("target", (temp / name).c_str()), 0);
  }
  write(directory, "state", "new");
  expect_text(content_of(temp / "target"), "old");
  expect_text(content_of(temp / "state"), "new");
  ck_assert(!std::filesystem::is_symlink(temp / "state"));
}
END_TEST

START_TEST(names_do_not_lead_out_of_the_directory) {
  TempDir temp;
  Directory directory = opened(temp.path());
  const std::string nul("a\0b", 3);
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"),
        nul, std::string(201, 'x')}) {
    expect_contains(error_of(directory.write(name, "x", 0600)), "no name");
    expect_contains(error_of(directory.read(name, limit)), "no name");
    expect_contains(error_of(directory.set_aside(name)), "no name");
  }
  ck_assert_uint_eq(entries_in(temp.path()), 0);
}
END_TEST

START_TEST(directories_that_others_can_change_are_refused) {
  TempDir temp;
  ck_assert_int_eq(::mkdir((temp / "open").c_str(), 0700), 0);
  ck_assert_int_eq(::chmod((temp / "open").c_str(), 01777), 0);
  ck_assert_int_eq(::symlink(".", (temp / "link").c_str()), 0);
  write_file(temp / "file", "x");
  expect_contains(error_of(Directory::open(temp / "open")), "writable by everybody");
  expect_contains(error_of(Directory::open(temp / "link")), "symbolic link");
  expect_contains(error_of(Directory::open(temp / "link//")), "symbolic link");
  expect_contains(error_of(Directory::open(temp / "file")), "not a directory");
  expect_contains(error_of(Directory::open(temp / "none")), "No such file");
  ck_assert(Directory::open(temp.path() + "//").has_value());
  ck_assert_int_eq(::chmod((temp / "open").c_str(), 0775), 0);
  ck_assert(Directory::open(temp / "open").has_value());
}
END_TEST

// For root only: nobody else can give files away.
START_TEST(files_of_somebody_else_are_refused) {
  constexpr uid_t stranger = 65533;
  TempDir temp;
  Directory directory = opened(temp.path());
  write_file(temp / "state", "x");
  ck_assert_int_eq(::chown((temp / "state").c_str(), stranger, stranger), 0);
  expect_contains(error_of(directory.read("state", limit)), "belongs to user 65533");
  ck_assert_int_eq(::mkdir((temp / "his").c_str(), 0755), 0);
  ck_assert_int_eq(::chown((temp / "his").c_str(), stranger, stranger), 0);
  expect_contains(error_of(Directory::open(temp / "his")), "belongs to user 65533");

  // Root's own are fine for everybody.
  ck_assert_int_eq(::mkdir((temp / "roots").c_str(), 0755), 0);
  write_file(temp / "roots/state", "x");
  ck_assert_int_eq(::chmod(temp.path().c_str(), 0755), 0);
  ck_assert_int_eq(::chmod((temp / "roots/state").c_str(), 0644), 0);
  ck_assert_int_eq(::seteuid(stranger), 0);
  ck_assert(Directory::open(temp / "his").has_value());
  expect_content(opened(temp / "roots"), "state", "x");
  expect_contains(error_of(opened(temp / "roots").write("state", "y", 0600)), "Permission denied");
  ck_assert_int_eq(::seteuid(0), 0);
}
END_TEST

START_TEST(a_missing_directory_is_made_with_its_mode) {
  TempDir temp;
  const mode_t before = ::umask(0077);
  value_of(Directory::open_or_create(temp / "store", 0711));
  ::umask(before);
  ck_assert_uint_eq(mode_of(temp / "store"), 0711);
  // One that is there is left alone.
  ck_assert_int_eq(::chmod((temp / "store").c_str(), 0750), 0);
  value_of(Directory::open_or_create(temp / "store", 0711));
  ck_assert_uint_eq(mode_of(temp / "store"), 0750);
  expect_contains(error_of(Directory::open_or_create(temp / "no/store", 0711)), "No such file");
}
END_TEST

START_TEST(a_writer_meets_another) {
  TempDir temp;
  Directory directory = opened(temp.path());
  int other = ::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY);
  ck_assert_int_eq(::flock(other, LOCK_EX), 0);
  expect_contains(error_of(directory.write("state", "x", 0600)), "another process");
  ck_assert_int_eq(::flock(other, LOCK_UN), 0);
  write(directory, "state", "x");
  // The lock is given back each time.
  ck_assert_int_eq(::flock(other, LOCK_EX | LOCK_NB), 0);
  ::close(other);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_content) {
  TempDir temp;
  Directory directory = opened(temp.path());
  write(directory, "state", "old");
  ::signal(SIGXFSZ, SIG_IGN);
  // Given back for the tests after it: under valgrind they run in the same process.
  rlimit before{};
  ck_assert_int_eq(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small{4096, before.rlim_max};
  ck_assert_int_eq(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto written = directory.write("state", std::string(8192, 'n'), 0600);
  ck_assert_int_eq(::setrlimit(RLIMIT_FSIZE, &before), 0);
  expect_contains(error_of(written), "File too large");
  expect_content(directory, "state", "old");
  ck_assert_uint_eq(entries_in(temp.path()), 1);
}
END_TEST

START_TEST(a_writer_that_dies_leaves_whole_content) {
  TempDir temp;
  const std::string a(100000, 'a');
  const std::string b(300000, 'b');
  Directory directory = opened(temp.path());
  write(directory, "state", a);
  for (useconds_t delay = 1; delay < 40000; delay = delay * 3 / 2 + 100) {
    pid_t child = ::fork();
    if (child == 0) {
      // Its own description of the directory, and so its own lock.
      auto own = Directory::open(temp.path());
      while (own && own->write("state", b, 0600) && own->write("state", a, 0600)) {
      }
      ::_exit(1);
    }
    ::usleep(delay);
    ck_assert_int_eq(::kill(child, SIGKILL), 0);
    int status = 0;
    ck_assert_int_eq(::waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    std::string content = value_of(directory.read("state", limit)).value_or("");
    ck_assert_msg(content == a || content == b, "torn: %zu bytes", content.size());
  }
  // What it left behind is in nobody's way, and goes.
  write(directory, "state", "new");
  ck_assert_uint_eq(entries_in(temp.path()), 1);
}
END_TEST

START_TEST(bad_content_is_set_aside) {
  TempDir temp;
  Directory directory = opened(temp.path());
  for (const char* content : {"first", "second"}) {
    write(directory, "state", content);
    ck_assert(directory.set_aside("state").has_value());
    ck_assert(!value_of(directory.read("state", limit)).has_value());
    expect_content(directory, "state.bad", content);
  }
  ck_assert(directory.set_aside("state").has_value());
  expect_content(directory, "state.bad", "second");
}
END_TEST

START_TEST(what_happens_to_the_path_later_does_not_matter) {
  TempDir temp;
  Directory directory = value_of(Directory::open_or_create(temp / "store", 0700));
  std::filesystem::rename(temp / "store", temp / "moved");
  ck_assert_int_eq(::symlink("/", (temp / "store").c_str()), 0);
  write(directory, "state", "x");
  expect_text(content_of(temp / "moved/state"), "x");
  Directory taken = std::move(directory);
  expect_content(taken, "state", "x");
}
END_TEST

}  // namespace

Suite* state_file_suite() {
  Suite* suite = suite_create("state_file");
  TCase* files = tcase_create("files");
  tcase_add_test(files, what_was_written_is_read);
  tcase_add_test(files, mode_is_the_one_given_whatever_the_umask);
  tcase_add_test(files, a_missing_file_is_no_error_and_a_large_one_is);
  tcase_add_test(files, only_regular_files_are_read);
  tcase_add_test(files, a_link_in_the_place_of_the_file_is_replaced_not_followed);
  tcase_add_test(files, names_do_not_lead_out_of_the_directory);
  tcase_add_test(files, a_writer_meets_another);
  tcase_add_test(files, a_failed_write_leaves_the_old_content);
  tcase_add_test(files, a_writer_that_dies_leaves_whole_content);
  tcase_add_test(files, bad_content_is_set_aside);
  tcase_set_timeout(files, 60);
  suite_add_tcase(suite, files);
  TCase* directories = tcase_create("directories");
  tcase_add_test(directories, directories_that_others_can_change_are_refused);
  tcase_add_test(directories, a_missing_directory_is_made_with_its_mode);
  tcase_add_test(directories, what_happens_to_the_path_later_does_not_matter);
  if (::geteuid() == 0) {
    tcase_add_test(directories, files_of_somebody_else_are_refused);
  } else {
    std::fputs("state_file: files_of_somebody_else_are_refused needs root, not run\n", stderr);
  }
  suite_add_tcase(suite, directories);
  return suite;
}

}  // namespace tlsguard::test
