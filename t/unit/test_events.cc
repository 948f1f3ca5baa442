// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <sys/stat.h>

#include <filesystem>
#include <mutex>

#include "renew/event_runner.h"
#include "renew/json_members.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;

struct Hooks {
  TempDir directory;
  LogList log;
  UnixSeconds now = test_now;
  std::mutex mutex;
  std::vector<net::HttpRequest> requests;
  std::vector<int> statuses;  // of the answers, the last one for ever
  EventRunner runner{[this](const net::HttpSettings&) { return std::make_unique<Client>(*this); },
                     log,
                     [this] { return now; },
                     {.command = std::chrono::seconds(5), .again = std::chrono::milliseconds(5)}};

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

  // A script that writes down its arguments, and ends with this status.
  std::string script(const std::string& name, int status) {
    std::string path = directory / name;
    write_file(path, "#!/bin/sh\necho \"$@\" >> " + (directory / "seen") + "\necho because\nexit " +
                         std::to_string(status) + "\n");
    ck_assert_int_eq(::chmod(path.c_str(), 0755), 0);
    return path;
  }
  std::string seen() {
    runner.settle();
    return std::filesystem::exists(directory / "seen") ? content_of(directory / "seen") : "";
  }
  DomainSpec domain(const std::vector<EventSpec>& events) {
    DomainSettings settings;
    settings.events = events;
    return {
        "a.example", {"a.example", "b.example"}, std::make_shared<const DomainSettings>(settings)};
  }
};

EventSpec command(const std::vector<std::string>& arguments) {
  return {EventSpec::Kind::command, arguments};
}

START_TEST(commands_get_event_and_domain_in_order) {
  Hooks hooks;
  auto domain = hooks.domain({command({hooks.script("one", 0), "x", "two words"}),
                              command({hooks.script("two", 0), "y"})});
  hooks.runner.tell(Event::activated, domain, "text");
  hooks.runner.tell(Event::action_needed, domain, "text");
  expect_text(hooks.seen(),
              "x two words activated a.example\ny activated a.example\n"
              "x two words action-needed a.example\ny action-needed a.example\n");
  ck_assert_int_eq(hooks.log.count("TG0140"), 0);
}
END_TEST

START_TEST(one_command_can_say_no) {
  Hooks hooks;
  ck_assert(hooks.runner.allows(hooks.domain({})));
  ck_assert(hooks.runner.allows(hooks.domain({command({hooks.script("yes", 0)})})));
  ck_assert(!hooks.runner.allows(
      hooks.domain({command({hooks.script("no", 3)}), command({hooks.script("yes", 0)})})));
  ck_assert(hooks.log.has("status 3: because"));
  // Who is not there has no say.
  ck_assert(hooks.runner.allows(hooks.domain({command({hooks.directory / "missing"})})));
  expect_text(hooks.seen(), "renewing a.example\nrenewing a.example\nrenewing a.example\n");
}
END_TEST

START_TEST(failures_are_told_once_an_hour) {
  Hooks hooks;
  auto domain = hooks.domain({command({hooks.script("one", 0)})});
  for (int i = 0; i < 10; ++i) hooks.runner.tell(Event::failed, domain, "text");
  hooks.now += 3599;
  hooks.runner.tell(Event::failed, domain, "text");
  expect_text(hooks.seen(), "failed a.example\n");
  hooks.now += 1;
  hooks.runner.tell(Event::failed, domain, "text");
  hooks.runner.settle();
  hooks.runner.tell(Event::activated, domain, "text");
  hooks.runner.settle();
  hooks.runner.tell(Event::failed, domain, "text");
  expect_text(hooks.seen(),
              "failed a.example\nfailed a.example\nactivated a.example\nfailed a.example\n");
}
END_TEST

START_TEST(webhooks_get_json_that_is_signed) {
  Hooks hooks;
  hooks.statuses = {200};
  write_file(hooks.directory / "key", "secret\n");
  auto domain = hooks.domain(
      {{EventSpec::Kind::webhook, {"https://hook.example/x"}},
       {EventSpec::Kind::webhook, {"https://hook.example/y", hooks.directory / "key"}}});
  hooks.runner.tell(Event::renewed, domain, "all is well");
  hooks.runner.settle();
  ck_assert_uint_eq(hooks.requests.size(), 2);
  const net::HttpRequest& request = hooks.requests[1];
  expect_text(request.method, "POST");
  expect_text(request.url, "https://hook.example/y");
  Json body = Json::parse(request.body);
  ck_assert(body["event"] == "renewed");
  ck_assert(body["domain"] == "a.example");
  ck_assert(body["names"] == Json::array({"a.example", "b.example"}));
  ck_assert(body["text"] == "all is well");
  ck_assert(body["time"] == "2027-01-15T08:00:00Z");
  expect_text(request.fields[1].first, "TLSGuard-Signature");
  // As `openssl dgst -sha256 -hmac secret` says.
  std::string file = hooks.directory / "body";
  write_file(file, request.body);
  FILE* pipe = ::popen(("openssl dgst -sha256 -hmac secret -r " + file).c_str(), "r");
  char digest[65] = {};
  ck_assert_uint_eq(std::fread(digest, 1, 64, pipe), 64);
  ::pclose(pipe);
  expect_text(request.fields[1].second, "sha256=" + std::string(digest));
  ck_assert_uint_eq(hooks.requests[0].fields.size(), 1);
}
END_TEST

START_TEST(webhooks_are_tried_three_times) {
  Hooks hooks;
  hooks.statuses = {500, 503, 200};
  auto domain = hooks.domain({{EventSpec::Kind::webhook, {"https://hook.example/x"}}});
  hooks.runner.tell(Event::expiring, domain, "text");
  hooks.runner.settle();
  ck_assert_uint_eq(hooks.requests.size(), 3);
  ck_assert_int_eq(hooks.log.count("TG0141"), 0);
  hooks.statuses = {500};
  hooks.requests.clear();
  hooks.runner.tell(Event::expiring, domain, "text");
  hooks.runner.settle();
  ck_assert_uint_eq(hooks.requests.size(), 3);
  ck_assert(hooks.log.has("HTTP status 500"));
  // A key that cannot be read is no reason to send without.
  hooks.requests.clear();
  hooks.runner.tell(
      Event::expiring,
      hooks.domain({{EventSpec::Kind::webhook, {"https://hook.example/x", "/nowhere/key"}}}),
      "text");
  hooks.runner.settle();
  ck_assert_uint_eq(hooks.requests.size(), 0);
  ck_assert(hooks.log.has("'/nowhere/key' cannot be read"));
}
END_TEST

}  // namespace

Suite* events_suite() {
  Suite* suite = suite_create("events");
  TCase* tests = tcase_create("events");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, commands_get_event_and_domain_in_order);
  tcase_add_test(tests, one_command_can_say_no);
  tcase_add_test(tests, failures_are_told_once_an_hour);
  tcase_add_test(tests, webhooks_get_json_that_is_signed);
  tcase_add_test(tests, webhooks_are_tried_three_times);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
