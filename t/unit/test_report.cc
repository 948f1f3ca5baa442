// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <nlohmann/json.hpp>

#include "expect.h"
#include "live/report.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::Count;
using live::Judge;
using live::OfferFacts;
using live::Snapshot;
using live::VirtualHostCounts;
using nlohmann::json;

constexpr live::UnixSeconds day = 86400;
constexpr live::UnixSeconds start = 1795219200;  // 2026-11-21

live::Judged judged(const std::string& policy, std::uint64_t ok, std::uint64_t protocol = 0,
                    std::uint64_t cipher = 0) {
  live::Judged all;
  all.policy = policy;
  all.began = start - 30 * day;
  all.verdicts[0] = {ok, start};
  all.verdicts[1] = {protocol, protocol == 0 ? 0 : start - day};
  all.verdicts[2] = {cipher, cipher == 0 ? 0 : start - 2 * day};
  return all;
}

live::Offer offer(std::uint32_t tag, std::uint64_t count, Verdict modern) {
  live::Offer one;
  one.tag = tag;
  one.facts = OfferFacts{};
  one.facts->highest_version =
      static_cast<std::uint16_t>(modern == Verdict::protocol ? 0x0301 : 0x0303);
  one.facts->ciphers = 12;
  one.facts->no_aead = true;
  one.facts->no_ecdhe = modern == Verdict::protocol;
  one.verdicts.set(Judge::modern, modern);
  one.verdicts.set(Judge::baseline, Verdict::ok);
  one.count = count;
  one.first_seen = start - 20 * day;
  one.last_seen = start - day;
  return one;
}

Snapshot sample() {
  VirtualHostCounts busy;
  busy.key = "www.example.org|*:443";
  busy.configured = true;
  busy.began = start - 30 * day;
  busy.name_missing = {3, start};
  busy.by(Judge::in_force) = judged("baseline@1", 123456);
  busy.by(Judge::modern) = judged("mozilla-modern@6.0", 123336, 100, 20);
  busy.traffic.full = {1000, start};
  busy.traffic.versions[3] = {900, start};
  busy.traffic.ciphers = {{0x1301, {900, start}}, {0xc030, {99, start}}, {0xfefe, {1, start}}};
  busy.traffic.other_groups = {5, start};
  busy.traffic.groups = {{0x001d, {995, start}}};
  busy.offers = {offer(1, 95, Verdict::protocol), offer(2, 20, Verdict::cipher),
                 offer(3, 5, Verdict::ok)};
  busy.offers.push_back({4, std::nullopt, {}, 1, start, start});
  busy.past.push_back({Judge::in_force, judged("mozilla-old@5.8", 7), busy.traffic});
  VirtualHostCounts quiet;
  quiet.key = "api.example.org|192.0.2.1:8443 [2001:db8::1]:8443";
  quiet.configured = true;
  quiet.floor_exception = "baseline@1";
  quiet.by(Judge::in_force) = judged("baseline@1", 0);
  quiet.by(Judge::report) = judged("mozilla-modern@6.0", 10, 1);
  quiet.by(Judge::modern) = judged("mozilla-modern@6.0", 200000, 1);
  VirtualHostCounts gone;
  gone.key = "gone.example.org|*:443";
  gone.by(Judge::modern) = judged("mozilla-modern@6.0", 5, 5);
  return {17, start, 0, {busy, quiet, gone}};
}

START_TEST(the_table_says_who_how_many_and_why) {
  expect_text(live::cut_off_table(sample(), Judge::modern),
              "virtual host                                       "
              "handshakes  would be refused   share  why                      last seen\n"
              "www.example.org *:443                              "
              "    123456               120   0.10%  protocol 100, cipher 20  2026-11-20\n"
              "    under mozilla-modern@6.0, counted since 2026-10-22\n"
              "    protocol 95: at most TLSv1, 12 ciphers, no AEAD, no ECDHE; last seen "
              "2026-11-20\n"
              "    cipher 20: at most TLSv1.2, 12 ciphers, no AEAD; last seen 2026-11-20\n"
              "api.example.org 192.0.2.1:8443 [2001:db8::1]:8443  "
              "    200001                 1  <0.01%  protocol 1               2026-11-20\n"
              "    under mozilla-modern@6.0, counted since 2026-10-22\n"
              "    an exception from the floor baseline@1\n");
}
END_TEST

START_TEST(a_host_that_nobody_asked_or_refused_is_there) {
  std::string table = live::cut_off_table(sample(), Judge::in_force);
  expect_contains(table, "    123456                 0     0%  -    never\n");
  expect_contains(table, "         0                 0     0%  -    never\n");
  expect_contains(live::cut_off_table(sample(), Judge::report), "9.09%");
  expect_text(live::cut_off_table(sample(), Judge::intermediate),
              "No virtual host is judged by intermediate.\n");
}
END_TEST

START_TEST(only_the_most_frequent_offers_are_in_the_table) {
  Snapshot snapshot = sample();
  auto& offers = snapshot.virtual_hosts[0].offers;
  offers.clear();
  for (std::uint32_t i = 0; i < 8; ++i) offers.push_back(offer(i + 1, 80 - i, Verdict::cipher));
  std::string table = live::cut_off_table(snapshot, Judge::modern);
  expect_contains(table, "    cipher 76:");
  expect_contains(table, "    and 3 other kinds of clients\n");
  ck_assert(table.find("cipher 75") == std::string::npos);
  auto host = json::parse(live::cut_off_json(snapshot, Judge::modern))["virtual_hosts"][0];
  ck_assert_uint_eq(host["offers"].size(), 8);
}
END_TEST

START_TEST(the_answer_as_json) {
  json report = json::parse(live::cut_off_json(sample(), Judge::modern));
  ck_assert(report["judge"] == "modern");
  ck_assert(report["written"] == "2026-11-21T00:00:00Z");
  ck_assert_uint_eq(report["virtual_hosts"].size(), 3);
  json wanted = json::parse(R"({
    "virtual_host": "www.example.org|*:443", "configured": true,
    "policy": "mozilla-modern@6.0", "since": "2026-10-22T00:00:00Z",
    "handshakes": 123456, "refused": 120, "last_refused": "2026-11-20T00:00:00Z",
    "verdicts": {
      "ok": {"count": 123336, "last_seen": "2026-11-21T00:00:00Z"},
      "protocol": {"count": 100, "last_seen": "2026-11-20T00:00:00Z"},
      "cipher": {"count": 20, "last_seen": "2026-11-19T00:00:00Z"},
      "group": {"count": 0, "last_seen": null},
      "signature": {"count": 0, "last_seen": null},
      "sni": {"count": 0, "last_seen": null}},
    "offers": [
      {"offer": "at most TLSv1, 12 ciphers, no AEAD, no ECDHE", "verdict": "protocol",
       "count": 95, "first_seen": "2026-11-01T00:00:00Z", "last_seen": "2026-11-20T00:00:00Z"},
      {"offer": "at most TLSv1.2, 12 ciphers, no AEAD", "verdict": "cipher",
       "count": 20, "first_seen": "2026-11-01T00:00:00Z", "last_seen": "2026-11-20T00:00:00Z"}]
  })");
  json host = report["virtual_hosts"][0];
  ck_assert_double_eq_tol(host["share"].get<double>(), 120.0 / 123456, 1e-9);
  host.erase("share");
  expect_text(host.dump(), wanted.dump());
  ck_assert(report["virtual_hosts"][2]["configured"] == false);
  ck_assert(json::parse(
                live::cut_off_json(sample(), Judge::in_force))["virtual_hosts"][1]["share"] == 0.0);
}
END_TEST

START_TEST(the_whole_census_as_json) {
  json census = json::parse(live::census_json(sample()));
  ck_assert(!census.contains("seed"));
  ck_assert(census["virtual_hosts"][1]["floor_exception"] == "baseline@1");
  json host = census["virtual_hosts"][0];
  ck_assert(host["floor_exception"] == nullptr);
  ck_assert(host["virtual_host"] == "www.example.org|*:443");
  ck_assert(host["since"] == "2026-10-22T00:00:00Z");
  ck_assert(host["server_name"]["missing"]["count"] == 3);
  ck_assert(host["server_name"]["unknown"]["last_seen"] == nullptr);
  ck_assert(host["full"]["count"] == 1000);
  ck_assert(host["resumed"]["count"] == 0);
  ck_assert(host["versions"]["TLSv1.3"]["count"] == 900);
  ck_assert(host["ciphers"]["TLS_AES_128_GCM_SHA256"]["count"] == 900);
  ck_assert(host["ciphers"]["ECDHE-RSA-AES256-GCM-SHA384"]["count"] == 99);
  ck_assert(host["ciphers"]["0xfefe"]["count"] == 1);
  ck_assert_uint_eq(host["ciphers"].size(), 3);
  ck_assert(host["groups"]["X25519"]["count"] == 995);
  ck_assert(host["groups"]["other"]["count"] == 5);
  ck_assert_uint_eq(host["judges"].size(), 2);
  ck_assert(host["judges"]["modern"]["refused"] == 120);
  ck_assert(host["judges"]["modern"]["policy"] == "mozilla-modern@6.0");
  ck_assert_uint_eq(host["offers"].size(), 4);
  ck_assert(host["offers"][0]["verdicts"] == json({{"modern", "protocol"}, {"baseline", "ok"}}));
  ck_assert(host["offers"][3]["offer"] == nullptr);
  ck_assert(host["past"][0]["policy"] == "mozilla-old@5.8");
  ck_assert(host["past"][0]["judge"] == "in-force");
  ck_assert(host["past"][0]["full"]["count"] == 1000);
  ck_assert_uint_eq(census["virtual_hosts"].size(), 3);
}
END_TEST

}  // namespace

Suite* report_suite() {
  Suite* suite = suite_create("report");
  TCase* tests = tcase_create("report");
  tcase_add_test(tests, the_table_says_who_how_many_and_why);
  tcase_add_test(tests, a_host_that_nobody_asked_or_refused_is_there);
  tcase_add_test(tests, only_the_most_frequent_offers_are_in_the_table);
  tcase_add_test(tests, the_answer_as_json);
  tcase_add_test(tests, the_whole_census_as_json);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
