// SPDX-License-Identifier: Apache-2.0
// Programs of the administrator's: slow, noisy, failing, forking ones.
#include "suites.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"
#include "list_log.h"
#include "renew/command.h"
#include "renew/dns_command.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using net::Patience;
using renew::CommandEnd;
using renew::DnsAction;
using renew::run_command;
using std::chrono::milliseconds;
using std::chrono::seconds;
using How = CommandEnd::How;

std::string script(const TempDir& dir, const std::string& body) {
  std::string path = dir / "script";
  write_file(path, "#!/bin/sh\n" + body);
  ck_assert_int_eq(chmod(path.c_str(), 0700), 0);
  return path;
}

CommandEnd run(const std::string& body, std::vector<std::string> arguments = {},
               Patience patience = Patience(seconds(60))) {
  TempDir dir;
  arguments.insert(arguments.begin(), script(dir, body));
  return value_of(run_command(arguments, patience));
}

// Long enough for a loaded machine.
bool gone_within(pid_t pid, seconds limit) {
  for (Patience patience(limit); !patience.over(); (void)patience.sleep(milliseconds(20))) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
  }
  return false;
}

START_TEST(it_runs_with_nothing_of_ours) {
  ck_assert_int_eq(setenv("TLSGUARD_SECRET", "x", 1), 0);
  int leaking = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ck_assert_int_ge(leaking, 3);
  CommandEnd end =
      run("env | sort; pwd; ls /proc/self/fd | wc -l; cat; echo \"[$1][$2][$#]\"; echo err >&2\n"
          "ps -o pgid= -p $$ | tr -d ' ' | sed \"s/^$$\\$/own group/\"\n",
          {"a b", "$(id);*'\""});
  ck_assert(end.succeeded());
  expect_text(end.text(), "");
  // dash adds PWD; ls has its own descriptor 3.
  expect_text(end.output,
              "LC_ALL=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n"
              "/\n4\n[a b][$(id);*'\"][2]\nerr\nown group\n");
}
END_TEST

START_TEST(signals_are_as_at_birth) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigfillset(&blocked);
  ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &blocked, nullptr), 0);
  CommandEnd end = run("sed -n 's/^Sig\\(Blk\\|Ign\\):\\t//p' /proc/self/status");
  std::istringstream masks(end.output);
  int seen = 0;
  for (std::string mask; masks >> mask; ++seen) {
    // All but 32 and 33, which are the C library's own: no program can reset them.
    ck_assert_msg((std::stoull(mask, nullptr, 16) & ~(3ULL << 31)) == 0, "%s", mask.c_str());
  }
  ck_assert_int_eq(seen, 2);
}
END_TEST

START_TEST(how_it_ended_is_told) {
  CommandEnd three = run("exit 3");
  ck_assert(three.how == How::exited && !three.succeeded());
  expect_text(three.text(), "ended with status 3");
  CommandEnd killed = run("kill -9 $$");
  ck_assert(killed.how == How::killed);
  expect_text(killed.text(), "was killed by signal 9");
}
END_TEST

START_TEST(what_cannot_be_started_is_an_error) {
  TempDir dir;
  write_file(dir / "plain", "#!/bin/sh\n");
  for (const std::string& path : {dir / "missing", dir / "plain", dir.path()}) {
    auto end = run_command({path}, Patience(seconds(10)));
    expect_contains(error_of(end), "cannot be started");
  }
  ck_assert(!run_command({}, Patience(seconds(10))));
}
END_TEST

START_TEST(a_slow_one_is_ended_with_its_children) {
  auto begin = std::chrono::steady_clock::now();
  CommandEnd end = run("sleep 1000 & echo $!; sleep 1000", {}, Patience(milliseconds(700)));
  ck_assert(end.how == How::too_late);
  expect_text(end.text(), "took too long and was ended");
  ck_assert(std::chrono::steady_clock::now() - begin < seconds(30));
  pid_t grandchild = std::stoi(end.output);
  ck_assert(gone_within(grandchild, seconds(10)));
}
END_TEST

START_TEST(one_that_ignores_sigterm_is_killed) {
  CommandEnd end =
      run("trap '' TERM; echo here; while :; do sleep 1; done", {}, Patience(milliseconds(700)));
  ck_assert(end.how == How::too_late);
  expect_text(end.output, "here\n");
}
END_TEST

START_TEST(to_stop_ends_it) {
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop = true;
  });
  CommandEnd end = run("sleep 1000", {}, Patience(seconds(900), [&] { return stop.load(); }));
  stopper.join();
  ck_assert(end.how == How::too_late);
}
END_TEST

// A daemon that keeps stdout open must not hold us up, and goes on.
START_TEST(what_it_leaves_behind_is_let_be) {
  auto begin = std::chrono::steady_clock::now();
  CommandEnd end = run("sleep 1000 & echo $!");
  ck_assert(end.succeeded());
  ck_assert(std::chrono::steady_clock::now() - begin < seconds(30));
  pid_t left = std::stoi(end.output);
  ck_assert_int_eq(::kill(left, 0), 0);
  ck_assert_int_eq(::kill(left, SIGKILL), 0);
}
END_TEST

START_TEST(of_a_noisy_one_the_end_is_kept) {
  CommandEnd end = run("i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done");
  ck_assert(end.succeeded());
  ck_assert_uint_eq(end.output.size(), 4096);
  ck_assert(end.output.ends_with("line 19999\n"));
  CommandEnd endless = run("while :; do echo noise; done", {}, Patience(milliseconds(700)));
  ck_assert(endless.how == How::too_late);
  ck_assert_uint_eq(endless.output.size(), 4096);
}
END_TEST

START_TEST(no_zombie_and_no_descriptor_is_left) {
  auto lowest = [] {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
  };
  int before = lowest();
  for (int i = 0; i < 5; ++i) ck_assert(run("exit 0").succeeded());
  ck_assert_int_eq(lowest(), before);
  errno = 0;
  ck_assert_int_eq(waitpid(-1, nullptr, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(many_run_at_once) {
  TempDir dir;
  std::string path = script(dir, "sleep 0.2; echo \"$1\"");
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto end = run_command({path, std::to_string(i)}, Patience(seconds(60)));
      if (end && end->succeeded() && end->output == std::to_string(i) + "\n") ++right;
    });
  }
  for (auto& thread : threads) thread.join();
  ck_assert_int_eq(right, 8);
}
END_TEST

START_TEST(the_dns_command_gets_its_arguments) {
  TempDir dir;
  std::string path = script(dir, "echo \"$@\" >>" + (dir / "calls"));
  ListLog log;
  for (DnsAction action : {DnsAction::setup, DnsAction::teardown}) {
    auto done = renew::run_dns_command({path, "--zone", "x y"},
                                       {action, "_acme-challenge.example.org", "va-lue"}, log,
                                       Patience(seconds(60)));
    ck_assert(done.has_value());
  }
  expect_text(content_of(dir / "calls"),
              "--zone x y setup _acme-challenge.example.org va-lue\n"
              "--zone x y teardown _acme-challenge.example.org va-lue\n");
  for (const ListLog::Line& line : log.lines()) {
    ck_assert(line.severity == Severity::debug);
    expect_text(line.id, "TG0150");
  }
}
END_TEST

START_TEST(a_failure_says_why_without_secrets) {
  TempDir dir;
  std::string path =
      script(dir, "echo \"trying $1 and $2\"; printf 'no\\033[31m\\000 access\\n' >&2; exit 7");
  ListLog log;
  auto done = renew::run_dns_command({path, "--token=s3cr3t-token", "s3cr3t"},
                                     {DnsAction::setup, "_acme-challenge.example.org", "value"},
                                     log, Patience(seconds(60)));
  std::string error = error_of(done);
  expect_contains(error, "TLSGuardDNSCommand " + path + " setup _acme-challenge.example.org");
  expect_contains(error, "ended with status 7");
  expect_contains(error, "no [31m access");
  expect_contains(error, "trying *** and *** | no");
  std::string logged = log.texts("TG0151");
  expect_contains(logged, "record=_acme-challenge.example.org: ");
  for (const std::string& text : {error, logged}) {
    ck_assert(text.find("s3cr3t") == std::string::npos);
    ck_assert(text.find('\033') == std::string::npos);
  }
}
END_TEST

START_TEST(a_long_complaint_is_cut) {
  TempDir dir;
  std::string path = script(dir, "head -c 3000 /dev/zero | tr '\\0' x; echo ' the reason'; exit 1");
  ListLog log;
  auto done = renew::run_dns_command({path}, {DnsAction::setup, "a.test", "value"}, log,
                                     Patience(seconds(60)));
  std::string error = error_of(done);
  ck_assert_uint_lt(error.size(), 400 + path.size());
  ck_assert(error.ends_with(" the reason"));
  ck_assert_uint_lt(log.texts().size(), 1300 + path.size());
}
END_TEST

START_TEST(a_missing_dns_command_is_an_error_and_logged) {
  ListLog log;
  auto done = renew::run_dns_command({"/nonexistent/hook"}, {DnsAction::setup, "a.test", "value"},
                                     log, Patience(seconds(60)));
  expect_contains(error_of(done), "/nonexistent/hook setup a.test: it cannot be started");
  expect_contains(log.texts("TG0151"), "/nonexistent/hook");
}
END_TEST

}  // namespace

Suite* command_suite() {
  Suite* suite = suite_create("command");
  TCase* tcase = tcase_create("command");
  tcase_set_timeout(tcase, 90);
  tcase_add_test(tcase, it_runs_with_nothing_of_ours);
  tcase_add_test(tcase, signals_are_as_at_birth);
  tcase_add_test(tcase, how_it_ended_is_told);
  tcase_add_test(tcase, what_cannot_be_started_is_an_error);
  tcase_add_test(tcase, a_slow_one_is_ended_with_its_children);
  tcase_add_test(tcase, one_that_ignores_sigterm_is_killed);
  tcase_add_test(tcase, to_stop_ends_it);
  tcase_add_test(tcase, what_it_leaves_behind_is_let_be);
  tcase_add_test(tcase, of_a_noisy_one_the_end_is_kept);
  tcase_add_test(tcase, no_zombie_and_no_descriptor_is_left);
  tcase_add_test(tcase, many_run_at_once);
  tcase_add_test(tcase, the_dns_command_gets_its_arguments);
  tcase_add_test(tcase, a_failure_says_why_without_secrets);
  tcase_add_test(tcase, a_long_complaint_is_cut);
  tcase_add_test(tcase, a_missing_dns_command_is_an_error_and_logged);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
