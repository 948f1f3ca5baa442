// SPDX-License-Identifier: Apache-2.0
// What is wrong is said once, again while it lasts, and once when it is over: in simulated weeks.
#include "expect.h"

#include "issued.h"
#include "renew/alerts.h"
#include "renew/event_report.h"
#include "renew/json_members.h"
#include "renew/static_watch.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::optional<Result<net::HttpResponse>> no_answer(const std::string&, const json&) {
  return Result<net::HttpResponse>(fail("no answer"));
}

START_TEST(said_once_daily_and_when_over) {
  Alerts alerts;
  const AlertKey key{"a.example", AlertKind::expiring};
  UnixSeconds now = test_now;
  ck_assert(!alerts.end(key, now));
  int said = 0;
  for (int i = 0; i < 13 * 24 * 4; ++i, now += 15 * minute) said += alerts.raise(key, "x", now);
  ck_assert_int_eq(said, 13);
  ck_assert(alerts.open().contains(key));
  ck_assert(alerts.end(key, now));
  ck_assert(!alerts.end(key, now));
  ck_assert(!alerts.open().contains(key));
  ck_assert(alerts.raise(key, "x", now));
}
END_TEST

START_TEST(what_flaps_is_said_once) {
  Alerts alerts;
  const AlertKey key{"a.example", AlertKind::cannot_load};
  UnixSeconds now = test_now;
  int said = 0;
  int over = 0;
  for (int i = 0; i < 59; ++i, now += minute) {
    said += alerts.raise(key, "x", now);
    over += alerts.end(key, now);
  }
  ck_assert_int_eq(said, 1);
  ck_assert_int_eq(over, 1);
  // It comes back for good: said when that has lasted.
  ck_assert(!alerts.raise(key, "x", now));
  ck_assert(alerts.raise(key, "x", now + hour));
  ck_assert(alerts.end(key, now + 2 * hour));
}
END_TEST

START_TEST(alerts_outlive_a_restart) {
  Alerts alerts;
  const AlertKey key{"file=/etc/x.pem www.example.org", AlertKind::expiring};
  ck_assert(alerts.raise(key, "it ends", test_now));
  alerts.checked("b.example", test_now);
  alerts.remember({test_now, "expiring", "www.example.org", "it ends"});
  ck_assert(alerts.take_changed());
  ck_assert(!alerts.take_changed());
  Alerts next;
  value_of(next.read_json(alerts.to_json(), test_now + hour));
  ck_assert(next.all() == alerts.all());
  ck_assert(next.said() == alerts.said());
  ck_assert(!next.raise(key, "it ends", test_now + hour));
  ck_assert_int_eq(next.last_check("b.example", test_now + hour), test_now);
  ck_assert(next.end(key, test_now + 2 * hour));
  for (const char* torn : {"", "{", "[]", "{}", R"({"version":2})",
                           R"({"version":1,"alerts":[{}],"checks":[],"said":[]})"}) {
    ck_assert(!next.read_json(torn, test_now));
  }
}
END_TEST

// A character that is cut in two would be written as more bytes than are read again.
START_TEST(long_texts_are_cut_at_a_character) {
  for (const char* last : {"ü", "€", "\xff"}) {
    std::string text = std::string(Alert::max_text - 1, 'x') + last;
    Alerts alerts;
    ck_assert(alerts.raise({"a.example", AlertKind::failing}, text, test_now));
    alerts.remember({test_now, "failed", "a.example", text});
    Alerts next;
    value_of(next.read_json(alerts.to_json(), test_now));
    ck_assert(next.all() == alerts.all());
    ck_assert(next.said() == alerts.said());
  }
}
END_TEST

START_TEST(a_clock_that_jumps_is_harmless) {
  Alerts alerts;
  const AlertKey key{"a.example", AlertKind::expiring};
  UnixSeconds far = test_now + 10 * 365 * one_day;
  ck_assert(alerts.raise(key, "x", far));
  alerts.checked("a.example", far);
  int said = 0;
  for (int i = 0; i < 48; ++i) said += alerts.raise(key, "x", test_now + i * hour);
  ck_assert_int_eq(said, 1);
  ck_assert_int_eq(alerts.last_check("a.example", test_now), test_now);
}
END_TEST

START_TEST(what_is_no_longer_configured_is_forgotten) {
  Alerts alerts;
  ck_assert(alerts.raise({"a.example", AlertKind::expiring}, "x", test_now));
  ck_assert(alerts.raise({"b.example", AlertKind::expiring}, "x", test_now));
  alerts.keep_only([](const std::string& subject) { return subject == "b.example"; });
  ck_assert_uint_eq(alerts.all().size(), 1);
}
END_TEST

START_TEST(expiry_of_a_managed_domain_alerts_and_recovers_once) {
  RenewalBench bench;
  bench.watching = true;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  auto settings = bench.settings();
  settings.automatic = false;
  bench.spec.domains.clear();
  bench.add({"a.example"}, settings);
  bench.start();
  UnixSeconds end = bench.job("a.example").live->validity.not_after;
  bench.run_until(end - 14 * one_day - minute);
  ck_assert_int_eq(bench.events.count(Event::expiring), 0);
  bench.run_until(end - 14 * one_day + hour);
  ck_assert_int_eq(bench.events.count(Event::expiring), 1);
  for (int i = 0; i < 5; ++i) {  // reloads say nothing again
    bench.start();
    bench.run_for(hour);
  }
  ck_assert_int_eq(bench.events.count(Event::expiring), 1);
  bench.run_until(end - 12 * one_day - hour);
  ck_assert_int_eq(bench.events.count(Event::expiring), 2);
  ck_assert_int_eq(bench.events.count(Event::recovered), 0);
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"]);
  bench.run_for(3 * one_day);
  ck_assert_int_eq(bench.events.count(Event::recovered), 1);
  ck_assert_int_eq(bench.events.count(Event::expiring), 2);
}
END_TEST

START_TEST(a_ca_down_for_a_day_alerts_and_recovers) {
  RenewalBench bench;
  bench.watching = true;
  auto watched = bench.settings();
  watched.events = {{EventSpec::Kind::command, {"/bin/true"}}};
  for (const char* name : {"a.example", "b.example", "c.example"}) bench.add({name}, watched);
  bench.start();
  bench.work();
  UnixSeconds end = bench.job("a.example").live->validity.not_after;
  bench.run_until(end - 32 * one_day);
  bench.events.clear();
  bench.ca.fault = no_answer;
  bench.run_for(12 * hour);
  for (const char* name : {"a.example", "b.example", "c.example"}) {
    bench.ask(std::string(R"({"command":"renew","domain":")") + name + "\"}");
  }
  bench.run_for(12 * hour);
  std::string told = bench.events.texts();
  ck_assert_uint_eq(count_of(told, "failed a.example: the CA https://"), 1);
  ck_assert_uint_eq(count_of(told, ": the CA https://"), 1);
  ck_assert_uint_eq(count_of(told, "failed "), 4);
  expect_contains(told, "domains wait for it");
  // It shows.
  json report = bench.ask(R"({"command":"events"})")["result"];
  std::string kinds;
  for (const json& alert : report["alerts"]) kinds += alert["kind"].get<std::string>() + " ";
  expect_contains(kinds, "ca-silent");
  expect_contains(kinds, "failing");
  bench.events.clear();
  bench.ca.fault = nullptr;
  bench.run_for(2 * hour);
  told = bench.events.texts();
  for (const char* name : {"a.example", "b.example", "c.example"}) {
    ck_assert_uint_eq(count_of(told, std::string("activated ") + name), 1);
  }
  // Each domain's own trouble, and the CA's, which one of them is told of.
  ck_assert_uint_eq(count_of(told, "recovered "), 4);
  ck_assert_uint_eq(count_of(told, "answers again"), 1);
  ck_assert(bench.ask(R"({"command":"events"})")["result"]["alerts"].empty());
  bench.run_for(3 * one_day);
  ck_assert_uint_eq(count_of(bench.events.texts(), "recovered "), 4);
}
END_TEST

START_TEST(no_successful_check_for_two_days_is_said) {
  RenewalBench bench;
  bench.watching = true;
  bench.add({"a.example"});
  bench.start();
  bench.run_for(20 * one_day);
  ck_assert_int_eq(bench.events.count(Event::action_needed), 0);
  // Nothing is due for weeks: only the question when to renew is not answered.
  bench.ca.fault = no_answer;
  bench.run_for(40 * hour);
  ck_assert_int_eq(bench.events.count(Event::action_needed), 0);
  bench.start();
  bench.run_for(40 * hour);
  std::string told = bench.events.texts();
  ck_assert_uint_ge(count_of(told, "action-needed a.example: no successful check since"), 1);
  ck_assert_uint_le(count_of(told, "action-needed"), 2);
  expect_contains(told, "its CA did not answer");
  bench.events.clear();
  bench.ca.fault = nullptr;
  bench.run_for(2 * one_day);
  ck_assert_uint_eq(count_of(bench.events.texts(), "recovered a.example: checks go well"), 1);
  ck_assert_int_eq(bench.events.count(Event::action_needed), 0);
}
END_TEST

START_TEST(checks_are_due_earlier_where_lives_are_short) {
  ck_assert_int_eq(longest_unchecked(std::nullopt), 48 * hour);
  ck_assert_int_eq(longest_unchecked(Validity{0, 90 * one_day}), 48 * hour);
  ck_assert_int_eq(longest_unchecked(Validity{0, 6 * one_day}), 36 * hour);
  ck_assert_int_eq(longest_unchecked(Validity{0, 60}), 5 * minute);
}
END_TEST

START_TEST(a_worker_that_cannot_load_is_said) {
  RenewalBench bench;
  bench.watching = true;
  bench.add({"a.example"});
  bench.start();
  bench.run_for(hour);
  bench.failed_loads["a.example"] = 2;
  bench.run_for(12 * hour);
  ck_assert_uint_eq(count_of(bench.events.texts(), "failed a.example: a worker cannot load"), 1);
  bench.failed_loads["a.example"] = 0;
  bench.run_for(12 * hour);
  ck_assert_uint_eq(count_of(bench.events.texts(), "recovered a.example: all workers"), 1);
}
END_TEST

// What is live is torn while the agent runs: the version before goes live, once.
START_TEST(what_no_worker_can_load_is_mended) {
  RenewalBench bench;
  bench.watching = true;
  bench.add({"a.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert(bench.ask(R"({"command":"renew","domain":"a.example"})")["ok"]);
  bench.run_for(hour);
  ck_assert_uint_eq(bench.job("a.example").live->version, 2);
  write_file(bench.store_path() + "/certs/a.example/2/P-256.key", "torn");
  bench.run_for(12 * hour);
  ck_assert_uint_eq(bench.job("a.example").live->version, 2);
  bench.failed_loads["a.example"] = 1;
  bench.run_for(minute);
  ck_assert_uint_eq(bench.job("a.example").live->version, 1);
  ck_assert_uint_eq(count_of(bench.log.texts("TG0118"), "version 1 is live instead"), 1);
  bench.failed_loads["a.example"] = 0;
  bench.run_for(12 * hour);
  ck_assert_uint_eq(count_of(bench.events.texts(), "recovered a.example: all workers"), 1);
}
END_TEST

START_TEST(torn_alerts_are_set_aside) {
  RenewalBench bench;
  bench.watching = true;
  bench.ca.refuses_name = "a.example";
  bench.add({"a.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_int_eq(bench.events.count(Event::failed), 1);
  bench.stop();
  write_file(bench.store_path() + "/agent/alerts.json", "{\"version\":1,\"alerts\":[");
  bench.start();
  bench.run_for(2 * hour);
  ck_assert_int_eq(bench.log.count("TG0145"), 1);
  ck_assert_int_eq(bench.events.count(Event::failed), 2);
  ck_assert(std::filesystem::exists(bench.store_path() + "/agent/alerts.json.bad"));
}
END_TEST

// --- certificates of files ----------------------------------------------------------------------

struct Files {
  TempDir directory;
  std::string path = directory / "site.pem";
  StaticCertificateSpec spec;

  Files() {
    DomainSettings settings;
    settings.events = {{EventSpec::Kind::command, {"/bin/true"}}};
    spec.file = path;
    spec.server_name = "www.example.org";
    spec.names = {"www.example.org"};
    spec.settings = std::make_shared<const DomainSettings>(settings);
  }
  // As httpd serves it from now on.
  void serve(UnixSeconds not_before, UnixSeconds not_after, const std::string& serial) {
    spec.not_before = not_before;
    spec.not_after = not_after;
    spec.serial = serial;
  }
};

const Observation* observation_of(const std::vector<Observation>& findings, AlertKind kind) {
  for (const Observation& finding : findings) {
    if (finding.key.kind == kind) return &finding;
  }
  return nullptr;
}

START_TEST(expiry_of_a_file_is_found_in_the_warn_window) {
  Files files;
  files.serve(test_now - 77 * one_day, test_now + 13 * one_day, "01");
  StaticWatch watch({files.spec});
  auto at = [&](UnixSeconds now) {
    auto findings = watch.look(now);
    ck_assert_ptr_null(observation_of(findings, AlertKind::awaits_reload));  // there is no file
    return *observation_of(findings, AlertKind::expiring);
  };
  ck_assert(at(test_now - one_day - 1).state == Observation::State::fine);
  Observation wrong = at(test_now);
  ck_assert(wrong.state == Observation::State::wrong);
  expect_text(wrong.to.front()->identity, "www.example.org");
  expect_contains(wrong.text, "expires at 2027-01-28");
  expect_contains(at(test_now + 13 * one_day).text, "has expired");
  // A quarter of a short life.
  files.serve(test_now, test_now + 8 * one_day, "01");
  StaticWatch brief({files.spec});
  ck_assert(observation_of(brief.look(test_now + 5 * one_day), AlertKind::expiring)->state ==
            Observation::State::fine);
  ck_assert(observation_of(brief.look(test_now + 6 * one_day), AlertKind::expiring)->state ==
            Observation::State::wrong);
}
END_TEST

START_TEST(a_newer_file_awaits_a_reload) {
  Files files;
  auto issuer = make_issuer("test CA", nullptr);
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  LeafOptions options;
  auto put = [&](UnixSeconds until) {
    options.until = until;
    std::string pem = chain_pem_for({"www.example.org"}, key.get(), issuer, options);
    // With what else mod_ssl takes in such a file.
    write_file(files.path,
               "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
               "-----END EC PARAMETERS-----\n" +
                   pem);
    auto leaf = value_of(crypto::first_certificate(content_of(files.path)));
    return value_of(crypto::facts_of(leaf.get()));
  };
  auto old = put(test_now + 10 * one_day);
  files.serve(old.not_before, old.not_after, old.serial);
  StaticWatch watch({files.spec});
  auto at = [&](UnixSeconds now) {
    auto findings = watch.look(now);
    const Observation* finding = observation_of(findings, AlertKind::awaits_reload);
    return finding == nullptr ? -1 : static_cast<int>(finding->state == Observation::State::wrong);
  };
  ck_assert_int_eq(at(test_now), 0);
  put(test_now + 90 * one_day);
  ck_assert_int_eq(at(test_now + hour), -1);  // somebody may be about to reload
  ck_assert_int_eq(at(test_now + 2 * hour), 1);
  ck_assert_int_eq(at(test_now + 2 * hour + 1), 1);
  auto shown = [&] {
    TroubleReport report;
    watch.put_files(report);
    return report.files.at(0);
  };
  ck_assert(shown() == (TroubleReport::File{files.path, old.serial, true, test_now + hour,
                                            test_now + 90 * one_day}));
  std::filesystem::remove(files.path);
  ck_assert_int_eq(at(test_now + 4 * hour), -1);
  ck_assert(shown() == (TroubleReport::File{files.path, old.serial, false, 0, 0}));
  // One that ends earlier is news, too: it may be there since a key was lost.
  put(test_now + 5 * one_day);
  ck_assert_int_eq(at(test_now + 6 * hour), -1);
  ck_assert_int_eq(at(test_now + 8 * hour), 1);
  // An older one in its place is not.
  options.from = old.not_before - one_day;
  put(test_now + 5 * one_day);
  ck_assert_int_eq(at(test_now + 10 * hour), 0);
  std::filesystem::remove(files.path);
  std::filesystem::create_directory(files.path);
  ck_assert_int_eq(at(test_now + 12 * hour), -1);
}
END_TEST

// --- the keeper ---------------------------------------------------------------------------------

struct Kept {
  TempDir directory;
  LogList log;
  EventList told;
  UnixSeconds now = test_now;
  std::unique_ptr<AlertKeeper> keeper;

  Kept() { start(); }
  // Another agent.
  void start() {
    keeper = std::make_unique<AlertKeeper>(told, log, [this] { return now; });
    keeper->open(directory.path());
  }
  static std::shared_ptr<const DomainSpec> domain(const std::string& name) {
    return std::make_shared<const DomainSpec>(
        DomainSpec{name, {name}, std::make_shared<const DomainSettings>()});
  }
  void find(std::size_t domains, Observation::State state) {
    std::vector<Observation> findings;
    for (std::size_t i = 0; i < domains; ++i) {
      auto to = domain("d" + std::to_string(i) + ".example");
      findings.push_back({{to->identity, AlertKind::cannot_load}, state, "what is found", {to}});
    }
    keeper->judge(findings, now + 1, [](const std::string&) { return true; });
  }
};

START_TEST(what_concerns_very_many_is_one_message) {
  Kept kept;
  kept.find(20, Observation::State::wrong);
  ck_assert_int_eq(kept.told.count(Event::failed), 20);
  kept.told.clear();
  kept.find(2000, Observation::State::wrong);
  ck_assert_int_eq(kept.told.count(Event::failed), 1);
  expect_contains(kept.told.texts(), "and so for 1979 more: d");
  kept.now += hour;
  kept.find(2000, Observation::State::fine);
  ck_assert_int_eq(kept.told.count(Event::recovered), 1);
  // All of them are known one by one.
  ck_assert(!kept.keeper->open_alerts().contains({"d7.example", AlertKind::cannot_load}));
}
END_TEST

START_TEST(nothing_recovers_of_which_nobody_was_told) {
  Kept kept;
  auto domain = Kept::domain("a.example");
  kept.keeper->tell(Event::recovered, *domain, "live");
  ck_assert_int_eq(kept.told.count(Event::recovered), 0);
  for (Event event : {Event::failed, Event::action_needed, Event::expiring}) {
    kept.keeper->tell(event, *domain, "wrong");
    kept.start();
    kept.keeper->tell(Event::recovered, *domain, "live");
    kept.keeper->tell(Event::recovered, *domain, "live");
    ck_assert_int_eq(kept.told.count(Event::recovered), 1);
    kept.told.clear();
    kept.now += 2 * one_day;
  }
}
END_TEST

// What an agent that is killed right then would leave.
START_TEST(nothing_is_kept_as_said_before_it_is_handed_on) {
  Kept kept;
  std::string file = kept.directory / alerts_file;
  bool early = false;
  kept.told.watch = [&](Event) {
    kept.keeper->flush();  // another thread's
    early |= std::filesystem::exists(file);
  };
  kept.keeper->tell(Event::failed, *Kept::domain("a.example"), "wrong");
  ck_assert(!early);
  ck_assert(std::filesystem::exists(file));
  std::filesystem::remove(file);
  kept.find(3, Observation::State::wrong);
  ck_assert(!early);
  ck_assert(std::filesystem::exists(file));
}
END_TEST

START_TEST(what_could_not_be_kept_is_written_later) {
  Kept kept;
  std::string file = kept.directory / alerts_file;
  std::filesystem::create_directories(file + "/in-the-way");
  kept.keeper->tell(Event::failed, *Kept::domain("a.example"), "wrong");
  ck_assert_int_eq(kept.log.count("TG0145"), 1);
  std::filesystem::remove_all(file);
  kept.keeper->flush();
  expect_contains(content_of(file), "a.example");
}
END_TEST

}  // namespace

Suite* alerts_suite() {
  Suite* suite = suite_create("alerts");
  TCase* tests = tcase_create("alerts");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, said_once_daily_and_when_over);
  tcase_add_test(tests, what_flaps_is_said_once);
  tcase_add_test(tests, alerts_outlive_a_restart);
  tcase_add_test(tests, long_texts_are_cut_at_a_character);
  tcase_add_test(tests, a_clock_that_jumps_is_harmless);
  tcase_add_test(tests, what_is_no_longer_configured_is_forgotten);
  tcase_add_test(tests, expiry_of_a_managed_domain_alerts_and_recovers_once);
  tcase_add_test(tests, a_ca_down_for_a_day_alerts_and_recovers);
  tcase_add_test(tests, no_successful_check_for_two_days_is_said);
  tcase_add_test(tests, checks_are_due_earlier_where_lives_are_short);
  tcase_add_test(tests, a_worker_that_cannot_load_is_said);
  tcase_add_test(tests, what_no_worker_can_load_is_mended);
  tcase_add_test(tests, torn_alerts_are_set_aside);
  tcase_add_test(tests, expiry_of_a_file_is_found_in_the_warn_window);
  tcase_add_test(tests, a_newer_file_awaits_a_reload);
  tcase_add_test(tests, what_concerns_very_many_is_one_message);
  tcase_add_test(tests, nothing_recovers_of_which_nobody_was_told);
  tcase_add_test(tests, nothing_is_kept_as_said_before_it_is_handed_on);
  tcase_add_test(tests, what_could_not_be_kept_is_written_later);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
