// SPDX-License-Identifier: Apache-2.0
// What is told: to commands and webhooks, in order, again, and after a restart.
#include "expect.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <filesystem>
#include <mutex>

#include "renew/event_runner.h"
#include "renew/json_members.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;

constexpr std::int64_t hour = 3600;

struct Hooks {
  TempDir directory;
  LogList log;
  std::atomic<UnixSeconds> now = test_now;
  std::mutex mutex;
  std::vector<net::HttpRequest> requests;
  std::vector<int> statuses{200};  // of the answers, the last one for ever
  std::vector<std::int64_t> again = EventRunner::Pace().again;
  std::unique_ptr<EventRunner> runner;

  Hooks() { start(); }

  class Client : public net::HttpClient {
   public:
    explicit Client(Hooks& hooks) : hooks_(hooks) {}
    Result<net::HttpResponse> send(const net::HttpRequest& request) override {
      std::lock_guard lock(hooks_.mutex);
      std::size_t index = std::min(hooks_.requests.size(), hooks_.statuses.size() - 1);
      hooks_.requests.push_back(request);
      return net::HttpResponse{hooks_.statuses[index], {}, ""};
    }

   private:
    Hooks& hooks_;
  };

  // Another agent, as after a restart; known: whether the lines are still configured.
  void start(bool known = true) {
    runner.reset();
    EventRunner::Setup setup;
    setup.webhooks = [this](const net::HttpSettings&) { return std::make_unique<Client>(*this); };
    setup.now = [this] { return now.load(); };
    setup.server = "www.example.org";
    setup.pace.command = std::chrono::seconds(30);
    setup.pace.again = again;
    runner = std::make_unique<EventRunner>(std::move(setup), log);
    runner->open(directory.path(), [known](const EventSpec&) { return known; });
    runner->settle();
  }
  // The clock goes on to this moment, and what is due on the way is done.
  void run_for(std::int64_t seconds) {
    UnixSeconds end = now + seconds;
    for (;;) {
      UnixSeconds next = runner->deliver_due();
      runner->settle();
      next = runner->deliver_due();
      if (next > end) break;
      now = std::max(now + 1, next);
    }
    now = end;
  }
  void tell(Event event, const DomainSpec& domain, const std::string& text = "text") {
    runner->tell(event, domain, text);
    runner->settle();
  }

  // A script that writes down its arguments, and ends with this status.
  std::string script(const std::string& name, int status) {
    std::string path = directory / name;
    write_file(path, "#!/bin/sh\necho \"$@\" >> " + (directory / "seen") + "\necho because\nexit " +
                         std::to_string(status) + "\n");
    ck_assert_int_eq(::chmod(path.c_str(), 0755), 0);
    return path;
  }
  std::string seen() {
    runner->settle();
    return std::filesystem::exists(directory / "seen") ? content_of(directory / "seen") : "";
  }
  DomainSpec domain(const std::vector<EventSpec>& events, const std::string& name = "a.example") {
    DomainSettings settings;
    settings.events = events;
    return {name, {name, "b.example"}, std::make_shared<const DomainSettings>(settings)};
  }
  // Of all requests so far: "event domain", one a line.
  std::string told() {
    std::lock_guard lock(mutex);
    std::string all;
    for (const net::HttpRequest& request : requests) {
      Json body = Json::parse(request.body);
      all += body["event"].get<std::string>() + " " + body["domain"].get<std::string>() + "\n";
    }
    return all;
  }
};

EventSpec command(const std::vector<std::string>& arguments) {
  return {EventSpec::Kind::command, arguments};
}

EventSpec webhook(const std::vector<std::string>& arguments = {"https://hook.example/x?t=secret"}) {
  return {EventSpec::Kind::webhook, arguments};
}

START_TEST(commands_get_event_and_domain_in_order) {
  Hooks hooks;
  auto domain = hooks.domain({command({hooks.script("one", 0), "x", "two words"})});
  for (int i = 0; i < 5; ++i) {
    hooks.runner->tell(Event::activated, domain, "text");
    hooks.runner->tell(Event::action_needed, domain, "text");
  }
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    expected += "x two words activated a.example\nx two words action-needed a.example\n";
  }
  expect_text(hooks.seen(), expected);
  ck_assert_int_eq(hooks.log.count("TG0140"), 0);
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 0);
}
END_TEST

START_TEST(one_command_can_say_no) {
  Hooks hooks;
  ck_assert(hooks.runner->allows(hooks.domain({})));
  ck_assert(hooks.runner->allows(hooks.domain({command({hooks.script("yes", 0)})})));
  ck_assert(!hooks.runner->allows(
      hooks.domain({command({hooks.script("no", 3)}), command({hooks.script("yes", 0)})})));
  ck_assert(hooks.log.has("status 3: because"));
  // Who is not there has no say.
  ck_assert(hooks.runner->allows(hooks.domain({command({hooks.directory / "missing"})})));
  expect_text(hooks.seen(), "renewing a.example\nrenewing a.example\nrenewing a.example\n");
  ck_assert_uint_eq(hooks.runner->outbox().dead_letters().size(), 0);
}
END_TEST

START_TEST(a_slow_command_holds_up_nobody) {
  Hooks hooks;
  std::string slow = hooks.directory / "slow";
  // Until the other one has been run for every domain.
  write_file(slow, "#!/bin/sh\nuntil [ \"$(grep -c quick " + (hooks.directory / "seen") +
                       ")\" = 20 ]; do sleep 0.05; done\n");
  ck_assert_int_eq(::chmod(slow.c_str(), 0755), 0);
  std::string quick = hooks.script("quick", 0);
  for (int i = 0; i < 20; ++i) {
    auto domain = hooks.domain({command({slow}), command({quick, "quick"})},
                               "d" + std::to_string(i) + ".example");
    hooks.runner->tell(Event::activated, domain, "text");
  }
  hooks.runner->settle();
  ck_assert_int_eq(hooks.log.count("TG0140"), 0);
}
END_TEST

START_TEST(a_command_that_fails_is_a_dead_letter) {
  Hooks hooks;
  auto domain = hooks.domain({command({hooks.script("bad", 3), "secret"})});
  hooks.tell(Event::renewed, domain);
  auto letters = hooks.runner->outbox().dead_letters();
  ck_assert_uint_eq(letters.size(), 1);
  expect_text(letters[0].to, hooks.directory / "bad");
  expect_text(letters[0].event, "renewed");
  expect_contains(letters[0].error, "status 3");
  hooks.start();
  hooks.run_for(hour);
  expect_text(hooks.seen(), "secret renewed a.example\n");  // it was run once
  ck_assert(hooks.runner->outbox().dead_letters() == letters);
}
END_TEST

// A reload ends the agent: the command goes on, and that nobody knows how it ends is not hidden.
START_TEST(a_command_outlives_the_agent) {
  Hooks hooks;
  std::string path = hooks.directory / "slow";
  std::string done = hooks.directory / "done";
  std::string go = hooks.directory / "go";
  write_file(path, "#!/bin/sh\necho begun >" + done + ".1\nuntil [ -e " + go +
                       " ]; do sleep 0.02; done\necho one && echo two && echo three >" + done +
                       "\n");
  ck_assert_int_eq(::chmod(path.c_str(), 0755), 0);
  auto wait_for = [](const std::string& file) {
    for (int i = 0; i < 1500 && !std::filesystem::exists(file); ++i) ::usleep(20000);
    return std::filesystem::exists(file);
  };
  pid_t agent = ::fork();
  ck_assert_int_ge(agent, 0);
  if (agent == 0) {
    static_cast<void>(hooks.runner.release());  // its threads are the parent's
    hooks.start();
    hooks.runner->tell(Event::activated, hooks.domain({command({path})}), "text");
    ::pause();
    ::_exit(1);
  }
  ck_assert(wait_for(done + ".1"));
  ck_assert_int_eq(::kill(agent, SIGKILL), 0);
  ck_assert_int_eq(::waitpid(agent, nullptr, 0), agent);
  write_file(go, "");
  ck_assert(wait_for(done));
  hooks.start();
  auto letters = hooks.runner->outbox().dead_letters();
  ck_assert_uint_eq(letters.size(), 1);
  expect_text(letters[0].event, "activated");
  expect_contains(letters[0].error, "the agent ended while it ran");
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 0);
  hooks.start();
  ck_assert(hooks.runner->outbox().dead_letters() == letters);
}
END_TEST

START_TEST(long_texts_outlive_a_restart) {
  Hooks hooks;
  hooks.statuses = {500};
  hooks.tell(Event::failed, hooks.domain({webhook()}),
             std::string(max_event_text - 1, 'x') + "ü and more");
  hooks.start();
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 1);
  hooks.run_for(25 * hour);
  hooks.start();
  ck_assert_uint_eq(hooks.runner->outbox().dead_letters().size(), 1);
  ck_assert_int_eq(hooks.log.count("TG0143"), 0);
}
END_TEST

START_TEST(webhooks_get_json_that_is_signed) {
  Hooks hooks;
  write_file(hooks.directory / "key", "secret\n");
  auto domain = hooks.domain({webhook({"https://hook.example/x"}),
                              webhook({"https://hook.example/y", hooks.directory / "key"})});
  hooks.tell(Event::renewed, domain, "all is well");
  ck_assert_uint_eq(hooks.requests.size(), 2);
  bool second = hooks.requests[1].url == "https://hook.example/y";
  const net::HttpRequest& request = hooks.requests[second ? 1 : 0];
  expect_text(request.method, "POST");
  expect_text(request.url, "https://hook.example/y");
  Json body = Json::parse(request.body);
  ck_assert(body["event"] == "renewed");
  ck_assert(body["domain"] == "a.example");
  ck_assert(body["names"] == Json::array({"a.example", "b.example"}));
  ck_assert(body["text"] == "all is well");
  ck_assert(body["time"] == "2027-01-15T08:00:00Z");
  ck_assert(body["server"] == "www.example.org");
  ck_assert(body["version"] == TLSGUARD_VERSION);
  ck_assert_uint_eq(body["id"].get<std::string>().size(), 32);
  expect_text(request.fields[1].first, "TLSGuard-Signature");
  // As `openssl dgst -sha256 -hmac secret` says.
  std::string file = hooks.directory / "body";
  write_file(file, request.body);
  FILE* pipe = ::popen(("openssl dgst -sha256 -hmac secret -r " + file).c_str(), "r");
  char digest[65] = {};
  ck_assert_uint_eq(std::fread(digest, 1, 64, pipe), 64);
  ::pclose(pipe);
  expect_text(request.fields[1].second, "sha256=" + std::string(digest));
  ck_assert_uint_eq(hooks.requests[second ? 0 : 1].fields.size(), 1);
  // Both of the same event.
  expect_text(hooks.requests[0].body, hooks.requests[1].body);
}
END_TEST

START_TEST(webhooks_are_tried_for_a_day) {
  Hooks hooks;
  hooks.statuses = {500};
  auto domain = hooks.domain({webhook()});
  hooks.tell(Event::expiring, domain);
  ck_assert_uint_eq(hooks.requests.size(), 1);
  hooks.run_for(hour);
  ck_assert_uint_ge(hooks.requests.size(), 4);
  ck_assert_uint_le(hooks.requests.size(), 6);
  ck_assert_int_eq(hooks.log.count("TG0141"), 0);
  hooks.run_for(24 * hour);
  ck_assert_uint_eq(hooks.requests.size(), 9);
  for (const auto& request : hooks.requests) expect_text(request.body, hooks.requests[0].body);
  ck_assert_int_eq(hooks.log.count("TG0141"), 1);
  ck_assert(hooks.log.has("HTTP status 500"));
  ck_assert(!hooks.log.has("secret"));
  auto letters = hooks.runner->outbox().dead_letters();
  ck_assert_uint_eq(letters.size(), 1);
  expect_text(letters[0].to, "https://hook.example");
  ck_assert_uint_eq(letters[0].tries, 9);
  ck_assert(letters[0].id == Json::parse(hooks.requests[0].body)["id"]);
  hooks.run_for(100 * 24 * hour);
  ck_assert_uint_eq(hooks.requests.size(), 9);
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 0);
}
END_TEST

START_TEST(a_receiver_that_is_back_gets_all_in_order) {
  Hooks hooks;
  hooks.statuses = {503};
  auto a = hooks.domain({webhook()});
  auto b = hooks.domain({webhook()}, "c.example");
  hooks.tell(Event::failed, a);
  hooks.tell(Event::recovered, a);
  hooks.run_for(5 * hour);
  hooks.tell(Event::expiring, b);
  hooks.start();  // a restart loses none
  hooks.requests.clear();
  hooks.statuses = {200};
  hooks.run_for(7 * hour);
  std::string told = hooks.told();
  ck_assert_uint_eq(hooks.requests.size(), 3);
  ck_assert_uint_lt(told.find("failed a.example"), told.find("recovered a.example"));
  expect_contains(told, "expiring c.example");
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 0);
  ck_assert_uint_eq(hooks.runner->outbox().dead_letters().size(), 0);
}
END_TEST

START_TEST(a_key_that_cannot_be_read_is_no_reason_to_send_without) {
  Hooks hooks;
  auto domain = hooks.domain({webhook({"https://hook.example/x", hooks.directory / "key"})});
  hooks.tell(Event::expiring, domain);
  ck_assert_uint_eq(hooks.requests.size(), 0);
  ck_assert(hooks.log.has("key' cannot be read"));
  write_file(hooks.directory / "key", "\n");
  hooks.run_for(30);
  ck_assert_uint_eq(hooks.requests.size(), 0);
  ck_assert(hooks.log.has("key' is empty"));
  write_file(hooks.directory / "key", std::string(4097, 'x'));
  hooks.run_for(120);
  ck_assert_uint_eq(hooks.requests.size(), 0);
  ck_assert(hooks.log.has("key' has more than 4096 bytes"));
  write_file(hooks.directory / "key", "secret");
  hooks.run_for(hour);
  ck_assert_uint_eq(hooks.requests.size(), 1);
}
END_TEST

START_TEST(what_nobody_configures_any_more_is_not_sent) {
  Hooks hooks;
  hooks.statuses = {500};
  hooks.tell(Event::expiring, hooks.domain({webhook()}));
  hooks.statuses = {200};
  hooks.requests.clear();
  hooks.start(/*known=*/false);
  hooks.run_for(24 * hour);
  ck_assert_uint_eq(hooks.requests.size(), 0);
  auto letters = hooks.runner->outbox().dead_letters();
  ck_assert_uint_eq(letters.size(), 1);
  expect_contains(letters[0].error, "no longer in the configuration");
}
END_TEST

START_TEST(the_outbox_is_bounded) {
  Hooks hooks;
  hooks.statuses = {500};
  for (std::size_t i = 0; i < Outbox::most_waiting + 150; ++i) {
    hooks.runner->tell(Event::failed,
                       hooks.domain({webhook()}, "d" + std::to_string(i) + ".example"), "text");
  }
  hooks.runner->settle();
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), Outbox::most_waiting);
  auto letters = hooks.runner->outbox().dead_letters();
  ck_assert_uint_eq(letters.size(), most_dead_letters);
  expect_contains(letters.back().error, "too many events");
  ck_assert_int_eq(hooks.log.count("TG0142"), 1);
  hooks.start();
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), Outbox::most_waiting);
}
END_TEST

START_TEST(torn_files_are_set_aside) {
  Hooks hooks;
  hooks.statuses = {500};
  hooks.tell(Event::failed, hooks.domain({webhook()}));
  hooks.tell(Event::failed, hooks.domain({webhook()}, "c.example"));
  std::string outbox = hooks.directory / "outbox";
  write_file(outbox + "/1.json", "{\"version\":1,");
  write_file(outbox + "/dead-letters.json", "[]");
  write_file(outbox + "/7.json", content_of(outbox + "/2.json"));
  write_file(outbox + "/x.json", "a stranger's");
  hooks.start();
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 1);
  ck_assert(std::filesystem::exists(outbox + "/1.json.bad"));
  ck_assert(std::filesystem::exists(outbox + "/7.json.bad"));
  expect_text(content_of(outbox + "/x.json"), "a stranger's");
  ck_assert(std::filesystem::exists(outbox + "/dead-letters.json.bad"));
  ck_assert_int_eq(hooks.log.count("TG0143"), 1);
}
END_TEST

START_TEST(a_clock_that_jumps_back_delays_nothing_for_years) {
  Hooks hooks;
  hooks.statuses = {500, 200};
  hooks.now = test_now + 20LL * 365 * 24 * hour;
  hooks.tell(Event::failed, hooks.domain({webhook()}));
  hooks.now = test_now;
  hooks.start();
  ck_assert_uint_eq(hooks.requests.size(), 2);
  ck_assert_uint_eq(hooks.runner->outbox().waiting(), 0);
}
END_TEST

}  // namespace

Suite* events_suite() {
  Suite* suite = suite_create("events");
  TCase* tests = tcase_create("events");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, commands_get_event_and_domain_in_order);
  tcase_add_test(tests, one_command_can_say_no);
  tcase_add_test(tests, a_slow_command_holds_up_nobody);
  tcase_add_test(tests, a_command_that_fails_is_a_dead_letter);
  tcase_add_test(tests, a_command_outlives_the_agent);
  tcase_add_test(tests, long_texts_outlive_a_restart);
  tcase_add_test(tests, webhooks_get_json_that_is_signed);
  tcase_add_test(tests, webhooks_are_tried_for_a_day);
  tcase_add_test(tests, a_receiver_that_is_back_gets_all_in_order);
  tcase_add_test(tests, a_key_that_cannot_be_read_is_no_reason_to_send_without);
  tcase_add_test(tests, what_nobody_configures_any_more_is_not_sent);
  tcase_add_test(tests, the_outbox_is_bounded);
  tcase_add_test(tests, torn_files_are_set_aside);
  tcase_add_test(tests, a_clock_that_jumps_back_delays_nothing_for_years);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
