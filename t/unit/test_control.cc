// SPDX-License-Identifier: Apache-2.0
// The control socket: what is said, who may say it, and what becomes of nonsense.
#include "expect.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "agent/control_server.h"
#include "renew/control_protocol.h"
#include "renew/json_members.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using std::chrono::milliseconds;

START_TEST(requests_are_read_back) {
  for (const ControlRequest& request :
       {ControlRequest{}, ControlRequest{ControlCommand::status, "a.example", "", {}},
        ControlRequest{ControlCommand::revoke, "a.example", "", 1},
        ControlRequest{ControlCommand::account_rollover, "", "letsencrypt", {}},
        ControlRequest{ControlCommand::ca_root, "", "", {}}}) {
    std::string line = to_line(request);
    ck_assert(line.ends_with("}\n"));
    ck_assert(value_of(parse_control_request(line.substr(0, line.size() - 1))) == request);
  }
  expect_text(value_of(parse_control_request(R"({"command":"hold","domain":"A.Example"})")).domain,
              "a.example");
}
END_TEST

START_TEST(nonsense_is_told_what_is_valid) {
  struct {
    const char* line;
    const char* error;
  } cases[] = {{"", "no request"},
               {"GET / HTTP/1.1", "no request"},
               {"[]", "not an object"},
               {"{}", "command is missing"},
               {R"({"command":1})", "command is not a text"},
               {R"({"command":"reboot"})", "valid are status, renew, hold"},
               {R"({"command":"renew"})", "'renew' needs a domain"},
               {R"({"command":"revoke","domain":"a","reason":"fun"})", "keyCompromise"},
               {R"({"command":"revoke","domain":"a","reason":"2"})", "no reason to revoke"},
               {R"({"command":"status","domain":[[[]]]})", "nested"},
               {"\x16\x03\x01\x02", "no request"}};
  for (const auto& c : cases) {
    auto read = parse_control_request(c.line);
    expect_contains(error_of(read), c.error);
    ck_assert(read.error().text.find('\n') == std::string::npos);
  }
  expect_contains(error_of(parse_control_request(std::string(5000, ' '))), "longer than 4096");
}
END_TEST

START_TEST(replies_are_read_back) {
  Json result{{"a", {1, 2, 3}}};
  std::string line = ok_reply(result);
  ck_assert(line.ends_with("\n"));
  ck_assert(value_of(parse_control_reply(line)) == result);
  expect_text(error_of(parse_control_reply(error_reply("no such domain"))), "no such domain");
  for (const char* bad : {"", "{}", "[]", R"({"ok":true})", R"({"ok":false})", R"({"ok":1})"}) {
    ck_assert_msg(!parse_control_reply(bad), "%s", bad);
  }
}
END_TEST

START_TEST(status_shows_a_domain_with_its_history) {
  RenewalBench bench;
  bench.add({"a.example", "b.example"});
  bench.start();
  bench.work();
  auto all = bench.ask(R"({"command":"status"})")["result"];
  ck_assert(all["owns_store"] == true);
  ck_assert_uint_eq(all["domains"].size(), 1);
  ck_assert(all["domains"][0]["phase"] == "waiting");
  auto one = bench.ask(R"({"command":"status","domain":"a.example"})")["result"];
  ck_assert(one["names"] == Json::array({"a.example", "b.example"}));
  ck_assert(one["live"]["key_types"] == Json::array({"P-256"}));
  ck_assert(one["live"]["ca"] == "pretended");
  ck_assert(one["versions"] == Json::array({1}));
  ck_assert_int_gt(one["ari"]["end"].get<std::int64_t>(), one["ari"]["start"].get<std::int64_t>());
  ck_assert_uint_ge(one["history"].size(), 2);
  ck_assert_int_eq(one["next_run"].get<std::int64_t>(), all["domains"][0]["next_run"]);
  for (const char* command : {"status", "renew", "hold", "resume", "rollback", "revoke"}) {
    auto reply = bench.ask(std::string(R"({"command":")") + command + R"(","domain":"x.example"})");
    ck_assert(reply["ok"] == false);
    expect_contains(reply["error"].get<std::string>(), "is not a managed domain");
  }
  ck_assert(bench.ask(R"({"command":"ca root"})")["ok"] == false);
  ck_assert(bench.ask("nonsense")["ok"] == false);
}
END_TEST

// A server on a socket in a temporary directory.
class Served {
 public:
  explicit Served(agent::ControlServer::Limits limits = {}, uid_t starter = ::getuid()) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = this->address();
    ck_assert_int_eq(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ck_assert_int_eq(::listen(fd_, 16), 0);
    server_.emplace(
        fd_, starter,
        [](std::string_view line) { return "{\"echo\":" + std::string(line) + "}\n"; }, log_,
        limits);
    thread_ = std::thread([this] { server_->serve(); });
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
    while (server_->clients() > 0) std::this_thread::sleep_for(milliseconds(5));
  }
  void open_to_all() const {
    ck_assert_int_eq(::chmod(directory_.path().c_str(), 0755), 0);
    ck_assert_int_eq(::chmod(path_.c_str(), 0777), 0);
  }
  void wait_for_clients(int count) const {
    while (server_->clients() < count) std::this_thread::sleep_for(milliseconds(5));
  }
  [[nodiscard]] int connect() const {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = this->address();
    ck_assert_int_eq(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval limit{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
  }

 private:
  [[nodiscard]] sockaddr_un address() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return address;
  }
  TempDir directory_;
  std::string path_ = directory_ / "control.sock";
  LogList log_;
  int fd_ = -1;
  std::optional<agent::ControlServer> server_;
  std::thread thread_;
};

void say(int fd, std::string_view text) {
  ck_assert_int_eq(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
                   static_cast<ssize_t>(text.size()));
}
// Until the line ends, or the connection.
std::string hear(int fd) {
  std::string text;
  char c = 0;
  while (::recv(fd, &c, 1, 0) == 1) {
    text += c;
    if (c == '\n') break;
  }
  return text;
}

constexpr char status_line[] = "{\"command\":\"status\"}\n";

START_TEST(a_client_asks_as_often_as_it_likes) {
  Served served;
  int fd = served.connect();
  for (int i = 0; i < 3; ++i) {
    say(fd, status_line);
    expect_text(hear(fd), "{\"echo\":{\"command\":\"status\"}}\n");
  }
  // In pieces, and two at once.
  say(fd, "{\"command\":");
  say(fd, "\"status\"}\n{\"command\":\"ca root\"}\n");
  expect_text(hear(fd), "{\"echo\":{\"command\":\"status\"}}\n");
  expect_text(hear(fd), "{\"echo\":{\"command\":\"ca root\"}}\n");
  ::close(fd);
}
END_TEST

START_TEST(nonsense_gets_one_clear_line) {
  Served served;
  for (const std::string& nonsense :
       {std::string("hello\n"), std::string("GET / HTTP/1.1\r\n"), std::string(8000, 'x'),
        std::string(100, '\0') + "\n", std::string("{\"command\":\"reboot\"}\n")}) {
    int fd = served.connect();
    ::send(fd, nonsense.data(), nonsense.size(), MSG_NOSIGNAL);
    std::string reply = hear(fd);
    auto read = parse_control_reply(reply);
    ck_assert(!read);
    ck_assert_msg(reply.ends_with("\n"), "'%s'", reply.c_str());
    expect_text(hear(fd), "");  // closed
    ::close(fd);
  }
  // And the server goes on.
  int fd = served.connect();
  say(fd, status_line);
  expect_contains(hear(fd), "echo");
  ::close(fd);
}
END_TEST

START_TEST(who_says_nothing_is_not_waited_for_and_there_are_only_so_many) {
  Served served({.clients = 2,
                 .line = milliseconds(3000),
                 .first = milliseconds(3000),
                 .idle = milliseconds(3000)});
  int silent = served.connect();
  int halfway = served.connect();
  say(halfway, "{\"comm");
  // Both places are taken until they are thrown out.
  served.wait_for_clients(2);
  int third = served.connect();
  expect_contains(hear(third), "too many clients");
  ::close(third);
  expect_text(hear(silent), "");
  expect_text(hear(halfway), "");
  int fourth = served.connect();
  say(fourth, status_line);
  expect_contains(hear(fourth), "echo");
  for (int fd : {silent, halfway, fourth}) ::close(fd);
}
END_TEST

// Root may, and whoever started the agent. Who runs this is neither, or becomes somebody else.
START_TEST(others_may_not) {
  Served served({}, /*starter=*/::getuid() == 0 ? 1 : ::getuid() + 1);
  served.open_to_all();
  pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    if (::getuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);
    int fd = served.connect();  // nothing is read from it, so nothing is said
    bool turned_away = hear(fd).find("only root") != std::string::npos;
    ::_exit(turned_away ? 0 : 3);
  }
  int status = 0;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
}
END_TEST

}  // namespace

Suite* control_suite() {
  Suite* suite = suite_create("control");
  TCase* tests = tcase_create("control");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, requests_are_read_back);
  tcase_add_test(tests, nonsense_is_told_what_is_valid);
  tcase_add_test(tests, replies_are_read_back);
  tcase_add_test(tests, status_shows_a_domain_with_its_history);
  tcase_add_test(tests, a_client_asks_as_often_as_it_likes);
  tcase_add_test(tests, nonsense_gets_one_clear_line);
  tcase_add_test(tests, who_says_nothing_is_not_waited_for_and_there_are_only_so_many);
  tcase_add_test(tests, others_may_not);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
