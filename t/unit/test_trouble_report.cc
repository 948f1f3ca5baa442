// SPDX-License-Identifier: Apache-2.0
// What is wrong now and was not delivered, on its way to the status page.
#include "expect.h"

#include <fmt/format.h>

#include "issued.h"
#include "list_log.h"
#include "renew/alerts.h"
#include "renew/json_members.h"
#include "renew/outbox.h"
#include "renew/trouble_report.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;

TroubleReport sample() {
  TroubleReport report;
  report.counts = {{"failing", 1}, {"expiring", 0}};
  report.alerts = {{"failing", "a.example", test_now, "it fails", test_now + 9}};
  report.dead_letters = {
      {test_now, test_now + 9, "failed", "a.example", "https://hook.example", "status 500", 4}};
  report.waiting = 3;
  report.waiting_since = test_now - 60;
  report.files = {{"/etc/x.pem", "01", true, test_now, test_now + one_day}};
  return report;
}

START_TEST(a_report_survives_its_file) {
  std::string text = to_json(sample());
  ck_assert(value_of(trouble_report_from_json(text)) == sample());
  for (std::size_t size = 0; size < text.size(); ++size) {
    ck_assert(!trouble_report_from_json(text.substr(0, size)));
  }
  // Of a later version.
  Json more = Json::parse(text);
  more["new"] = {{"a", 1}};
  ck_assert(value_of(trouble_report_from_json(more.dump())) == sample());
}
END_TEST

START_TEST(what_is_out_of_bounds_is_not_taken) {
  auto with = [](const char* pointer, const Json& value) {
    Json json = Json::parse(to_json(sample()));
    json[Json::json_pointer(pointer)] = value;
    return trouble_report_from_json(json.dump());
  };
  ck_assert(with("/waiting", 4));
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, Json>>{{"/waiting", -1},
                                                 {"/waiting", "4"},
                                                 {"/waiting_since", 253402300800},
                                                 {"/counts", Json::array()},
                                                 {"/counts/failing", -1},
                                                 {"/counts/failing", 1.5},
                                                 {"/alerts", Json::object()},
                                                 {"/alerts/0", 7},
                                                 {"/alerts/0/since", -1},
                                                 {"/alerts/0/text", std::string(5000, 'x')},
                                                 {"/dead_letters/0/tries", std::uint64_t{1} << 32},
                                                 {"/dead_letters/0/error", nullptr},
                                                 {"/files/0/readable", 1},
                                                 {"/files/0/file", std::string(20000, 'x')},
                                                 {"/dead_letters", Json(101, Json::object())}}) {
    ck_assert_msg(!with(pointer, value), "%s", pointer);
  }
  Json kinds = Json::object();
  for (int i = 0; i < 17; ++i) kinds[std::to_string(i)] = 1;
  ck_assert(!with("/counts", kinds));
  ck_assert(!trouble_report_from_json(std::string(max_trouble_report + 1, ' ')));
  ck_assert(!trouble_report_from_json(R"({"counts":{"a":{"b":{"c":{"d":1}}}}})"));
}
END_TEST

START_TEST(what_is_written_can_be_read) {
  TroubleReport report = sample();
  // As long as can be, and dearest to write: six bytes for one.
  const std::string dear(10000, '\x01');
  report.alerts.assign(1000, {"failing", dear, test_now, dear});
  report.dead_letters.assign(1000, {1, 2, dear, dear, dear, dear, 3});
  report.files.assign(5000, {std::string(4000, '\x01'), "01", true, 0, 0});
  std::string text = to_json(report);
  ck_assert_uint_le(text.size(), max_trouble_report);
  TroubleReport read = value_of(trouble_report_from_json(text));
  ck_assert(!read.alerts.empty() && !read.dead_letters.empty() && !read.files.empty());
  ck_assert_uint_eq(read.counts["failing"], 1);
  // A character is not cut in two, and what is none is replaced.
  report = sample();
  report.alerts[0].text = std::string(1023, 'x') + "\xC3\xA4";
  report.dead_letters[0].error = std::string(2000, '\xff');
  read = value_of(trouble_report_from_json(to_json(report)));
  expect_text(read.alerts[0].text, std::string(1023, 'x'));
  ck_assert_uint_eq(read.dead_letters[0].error.size(), 3UL * 1024);
}
END_TEST

START_TEST(the_newest_alerts_of_each_kind_and_how_many_there_are) {
  Alerts alerts;
  for (int i = 0; i < 30; ++i) {
    ck_assert(alerts.raise({fmt::format("{}.example", i), AlertKind::failing}, "x", test_now + i));
  }
  ck_assert(alerts.raise({"a.example", AlertKind::cannot_load}, "y", test_now));
  ck_assert(alerts.raise({"b.example", AlertKind::cannot_load}, "y", test_now));
  ck_assert(alerts.end({"b.example", AlertKind::cannot_load}, test_now + 1));  // may flap
  TroubleReport report;
  alerts.put_open(report);
  ck_assert_uint_eq(report.counts.size(), 6);
  ck_assert_uint_eq(report.counts["failing"], 30);
  ck_assert_uint_eq(report.counts["cannot-load"], 1);
  ck_assert_uint_eq(report.counts["expiring"], 0);
  ck_assert_uint_eq(report.alerts.size(), TroubleReport::most_alerts_of_kind + 1);
  expect_text(report.alerts[0].subject, "29.example");
  expect_text(report.alerts[19].subject, "10.example");
  expect_text(report.alerts[20].kind, "cannot-load");
  ck_assert_int_eq(report.alerts[20].said_at, test_now);
}
END_TEST

START_TEST(what_was_not_delivered_without_its_secrets) {
  ListLog log;
  Outbox outbox(log);
  Delivery delivery;
  delivery.id = "0f";
  delivery.event = "failed";
  delivery.domain = "a.example";
  delivery.to = {EventSpec::Kind::webhook, {"https://user:word@hook.example/x?t=secret"}};
  delivery.body = "{}";
  for (UnixSeconds at : {test_now, test_now - 5, test_now + 5}) {
    delivery.at = at;
    outbox.add(delivery, test_now);
  }
  TroubleReport report;
  outbox.put_undelivered(report);
  ck_assert_uint_eq(report.waiting, 3);
  ck_assert_int_eq(report.waiting_since, test_now - 5);
  for (const char* error : {"one", "two", "three"}) {
    auto due = outbox.take(test_now + 10);
    ck_assert(due.has_value());
    due->error = error;
    due->tries = 4;
    outbox.give_up(*due, test_now + 10);
  }
  report = {};
  outbox.put_undelivered(report);
  ck_assert_uint_eq(report.waiting, 0);
  ck_assert_int_eq(report.waiting_since, 0);
  ck_assert_uint_eq(report.dead_letters.size(), 3);
  ck_assert(report.dead_letters[0] ==
            (TroubleReport::Letter{test_now + 5, test_now + 10, "failed", "a.example",
                                   "https://hook.example", "three", 4}));
  ck_assert(to_json(report).find("secret") == std::string::npos);
}
END_TEST

START_TEST(an_agent_writes_what_it_finds) {
  RenewalBench bench;
  bench.watching = true;
  auto settings = bench.settings();
  bench.add({"a.example"}, settings);
  bench.failed_loads["a.example"] = 1;
  StaticCertificateSpec file;
  file.file = bench.directory / "static.pem";
  file.server_name = "static.example";
  file.serial = "01";
  file.not_before = test_now - 80 * one_day;
  file.not_after = test_now + 10 * one_day;
  file.settings = std::make_shared<const DomainSettings>(settings);
  bench.spec.static_certificates = {file, file};
  bench.start();
  bench.run_for(2L * 3600);
  auto read = [&] {
    return value_of(trouble_report_from_json(
        content_of(bench.store_path() + "/reports/" + trouble_report_file)));
  };
  TroubleReport report = read();
  ck_assert_uint_eq(report.counts["cannot-load"], 1);
  ck_assert_uint_eq(report.counts["expiring"], 1);
  ck_assert_uint_eq(report.files.size(), 1);
  ck_assert(!report.files[0].readable && report.files[0].newer_since == 0);
  bench.failed_loads.clear();
  bench.run_for(2L * 3600);
  ck_assert_uint_eq(read().counts["cannot-load"], 0);
}
END_TEST

}  // namespace

Suite* trouble_report_suite() {
  Suite* suite = suite_create("trouble report");
  TCase* tcase = tcase_create("trouble report");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, a_report_survives_its_file);
  tcase_add_test(tcase, what_is_out_of_bounds_is_not_taken);
  tcase_add_test(tcase, what_is_written_can_be_read);
  tcase_add_test(tcase, the_newest_alerts_of_each_kind_and_how_many_there_are);
  tcase_add_test(tcase, what_was_not_delivered_without_its_secrets);
  tcase_add_test(tcase, an_agent_writes_what_it_finds);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
