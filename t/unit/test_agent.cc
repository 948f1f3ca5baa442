// SPDX-License-Identifier: Apache-2.0
// The agent's process: arguments, log, what it gives away.
#include "expect.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

#include "agent/arguments.h"
#include "agent/board_view.h"
#include "agent/privileges.h"
#include "agent/stderr_log.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace agent;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}
constexpr char all[] =
    "--spec-fd 3 --seal-fd 4 --board-fd 5 --control-fd 6 --user 33 --group 34 --parent 77";

START_TEST(arguments_are_read) {
  auto read = value_of(parse_arguments(words(all)));
  ck_assert_int_eq(read.spec_fd, 3);
  ck_assert_int_eq(read.seal_fd, 4);
  ck_assert_int_eq(read.board_fd, 5);
  ck_assert_int_eq(read.control_fd, 6);
  ck_assert_uint_eq(read.user, 33);
  ck_assert_uint_eq(read.group, 34);
  ck_assert_int_eq(*read.parent, 77);
  ck_assert(read.least == Severity::notice);
  auto more = value_of(parse_arguments(
      words(std::string(all) +
            " --log-level debug --dns 127.0.0.1:8053 --dns-zone-port 8053 --outside-http 5002")));
  ck_assert(more.least == Severity::debug);
  ck_assert(more.dns.resolvers == std::vector<net::DnsServer>({{"127.0.0.1", 8053}}));
  ck_assert_uint_eq(more.dns.zone_port, 8053);
  ck_assert_uint_eq(more.outside.http, 5002);
  ck_assert_uint_eq(more.outside.https, 443);
}
END_TEST

START_TEST(wrong_arguments_are_named) {
  struct {
    const char* text;
    const char* error;
  } cases[] = {{"", "is missing"},
               {"--spec-fd 3 --seal-fd 4 --board-fd 5", "is missing"},
               {"--fish 1", "'--fish' is no option"},
               {"--spec-fd", "needs a value"},
               {"--spec-fd x", "'x' is no value for --spec-fd"},
               {"--spec-fd 2", "'2' is no value"},
               {"--spec-fd -1", "'-1' is no value"},
               {"--spec-fd 3 --seal-fd 3 --board-fd 5 --control-fd 6", "named twice"},
               {"--parent 0", "'0' is no value"},
               {"--log-level loud", "'loud' is no value"},
               {"--dns 127.0.0.1", "is no value for --dns"}};
  for (const auto& c : cases) expect_contains(error_of(parse_arguments(words(c.text))), c.error);
}
END_TEST

START_TEST(log_lines_are_httpds) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  auto time = std::chrono::system_clock::from_time_t(1795703600) + std::chrono::microseconds(1234);
  expect_text(log_line(time, 42, Severity::notice, "TG0102", "domain=a.example: fine"),
              "[Thu Nov 26 14:33:20.001234 2026] [tlsguard:notice] [pid 42] TG0102: "
              "domain=a.example: fine\n");
  expect_contains(log_line(time, 42, Severity::warning, "TG0105", "a\nb\x1b[31m"),
                  "[tlsguard:warn] [pid 42] TG0105: a\\x0ab\\x1b[31m\n");
  ck_assert_uint_lt(log_line(time, 1, Severity::error, "TG0105", std::string(100000, 'x')).size(),
                    8192);
}
END_TEST

START_TEST(the_board_shows_what_is_published) {
  int fd = -1;
  auto board = value_of(live::DomainBoard::create(&fd));
  LogList log;
  BoardView view(board, log);
  view.publish("a.example", {.generation = 3,
                             .not_after = 100,
                             .next_run = 50,
                             .errors = 2,
                             .phase = renew::Phase::held});
  auto seen = value_of(live::DomainBoard::attach(fd));
  live::DomainSlot* slot = seen.find("a.example");
  ck_assert_ptr_nonnull(slot);
  ck_assert_uint_eq(slot->generation, 3);
  ck_assert_int_eq(slot->not_after, 100);
  ck_assert_int_eq(slot->next_run, 50);
  ck_assert_uint_eq(slot->errors, 2);
  ck_assert(renew::phase_from_number(slot->state) == renew::Phase::held);
  ck_assert(view.put_name(7, "www.a.example", "a.example"));
  ck_assert(seen.domain_of(7, "www.a.example").has_value());
  ck_assert(!seen.domain_of(8, "www.a.example").has_value());
}
END_TEST

// In a child, which exits with what `work` returns.
int in_child(const std::function<int()>& work) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

START_TEST(only_named_descriptors_stay_open) {
  ck_assert_int_eq(in_child([] {
                     int kept = ::open("/dev/null", O_RDONLY);
                     int lost = ::open("/dev/null", O_RDONLY);
                     int high = ::fcntl(lost, F_DUPFD, 500);
                     int also = ::fcntl(lost, F_DUPFD, 400);
                     if (!close_all_but({also, kept})) return 1;
                     if (::fcntl(lost, F_GETFD) != -1 || ::fcntl(high, F_GETFD) != -1) return 2;
                     if (::fcntl(kept, F_GETFD) != FD_CLOEXEC) return 3;
                     if (::fcntl(also, F_GETFD) != FD_CLOEXEC) return 4;
                     if (::fcntl(2, F_GETFD) == -1) return 5;
                     return close_all_but({also, lost}) ? 6 : 0;
                   }),
                   0);
}
END_TEST

START_TEST(hardened_processes_are_not_dumped_and_end_with_sigterm) {
  ck_assert_int_eq(in_child([] {
                     ::signal(SIGTERM, SIG_IGN);
                     sigset_t term;
                     ::sigemptyset(&term);
                     ::sigaddset(&term, SIGTERM);
                     ::sigprocmask(SIG_BLOCK, &term, nullptr);
                     if (!harden()) return 1;
                     if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 2;
                     ::raise(SIGTERM);
                     return 3;
                   }),
                   256 + SIGTERM);
}
END_TEST

START_TEST(nobody_runs_as_root) {
  ck_assert_int_eq(in_child([] { return become(0, 0) ? 1 : 0; }), 0);
  // As root a real change of user; else none is needed, and another cannot be had.
  ck_assert_int_eq(in_child([] {
                     uid_t user = ::getuid() == 0 ? 65534 : ::getuid();
                     gid_t group = ::getuid() == 0 ? 65534 : ::getgid();
                     if (auto done = become(user, group); !done) return 1;
                     if (::getuid() != user || ::geteuid() != user || ::getgid() != group) return 2;
                     if (::setuid(0) == 0) return 3;
                     if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 4;
                     return become(user + 1, group) ? 5 : 0;
                   }),
                   0);
}
END_TEST

START_TEST(it_dies_with_its_parent) {
  ck_assert_int_eq(in_child([] { return die_with(::getppid() + 1) ? 1 : 0; }), 0);
  ck_assert_int_eq(in_child([] {
                     if (!die_with(::getppid())) return 1;
                     int number = 0;
                     ::prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
                     return number == SIGTERM ? 0 : 2;
                   }),
                   0);
}
END_TEST

}  // namespace

Suite* agent_suite() {
  Suite* suite = suite_create("agent");
  TCase* tests = tcase_create("agent");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, arguments_are_read);
  tcase_add_test(tests, wrong_arguments_are_named);
  tcase_add_test(tests, log_lines_are_httpds);
  tcase_add_test(tests, the_board_shows_what_is_published);
  tcase_add_test(tests, only_named_descriptors_stay_open);
  tcase_add_test(tests, hardened_processes_are_not_dumped_and_end_with_sigterm);
  tcase_add_test(tests, nobody_runs_as_root);
  tcase_add_test(tests, it_dies_with_its_parent);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
