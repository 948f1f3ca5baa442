// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "store/prepare.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using store::Owners;
using store::StoreLock;

Owners ours() { return {::geteuid(), ::getegid(), ::getegid(), false}; }

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  ck_assert_int_eq(::lstat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

void prepare(const TempDir& temp, const Owners& owners) {
  auto ready = store::prepare_directories(temp.path(), owners);
  ck_assert_msg(ready.has_value(), "%s", ready ? "" : ready.error().text.c_str());
}

START_TEST(directories_are_made_once_and_found_again) {
  TempDir temp;
  prepare(temp, ours());
  for (const char* name : {"agent", "certs", "challenges", "reports"}) {
    ck_assert_uint_eq(mode_of(temp / name), 0700);
  }
  write_file(temp / "certs/kept", "x");
  prepare(temp, ours());
  expect_text(content_of(temp / "certs/kept"), "x");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(temp.path())) ++entries;
  ck_assert_uint_eq(entries, 4);
}
END_TEST

START_TEST(started_as_root_they_are_shared_with_httpds_group) {
  TempDir temp;
  bool root = ::geteuid() == 0;  // nobody else may give files away
  uid_t agent = root ? 4242 : ::geteuid();
  gid_t agents = root ? 4243 : ::getegid();
  gid_t web = root ? 4244 : ::getegid();
  prepare(temp, {agent, agents, web, true});
  struct stat facts {};
  ck_assert_int_eq(::stat((temp / "certs").c_str(), &facts), 0);
  ck_assert_uint_eq(facts.st_uid, agent);
  ck_assert_uint_eq(facts.st_gid, web);
  ck_assert_uint_eq(facts.st_mode & 07777, 02750);
  ck_assert_int_eq(::stat((temp / "agent").c_str(), &facts), 0);
  ck_assert_uint_eq(facts.st_gid, agents);
  ck_assert_uint_eq(facts.st_mode & 07777, 0700);
}
END_TEST

START_TEST(what_a_crash_left_is_taken_away) {
  TempDir temp;
  fs::create_directory(temp / ".new-certs");
  prepare(temp, ours());
  ck_assert(!fs::exists(temp / ".new-certs"));
}
END_TEST

START_TEST(other_modes_are_refused_with_the_command_that_helps) {
  TempDir temp;
  prepare(temp, ours());
  ck_assert_int_eq(::chmod((temp / "certs").c_str(), 0777), 0);
  std::string text = error_of(store::prepare_directories(temp.path(), ours()));
  expect_contains(text, "certs' has mode 777, not 700");
  expect_contains(text, "chmod 700 " + temp.path());
  ck_assert_uint_eq(mode_of(temp / "certs"), 0777);
}
END_TEST

START_TEST(other_owners_are_refused_with_the_command_that_helps) {
  TempDir temp;
  prepare(temp, ours());
  Owners other = ours();
  other.agent = ::geteuid() + 1;
  std::string text = error_of(store::prepare_directories(temp.path(), other));
  expect_contains(text, "agent' belongs to user");
  expect_contains(text, "chown -hR");
}
END_TEST

START_TEST(links_and_files_are_refused) {
  for (bool link : {true, false}) {
    TempDir temp;
    fs::create_directory(temp / "elsewhere");
    if (link) {
      fs::create_directory_symlink(temp / "elsewhere", temp / "challenges");
    } else {
      write_file(temp / "challenges", "");
    }
    expect_contains(error_of(store::prepare_directories(temp.path(), ours())), "symbolic link");
  }
  expect_contains(error_of(store::prepare_directories("/nosuch/store", ours())), "/nosuch/store");
}
END_TEST

START_TEST(the_sealing_key_is_made_once) {
  TempDir temp;
  auto directory = value_of(store::Directory::open(temp.path()));
  ck_assert(!value_of(store::existing_sealing_key(directory)).has_value());
  auto first = value_of(store::sealing_key(directory));
  ck_assert_uint_eq(mode_of(temp / "seal.key"), 0600);
  ck_assert_uint_eq(content_of(temp / "seal.key").size(), crypto::SealingKey::size);
  auto second = value_of(store::sealing_key(directory));
  ck_assert_mem_eq(first.bytes().data(), second.bytes().data(), crypto::SealingKey::size);
  auto third = value_of(store::existing_sealing_key(directory));
  ck_assert_mem_eq(first.bytes().data(), third->bytes().data(), crypto::SealingKey::size);
}
END_TEST

START_TEST(a_sealing_key_that_is_torn_or_readable_is_an_error) {
  TempDir temp;
  auto directory = value_of(store::Directory::open(temp.path()));
  write_file(temp / "seal.key", "short");
  ck_assert_int_eq(::chmod((temp / "seal.key").c_str(), 0600), 0);
  expect_contains(error_of(store::sealing_key(directory)), "seal.key");
  expect_contains(error_of(store::sealing_key(directory)), "from a backup");
  expect_text(content_of(temp / "seal.key"), "short");
  write_file(temp / "seal.key", std::string(100000, 'k'));
  ck_assert_int_eq(::chmod((temp / "seal.key").c_str(), 0600), 0);
  expect_contains(error_of(store::sealing_key(directory)), "from a backup");
  write_file(temp / "seal.key", std::string(crypto::SealingKey::size, 'k'));
  ck_assert_int_eq(::chmod((temp / "seal.key").c_str(), 0640), 0);
  expect_contains(error_of(store::sealing_key(directory)), "0600");
}
END_TEST

// 0: held. 1: another process holds it.
int lock_in_child(const std::string& path) {
  pid_t child = ::fork();
  if (child == 0) {
    StoreLock lock{};
    auto taken = store::take_lock(lock, path);
    ::_exit(!taken ? 2 : lock.held ? 0 : 1);
  }
  int status = -1;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  return WEXITSTATUS(status);
}

void take(StoreLock& lock, const std::string& path) {
  auto taken = store::take_lock(lock, path);
  ck_assert_msg(taken.has_value(), "%s", taken ? "" : taken.error().text.c_str());
}

START_TEST(one_server_holds_the_lock_over_its_reloads) {
  TempDir temp;
  StoreLock lock{};
  take(lock, temp.path());
  ck_assert(lock.held);
  ck_assert_uint_eq(mode_of(temp / "lock"), 0600);
  ck_assert_int_eq(lock_in_child(temp.path()), 1);
  take(lock, temp.path());
  ck_assert_int_eq(lock_in_child(temp.path()), 1);
  TempDir other;
  take(lock, other.path());
  ck_assert_int_eq(lock_in_child(temp.path()), 0);
  ck_assert_int_eq(lock_in_child(other.path()), 1);
  ::close(lock.fd);
}
END_TEST

START_TEST(children_do_not_keep_the_lock) {
  TempDir temp;
  int go[2];
  int done[2];
  ck_assert_int_eq(::pipe(go) | ::pipe(done), 0);
  // A server, whose worker outlives it.
  pid_t server = ::fork();
  if (server == 0) {
    StoreLock lock{};
    if (!store::take_lock(lock, temp.path()) || !lock.held) ::_exit(2);
    if (::fork() == 0) {
      char c = 0;
      (void)!::read(go[0], &c, 1);
      (void)!::write(done[1], &c, 1);
      ::_exit(0);
    }
    ::_exit(0);
  }
  int status = -1;
  ck_assert_int_eq(::waitpid(server, &status, 0), server);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(lock_in_child(temp.path()), 0);
  ck_assert_int_eq(::write(go[1], "x", 1), 1);
  char c = 0;
  ck_assert_int_eq(::read(done[0], &c, 1), 1);
  for (int fd : {go[0], go[1], done[0], done[1]}) ::close(fd);
}
END_TEST

START_TEST(the_control_socket_is_the_parents_alone_and_replaces_an_old_one) {
  TempDir temp;
  mode_t before = ::umask(0);
  int first = value_of(store::open_control_socket(temp.path()));
  ck_assert_uint_eq(mode_of(temp / "control.sock"), 0600);
  ck_assert_int_ne(::fcntl(first, F_GETFD) & FD_CLOEXEC, 0);
  int second = value_of(store::open_control_socket(temp.path()));
  ck_assert_uint_eq(::umask(before), 0);
  ::close(first);
  ::close(second);
}
END_TEST

START_TEST(a_path_that_is_too_long_for_a_socket_is_told) {
  std::string longest(store::max_store_path(), 'x');
  expect_contains(error_of(store::open_control_socket(longest + "y")), "too long");
  expect_contains(error_of(store::open_control_socket(longest)), "cannot");
}
END_TEST

}  // namespace

Suite* prepare_suite() {
  Suite* suite = suite_create("prepare");
  TCase* tests = tcase_create("prepare");
  tcase_add_test(tests, directories_are_made_once_and_found_again);
  tcase_add_test(tests, started_as_root_they_are_shared_with_httpds_group);
  tcase_add_test(tests, what_a_crash_left_is_taken_away);
  tcase_add_test(tests, other_modes_are_refused_with_the_command_that_helps);
  tcase_add_test(tests, other_owners_are_refused_with_the_command_that_helps);
  tcase_add_test(tests, links_and_files_are_refused);
  tcase_add_test(tests, the_sealing_key_is_made_once);
  tcase_add_test(tests, a_sealing_key_that_is_torn_or_readable_is_an_error);
  tcase_add_test(tests, one_server_holds_the_lock_over_its_reloads);
  tcase_add_test(tests, children_do_not_keep_the_lock);
  tcase_add_test(tests, the_control_socket_is_the_parents_alone_and_replaces_an_old_one);
  tcase_add_test(tests, a_path_that_is_too_long_for_a_socket_is_told);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
