// SPDX-License-Identifier: Apache-2.0
// The files that the agent writes for the status page, and the counts of CAs in one of them.
#include "expect.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "failing_calls.h"
#include "list_log.h"
#include "renew/ca_metrics.h"
#include "renew/json_members.h"
#include "renew/report_files.h"
#include "store/layout.h"
#include "stored.h"

namespace tlsguard::test {
namespace {

using namespace renew;

struct Reports {
  StoreFixture files;
  store::CertificateStore certificates = files.open();
  TempDir directory;
  ListLog log;
  ReportFiles reports{value_of(store::Directory::open(directory.path())), certificates, log};
  JobState state;

  Reports() {
    state.identity = "example.org";
    state.phase = Phase::waiting;
  }
  // Another version is live, in the store and in the state.
  void activate() {
    std::uint32_t number = value_of(certificates.put("example.org", files.version()));
    auto current = value_of(certificates.activate("example.org", number));
    state.live.emplace();
    state.live->version = number;
    state.live->generation = current.generation;
    state.live->validity = {test_now - one_day, test_now + 89 * one_day};
  }
  void write(UnixSeconds now = test_now) {
    Situation situation;
    if (state.live) situation.live = state.live->validity;
    reports.write(state, {"example.org", "www.example.org"}, situation, now);
  }
  [[nodiscard]] std::string path(const std::string& file = "example.org.json") const {
    return directory / file;
  }
  [[nodiscard]] Json content() const { return Json::parse(content_of(path())); }
  // Another one each time a file is replaced.
  [[nodiscard]] ino_t file_number(const std::string& file = "example.org.json") const {
    struct stat facts {};
    ck_assert_int_eq(::stat(path(file).c_str(), &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 07777U, store::shared_file_mode);
    return facts.st_ino;
  }
};

START_TEST(a_report_is_replaced_when_it_changes) {
  Reports bench;
  bench.write();
  auto first = bench.file_number();
  expect_text(bench.content()["phase"].get<std::string>(), "waiting");
  ck_assert(bench.content()["names"] == Json({"example.org", "www.example.org"}));
  ck_assert(bench.content()["live"].is_null() && bench.content()["served"].empty());
  bench.write();
  ck_assert_uint_eq(bench.file_number(), first);
  // The one before keeps its number for a while, so that no other file gets it.
  std::filesystem::create_hard_link(bench.path(), bench.path("before"));
  bench.state.phase = Phase::held;
  bench.write();
  ck_assert_uint_ne(bench.file_number(), first);
  expect_text(bench.content()["phase"].get<std::string>(), "held");
  bench.reports.remove("example.org");
  bench.reports.remove("example.org");
  ck_assert(!std::filesystem::exists(bench.path()));
}
END_TEST

START_TEST(what_is_due_makes_no_file_of_each_look) {
  Reports bench;
  bench.state.live.emplace();
  bench.state.live->validity = {test_now - 80 * one_day, test_now + 10 * one_day};
  bench.write();
  ck_assert_int_eq(bench.content()["next"]["renew_at"].get<UnixSeconds>(), test_now);
  expect_text(bench.content()["next"]["cause"].get<std::string>(), "window");
}
END_TEST

START_TEST(serials_of_the_last_generations_are_kept) {
  Reports bench;
  std::vector<std::string> serials;
  for (int i = 0; i < 7; ++i) {
    bench.activate();
    bench.write();
    Json live = bench.content()["live"];
    ck_assert_uint_eq(live["certificates"].size(), 1);
    serials.push_back(live["certificates"][0]["serial"].get<std::string>());
  }
  Json served = bench.content()["served"];
  ck_assert_uint_eq(served.size(), 5);
  for (std::size_t i = 0; i < served.size(); ++i) {
    expect_text(served[i]["serials"][0].get<std::string>(), serials[6 - i]);
    ck_assert_uint_eq(served[i]["generation"].get<unsigned>(), 7 - i);
  }
  // Of a version that is known nothing is read again.
  std::filesystem::remove_all(bench.files / "");
  bench.state.hold = true;
  bench.write();
  expect_text(bench.content()["live"]["certificates"][0]["serial"].get<std::string>(), serials[6]);
}
END_TEST

START_TEST(a_report_that_is_torn_or_foreign_is_made_anew) {
  Reports bench;
  bench.activate();
  for (const char* torn :
       {"", "{", "[]", "7", R"({"live":7,"served":7})", R"({"live":{"version":1},"served":[7]})",
        R"({"live":{"version":1,"generation":1,"certificates":[]},"served":{}})"}) {
    write_file(bench.path(), torn);
    bench.write();
    Json content = bench.content();
    ck_assert_msg(content["live"]["certificates"].size() == 1, "%s", torn);
    ck_assert_msg(content["served"].size() == 1, "%s", torn);
  }
}
END_TEST

START_TEST(the_newest_of_the_history_come_first) {
  Reports bench;
  for (int i = 0; i < 20; ++i) bench.state.remember(test_now + i, "failed", std::to_string(i));
  bench.write();
  Json history = bench.content()["history"];
  ck_assert_uint_eq(history.size(), 8);
  expect_text(history[0]["text"].get<std::string>(), "19");
  expect_text(history[7]["text"].get<std::string>(), "12");
}
END_TEST

START_TEST(what_cannot_be_written_is_said_once) {
  Reports bench;
  bench.write();
  bench.state.phase = Phase::held;
  watch_calls(Fault::fail, 1, ENOSPC, true);
  bench.write();
  bench.reports.write_counts({});
  stop_watching();
  ck_assert_uint_eq(bench.log.lines().size(), 1);
  expect_text(bench.log.lines()[0].id, "TG0160");
  expect_text(bench.content()["phase"].get<std::string>(), "waiting");
  bench.write();
  expect_text(bench.content()["phase"].get<std::string>(), "held");
  bench.state.phase = Phase::manual;
  watch_calls(Fault::fail, 1, ENOSPC, true);
  bench.write();
  stop_watching();
  ck_assert_uint_eq(bench.log.lines().size(), 2);
}
END_TEST

START_TEST(troubles_are_written_when_they_change) {
  Reports bench;
  TroubleReport report;
  report.counts = {{"failing", 1}};
  report.alerts = {{"failing", "example.org", test_now, "it fails"}};
  bench.reports.write_troubles(report);
  auto first = bench.file_number(trouble_report_file);
  ck_assert(value_of(trouble_report_from_json(content_of(bench.path(trouble_report_file)))) ==
            report);
  bench.reports.write_troubles(report);
  ck_assert_uint_eq(bench.file_number(trouble_report_file), first);
  report.waiting = 1;
  bench.reports.write_troubles(report);
  write_file(bench.path(trouble_report_file), "{");
  bench.reports.write_troubles(report);
  ck_assert(value_of(trouble_report_from_json(content_of(bench.path(trouble_report_file)))) ==
            report);
}
END_TEST

// -- counts --------------------------------------------------------------------------------------

class Answers : public net::HttpClient {
 public:
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    if (request.url.ends_with("/nobody")) return fail("no answer");
    if (request.url.ends_with("/too-much")) {
      Error error{"too much"};
      error.kind = net::unusable_answer;
      return tl::unexpected(error);
    }
    return net::HttpResponse{503, {}, ""};
  }
};

struct Metered {
  UnixSeconds now = test_now;
  std::shared_ptr<CaMetrics> metrics = std::make_shared<CaMetrics>([this] { return now; });
  Reports bench;

  CaCounts written() {
    metrics->flush(bench.reports, now);
    return bench.reports.read_counts();
  }
};

START_TEST(requests_are_counted_by_host) {
  Metered metered;
  metered.metrics->take_over({});
  auto client =
      metered.metrics->watched([](const auto&) { return std::make_unique<Answers>(); })({});
  for (const char* url : {"https://ca.example/a", "https://ca.example?b", "https://ca.example",
                          "https://ca.example/nobody", "https://ca.example/too-much",
                          "https://ca.example:14000/a#b", "nonsense/path"}) {
    static_cast<void>(client->send({.url = url}));
  }
  CaCounts counts = metered.written();
  ck_assert_uint_eq(counts.requests.size(), 3);
  ck_assert_uint_eq(counts.requests["ca.example"].count(), 5);
  ck_assert_uint_eq(counts.requests["ca.example"].unanswered, 1);
  ck_assert_uint_eq(counts.requests["ca.example:14000"].count(), 1);
  ck_assert_uint_eq(counts.requests["nonsense"].count(), 1);
  ck_assert_int_eq(counts.requests["ca.example"].last_at, test_now);
  ck_assert_int_eq(counts.since, test_now);
}
END_TEST

START_TEST(a_client_outlives_who_counts) {
  Metered metered;
  auto client =
      metered.metrics->watched([](const auto&) { return std::make_unique<Answers>(); })({});
  std::weak_ptr<CaMetrics> seen = metered.metrics;
  metered.metrics.reset();
  static_cast<void>(client->send({.url = "https://ca.example/"}));
  client.reset();
  ck_assert(seen.expired());
}
END_TEST

START_TEST(counts_are_written_every_two_seconds_at_most) {
  Metered metered;
  ck_assert_int_eq(metered.metrics->flush_at(), 0);
  metered.metrics->attempt("first");
  ck_assert_int_le(metered.metrics->flush_at(), metered.now);
  ck_assert_uint_eq(metered.written().attempts["first"], 1);
  ck_assert_int_eq(metered.metrics->flush_at(), 0);
  metered.metrics->success("first");
  metered.metrics->error("rateLimited");
  ck_assert_int_eq(metered.metrics->flush_at(), metered.now + 2);
  ++metered.now;
  ck_assert(metered.written().successes.empty());
  ++metered.now;
  CaCounts counts = metered.written();
  ck_assert_uint_eq(counts.successes["first"], 1);
  ck_assert_uint_eq(counts.errors["rateLimited"], 1);
  // A clock that has jumped back must not silence them.
  metered.metrics->attempt("first");
  metered.now -= 1000000;
  ck_assert_uint_eq(metered.written().attempts["first"], 2);
}
END_TEST

START_TEST(the_next_agent_counts_on) {
  Metered before;
  before.metrics->take_over({});
  before.metrics->attempt("first");
  before.metrics->error("preflight");
  before.metrics->request("https://ca.example/", 700, true);
  CaCounts kept = before.written();

  Metered next;
  next.now = test_now + one_day;
  next.metrics->attempt("first");  // even before it knows
  next.metrics->request("https://ca.example/", 20, false);
  next.metrics->take_over(kept);
  CaCounts counts = next.written();
  ck_assert_int_eq(counts.since, test_now);
  ck_assert_uint_eq(counts.attempts["first"], 2);
  ck_assert_uint_eq(counts.errors["preflight"], 1);
  const Latency& latency = counts.requests["ca.example"];
  ck_assert_uint_eq(latency.count(), 2);
  ck_assert_uint_eq(latency.milliseconds, 720);
  ck_assert_uint_eq(latency.unanswered, 1);
  ck_assert_int_eq(latency.last_at, test_now + one_day);
}
END_TEST

START_TEST(torn_counts_begin_anew) {
  Metered metered;
  ck_assert(metered.bench.reports.read_counts() == CaCounts{});
  for (const char* torn : {"", "{", "[]", R"({"since":-1})"}) {
    write_file(metered.bench.path(ca_counts_file), torn);
    ck_assert_msg(metered.bench.reports.read_counts() == CaCounts{}, "%s", torn);
  }
  metered.metrics->take_over(metered.bench.reports.read_counts());
  metered.metrics->attempt("first");
  ck_assert_int_eq(metered.written().since, test_now);
}
END_TEST

}  // namespace

Suite* report_files_suite() {
  Suite* suite = suite_create("report files");
  TCase* tcase = tcase_create("report files");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, a_report_is_replaced_when_it_changes);
  tcase_add_test(tcase, what_is_due_makes_no_file_of_each_look);
  tcase_add_test(tcase, serials_of_the_last_generations_are_kept);
  tcase_add_test(tcase, a_report_that_is_torn_or_foreign_is_made_anew);
  tcase_add_test(tcase, the_newest_of_the_history_come_first);
  tcase_add_test(tcase, what_cannot_be_written_is_said_once);
  tcase_add_test(tcase, troubles_are_written_when_they_change);
  tcase_add_test(tcase, requests_are_counted_by_host);
  tcase_add_test(tcase, a_client_outlives_who_counts);
  tcase_add_test(tcase, counts_are_written_every_two_seconds_at_most);
  tcase_add_test(tcase, the_next_agent_counts_on);
  tcase_add_test(tcase, torn_counts_begin_anew);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
