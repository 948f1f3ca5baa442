// SPDX-License-Identifier: Apache-2.0
// The program itself, started as httpd's parent does it: configuration, sealing key, board and
// control socket as descriptors. TLSGUARD_AGENT names it where it is not in the current directory.
#include "expect.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "crypto/certificate.h"
#include "live/domain_board.h"
#include "renew/control_protocol.h"
#include "renew/json_members.h"
#include "renew/phase.h"
#include "renew/spec_json.h"
#include "store/certificate_store.h"
#include "store/layout.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uid_t nobody = 65534;

std::string program_path() {
  const char* named = std::getenv("TLSGUARD_AGENT");
  std::string path = named != nullptr ? named : "./tlsguard-agent";
  ck_assert_msg(::access(path.c_str(), X_OK) == 0, "%s is not there: name it in TLSGUARD_AGENT",
                path.c_str());
  return path;
}

// Long enough for a loaded machine.
bool within(std::chrono::seconds limit, const std::function<bool()>& done) {
  auto end = steady_clock::now() + limit;
  while (!done()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

int memory_with(std::string_view content) {
  int fd = ::memfd_create("handed-over", MFD_CLOEXEC);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(::write(fd, content.data(), content.size()),
                   static_cast<ssize_t>(content.size()));
  return fd;
}

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What httpd's parent keeps while agents come and go.
class Parent {
 public:
  Parent()
      : user(::geteuid() == 0 ? nobody : ::geteuid()),
        group(::geteuid() == 0 ? nobody : ::getegid()),
        sealing(value_of(crypto::SealingKey::generate())),
        board(value_of(live::DomainBoard::create(&board_fd))) {
    std::filesystem::create_directory(directory / "store");
    for (const std::string& path : {directory.path(), directory / "store"}) {
      ck_assert_int_eq(::chown(path.c_str(), user, group), 0);
    }
    spec.store_path = directory / "store";
    settings.cas = {{"internal", ""}};
    listen();
  }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;
  ~Parent() {
    if (pid > 0) end(SIGKILL);
    ::close(control_fd);
    ::close(board_fd);
  }

  void declare(const std::string& name) {
    spec.domains.push_back({name, {name}, std::make_shared<const renew::DomainSettings>(settings)});
  }

  void start() {
    int spec_fd = memory_with(to_json(spec));
    int seal_fd = memory_with(text_of(sealing.bytes()));
    int log = ::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(log, 0);
    const std::pair<const char*, int> inherited[] = {{"--spec-fd", spec_fd},
                                                     {"--seal-fd", seal_fd},
                                                     {"--board-fd", board_fd},
                                                     {"--control-fd", control_fd}};
    std::vector<std::string> words{program_path(), "--log-level", "info"};
    auto option = [&](const char* name, auto value) {
      words.emplace_back(name);
      words.push_back(std::to_string(value));
    };
    option("--parent", ::getpid());
    option("--user", user);
    option("--group", group);
    for (auto [name, fd] : inherited) option(name, fd);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid = ::fork();
    if (pid == 0) {
      for (auto [name, fd] : inherited) ::fcntl(fd, F_SETFD, 0);
      ::dup2(log, STDERR_FILENO);
      ::execv(arguments.front(), arguments.data());
      ::_exit(127);
    }
    ck_assert_int_gt(pid, 0);
    for (int fd : {spec_fd, seal_fd, log}) ::close(fd);
  }

  // The status it ended with.
  int end(int signal) {
    ck_assert_int_eq(::kill(pid, signal), 0);
    int status = 0;
    ck_assert_int_eq(::waitpid(pid, &status, 0), pid);
    pid = -1;
    return status;
  }

  [[nodiscard]] std::uint64_t generation(const std::string& name) const {
    const live::DomainSlot* slot = board.find(name);
    return slot != nullptr ? slot->generation.load() : 0;
  }
  void expect_generation(const std::string& name, std::uint64_t wanted) const {
    bool seen = within(std::chrono::seconds(40), [&] { return generation(name) == wanted; });
    ck_assert_msg(seen, "generation %lu of %s\n%s", static_cast<unsigned long>(generation(name)),
                  name.c_str(), content_of(directory / "log").c_str());
  }

  // What is live in the store, as a worker would find it.
  [[nodiscard]] store::Version live_version(const std::string& name) const {
    store::CertificateStore store(value_of(store::Directory::open(directory / "store/certs", user)),
                                  sealing);
    auto current = value_of(store.current(name));
    ck_assert(current.has_value());
    auto version = value_of(store.load(name, current->version));
    ck_assert_uint_eq(version.pairs.size(), 1);
    auto chain = value_of(crypto::parse_chain(version.pairs[0].chain_pem));
    auto key =
        value_of(crypto::key_from_der(version.pairs[0].type, version.pairs[0].key_der.bytes()));
    value_of(crypto::check_servable(chain, key.get(), {name}, std::time(nullptr)));
    return version;
  }

  renew::Json ask(const renew::ControlRequest& request) const {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place = address();
    const void* raw = &place;
    ck_assert_int_eq(::connect(fd, static_cast<const sockaddr*>(raw), sizeof place), 0);
    std::string line = to_line(request);
    ck_assert_int_eq(::write(fd, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    std::string reply;
    char part[4096];
    while (!reply.ends_with('\n')) {
      ssize_t got = ::read(fd, part, sizeof part);
      ck_assert_int_gt(got, 0);
      reply.append(part, static_cast<std::size_t>(got));
    }
    ::close(fd);
    return value_of(renew::parse_control_reply(reply));
  }

  TempDir directory;
  uid_t user;
  gid_t group;
  crypto::SealingKey sealing;
  int board_fd = -1;  // before the board, which writes it
  int control_fd = -1;
  live::DomainBoard board;
  renew::AgentSpec spec;
  renew::DomainSettings settings;
  pid_t pid = -1;

 private:
  [[nodiscard]] sockaddr_un address() const {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    std::string path = directory / "control.sock";
    ck_assert_uint_lt(path.size(), sizeof place.sun_path);
    std::memcpy(place.sun_path, path.data(), path.size());
    return place;
  }
  void listen() {
    control_fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place = address();
    const void* raw = &place;
    ck_assert_int_eq(::bind(control_fd, static_cast<const sockaddr*>(raw), sizeof place), 0);
    ck_assert_int_eq(::listen(control_fd, 8), 0);
  }
};

START_TEST(a_domain_is_live_on_the_board_and_in_the_store) {
  Parent parent;
  parent.declare("a.example");
  parent.start();
  parent.expect_generation("a.example", 1);
  expect_text(parent.live_version("a.example").meta.ca, "internal");
  const live::DomainSlot* slot = parent.board.find("a.example");
  ck_assert(within(std::chrono::seconds(20), [&] {
    return renew::phase_from_number(slot->state.load()) == renew::Phase::waiting;
  }));
  ck_assert_int_gt(slot->not_after, std::time(nullptr));
  ck_assert_int_gt(slot->next_run, std::time(nullptr));
  expect_contains(content_of(parent.directory / "log"), "TG0102: domain=a.example: version 1");
}
END_TEST

START_TEST(it_does_what_is_asked_of_it) {
  Parent parent;
  parent.declare("a.example");
  parent.start();
  parent.expect_generation("a.example", 1);
  auto status = parent.ask({});
  ck_assert(status["owns_store"] == true);
  ck_assert(status["domains"][0]["domain"] == "a.example");
  parent.ask({renew::ControlCommand::renew, "a.example", "", {}});
  parent.expect_generation("a.example", 2);
  ck_assert_uint_eq(parent.live_version("a.example").number, 2);
  auto root = parent.ask({renew::ControlCommand::ca_root, "", "", {}});
  expect_contains(root["pem"].get<std::string>(), "-----BEGIN CERTIFICATE-----");
}
END_TEST

START_TEST(it_sees_a_list_change) {
  Parent parent;
  std::string list = parent.directory / "names";
  write_file(list, "a.example\n");
  parent.spec.lists.push_back(
      {list, 7, std::make_shared<const renew::DomainSettings>(parent.settings)});
  parent.start();
  parent.expect_generation("a.example", 1);
  write_file(list, "a.example\nb.example www.b.example\n");
  parent.expect_generation("b.example", 1);
  ck_assert(parent.board.domain_of(7, "www.b.example").has_value());
}
END_TEST

START_TEST(sigterm_ends_it_at_once_and_the_next_one_goes_on) {
  Parent parent;
  parent.declare("a.example");
  parent.start();
  parent.expect_generation("a.example", 1);
  auto begin = steady_clock::now();
  int status = parent.end(SIGTERM);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  ck_assert(steady_clock::now() - begin < std::chrono::seconds(2));
  parent.declare("b.example");
  parent.start();
  parent.expect_generation("b.example", 1);
  ck_assert_uint_eq(parent.generation("a.example"), 1);
  ck_assert_uint_eq(parent.live_version("a.example").number, 1);
  // However it ends.
  status = parent.end(SIGKILL);
  ck_assert(WIFSIGNALED(status));
  parent.start();
  parent.ask({renew::ControlCommand::renew, "a.example", "", {}});
  parent.expect_generation("a.example", 2);
}
END_TEST

START_TEST(it_has_given_away_what_it_was_given) {
  Parent parent;
  int leaking = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  parent.declare("a.example");
  parent.start();
  parent.expect_generation("a.example", 1);
  std::string proc = "/proc/" + std::to_string(parent.pid) + "/";
  std::string facts = content_of(proc + "status");
  std::string id = std::to_string(parent.user);
  expect_contains(facts, "\nUid:\t" + id + "\t" + id + "\t" + id + "\t" + id + "\n");
  expect_contains(facts, "\nCapEff:\t0000000000000000\n");
  if (::geteuid() == 0) {
    // Configuration and sealing key are read and closed.
    for (const auto& entry : std::filesystem::directory_iterator(proc + "fd")) {
      std::error_code gone;
      std::string target = std::filesystem::read_symlink(entry.path(), gone);
      ck_assert_msg(!target.starts_with("/memfd:handed-over"), "%s is open", target.c_str());
    }
    std::error_code gone;
    std::string target =
        std::filesystem::read_symlink(proc + "fd/" + std::to_string(leaking), gone);
    ck_assert_msg(target != "/dev/null", "descriptor %d was inherited", leaking);
  }
  ::close(leaking);
}
END_TEST

// As somebody might try it.
std::pair<int, std::string> by_hand(const std::string& arguments) {
  std::string command = program_path() + " " + arguments + " 2>&1 </dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  ck_assert_ptr_nonnull(pipe);
  std::string output;
  char part[512];
  while (std::size_t got = std::fread(part, 1, sizeof(part), pipe)) output.append(part, got);
  int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

START_TEST(by_hand_it_says_who_starts_it) {
  auto [status, output] = by_hand("");
  ck_assert_int_eq(status, 2);
  expect_contains(output, "httpd starts it");
  std::tie(status, output) = by_hand("--help");
  ck_assert_int_eq(status, 2);
  expect_contains(output, "'--help' ");
  std::tie(status, output) = by_hand(
      "--spec-fd 3 --seal-fd 4 --board-fd 5 --control-fd 6 --user 33 --group 34 --parent 77");
  ck_assert_int_eq(status, 1);
  expect_contains(output, "TG0130");
}
END_TEST

}  // namespace

Suite* agent_program_suite() {
  Suite* suite = suite_create("agent program");
  TCase* tests = tcase_create("agent program");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, a_domain_is_live_on_the_board_and_in_the_store);
  tcase_add_test(tests, it_does_what_is_asked_of_it);
  tcase_add_test(tests, it_sees_a_list_change);
  tcase_add_test(tests, sigterm_ends_it_at_once_and_the_next_one_goes_on);
  tcase_add_test(tests, it_has_given_away_what_it_was_given);
  tcase_add_test(tests, by_hand_it_says_who_starts_it);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
