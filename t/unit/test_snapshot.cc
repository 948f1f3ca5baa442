// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "expect.h"
#include "live/snapshot.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::Count;
using live::Judge;
using live::Snapshot;
using live::VirtualHostCounts;
using nlohmann::json;

constexpr live::UnixSeconds start = 1800000000;

live::Judged judged(const std::string& policy, std::uint64_t first) {
  live::Judged all;
  all.policy = policy;
  all.began = start;
  for (std::size_t v = 0; v < hello::verdict_count; ++v) {
    all.verdicts[v] = {first + v, start + static_cast<live::UnixSeconds>(v)};
    all.noticed[v] = v;
  }
  return all;
}

live::Traffic traffic() {
  live::Traffic all;
  all.versions = {Count{1, start}, Count{2, start}, Count{3, start}, Count{live::max_count, start}};
  all.full = {5, start + 1};
  all.resumed = {6, start + 2};
  all.ciphers = {{0x0000, {1, start}}, {0x1301, {7, start}}, {0xffff, {1, start}}};
  all.other_ciphers = {8, start};
  all.groups = {{0x001d, {9, start}}};
  all.other_groups = {10, 0xffffffff};
  return all;
}

// Something in every member.
Snapshot sample() {
  VirtualHostCounts full;
  full.key = "www.example.org|*:443 [::1]:443";
  full.began = start - 100;
  full.configured = true;
  full.floor_exception = "baseline@1";
  full.name_missing = {3, start};
  full.name_unknown = {4, start};
  full.traffic = traffic();
  full.by(Judge::in_force) = judged("baseline@1", 100);
  full.by(Judge::report) = judged("own+\"\\", 200);
  full.by(Judge::modern) = judged("mozilla-modern@6.0", 300);
  live::OfferFacts facts;
  facts.highest_version = 0x0301;
  facts.ciphers = 12;
  for (const live::OfferFlag& flag : live::offer_flags) facts.*flag.member = true;
  live::Verdicts verdicts;
  verdicts.set(Judge::in_force, Verdict::ok);
  verdicts.set(Judge::modern, Verdict::signature);
  full.offers = {{0xffffffff, facts, verdicts, 17, start, start + 9},
                 {1, live::OfferFacts{}, {}, 0xffffffff, 0, 0},
                 {2, std::nullopt, {}, 1, start, start}};
  full.past = {{Judge::in_force, judged("mozilla-old@5.8", 1), traffic()},
               {Judge::modern, judged("mozilla-modern@5.7", 2), {}}};
  VirtualHostCounts empty;
  empty.key = "gone";
  return {0xfedcba9876543210, start + 10, start - 5, {full, empty}};
}

json sample_json() { return json::parse(live::to_json(sample())); }

std::string error_in(const json& changed) { return error_of(live::parse_snapshot(changed.dump())); }

START_TEST(what_was_written_is_read_back) {
  Snapshot read = value_of(live::parse_snapshot(live::to_json(sample())));
  ck_assert(read == sample());
  ck_assert(value_of(live::parse_snapshot(live::to_json({}))) == Snapshot());
  expect_text(live::to_json(read), live::to_json(sample()));
}
END_TEST

START_TEST(a_torn_text_is_an_error_wherever_it_ends) {
  const std::string text = live::to_json(sample());
  // The line feed at the end may be missing.
  for (std::size_t size = 0; size < text.size() - 1; ++size) {
    auto read = live::parse_snapshot(std::string_view(text).substr(0, size));
    ck_assert_msg(!read.has_value(), "%zu bytes were taken for whole", size);
  }
}
END_TEST

START_TEST(a_foreign_text_is_an_error) {
  for (const char* text :
       {"", "null", "[]", "\"x\"", "17", "{}", "{\"version\":2}", "{\"version\":\"1\"}",
        "{\"version\":1.0}", "\xff\xfe", "<html>", "{\"version\":1} trailing"}) {
    auto read = live::parse_snapshot(text);
    ck_assert_msg(!read.has_value(), "'%s' was taken", text);
    ck_assert(!read.error().text.empty());
  }
  ck_assert(live::parse_snapshot("{\"version\":1}").has_value());
}
END_TEST

START_TEST(deep_and_huge_texts_are_errors) {
  std::string deep(100000, '[');
  expect_contains(error_of(live::parse_snapshot(deep)), "too deep");
  deep += std::string(100000, ']');
  expect_contains(error_of(live::parse_snapshot(deep)), "too deep");
  std::string member =
      "{\"version\":1,\"other\":" + std::string(20, '[') + std::string(20, ']') + "}";
  expect_contains(error_of(live::parse_snapshot(member)), "too deep");
  // Brackets of a text are none, and quotes in it are no end.
  member = R"({"version":1,"other":"\\\"[[[[[[[[[[[[[[[[[[[["})";
  ck_assert(live::parse_snapshot(member).has_value());
  std::string huge(live::max_snapshot + 1, ' ');
  expect_contains(error_of(live::parse_snapshot(huge)), "more than");
  json many = sample_json();
  many["virtual_hosts"] = json::array();
  for (std::uint32_t i = 0; i <= live::Board::max_capacity; ++i) {
    many["virtual_hosts"].push_back({{"key", std::to_string(i)}});
  }
  expect_contains(error_in(many), "too many virtual hosts");
  many["virtual_hosts"].erase(0);
  ck_assert(live::parse_snapshot(many.dump()).has_value());
}
END_TEST

START_TEST(unknown_members_are_ignored_and_missing_ones_are_zero) {
  json changed = sample_json();
  changed["new"] = {{"a", 1}};
  json& host = changed["virtual_hosts"][0];
  host["new"] = 17;
  host["judges"]["strictest"] = 3;
  host["judges"]["modern"]["verdicts"]["post-quantum"] = {1, 2};
  host["traffic"]["versions"]["TLSv1.4"] = {1, 2};
  host["offers"][0]["without"].push_back("TLS 1.4");
  host["offers"][0]["verdicts"]["modern2"] = "ok";
  ck_assert(value_of(live::parse_snapshot(changed.dump())) == sample());
  host = {{"key", "a"}};
  VirtualHostCounts bare;
  bare.key = "a";
  ck_assert(value_of(live::parse_snapshot(changed.dump())).virtual_hosts[0] == bare);
}
END_TEST

START_TEST(absurd_numbers_are_errors) {
  const json::json_pointer places[] = {
      "/written"_json_pointer,
      "/noticed_at"_json_pointer,
      "/virtual_hosts/0/began"_json_pointer,
      "/virtual_hosts/0/name_missing/0"_json_pointer,
      "/virtual_hosts/0/name_missing/1"_json_pointer,
      "/virtual_hosts/0/traffic/full/0"_json_pointer,
      "/virtual_hosts/0/traffic/versions/TLSv1.2/0"_json_pointer,
      "/virtual_hosts/0/traffic/ciphers/0x1301/0"_json_pointer,
      "/virtual_hosts/0/traffic/ciphers/0x1301/1"_json_pointer,
      "/virtual_hosts/0/judges/modern/began"_json_pointer,
      "/virtual_hosts/0/judges/modern/verdicts/cipher/0"_json_pointer,
      "/virtual_hosts/0/judges/in-force/noticed/cipher"_json_pointer,
      "/virtual_hosts/0/offers/0/count"_json_pointer,
      "/virtual_hosts/0/offers/0/first_seen"_json_pointer,
      "/virtual_hosts/0/offers/0/highest_version"_json_pointer,
      "/virtual_hosts/0/offers/0/ciphers"_json_pointer,
      "/virtual_hosts/0/past/0/verdicts/ok/0"_json_pointer,
      "/virtual_hosts/0/past/0/traffic/resumed/0"_json_pointer,
  };
  for (const auto& place : places) {
    for (const json& value :
         {json(-1), json(1.5), json(1e30), json("7"), json(nullptr), json(true), json::array(),
          json(live::max_count + 1), json(18446744073709551615U)}) {
      json changed = sample_json();
      ck_assert(changed.contains(place));
      changed[place] = value;
      auto read = live::parse_snapshot(changed.dump());
      ck_assert_msg(!read.has_value(), "%s = %s was taken", place.to_string().c_str(),
                    value.dump().c_str());
      if (place.to_string().starts_with("/virtual_hosts")) {
        expect_contains(read.error().text, "www.example.org|*:443");
      }
    }
  }
  json changed = sample_json();
  changed["written"] = 4294967296;
  ck_assert(!live::parse_snapshot(changed.dump()).has_value());
  changed["written"] = 4294967295;
  ck_assert(live::parse_snapshot(changed.dump()).has_value());
}
END_TEST

START_TEST(members_of_another_type_are_errors) {
  const json::json_pointer places[] = {
      "/seed"_json_pointer,
      "/virtual_hosts"_json_pointer,
      "/virtual_hosts/0"_json_pointer,
      "/virtual_hosts/0/key"_json_pointer,
      "/virtual_hosts/0/configured"_json_pointer,
      "/virtual_hosts/0/name_missing"_json_pointer,
      "/virtual_hosts/0/traffic"_json_pointer,
      "/virtual_hosts/0/traffic/ciphers"_json_pointer,
      "/virtual_hosts/0/traffic/ciphers/0x1301"_json_pointer,
      "/virtual_hosts/0/judges"_json_pointer,
      "/virtual_hosts/0/judges/modern"_json_pointer,
      "/virtual_hosts/0/judges/modern/policy"_json_pointer,
      "/virtual_hosts/0/judges/modern/verdicts"_json_pointer,
      "/virtual_hosts/0/offers"_json_pointer,
      "/virtual_hosts/0/offers/0"_json_pointer,
      "/virtual_hosts/0/offers/0/tag"_json_pointer,
      "/virtual_hosts/0/past"_json_pointer,
      "/virtual_hosts/0/past/0"_json_pointer,
      "/virtual_hosts/0/past/0/judge"_json_pointer,
  };
  for (const auto& place : places) {
    for (const json& value : {json(17), json({1, 2, 3}), json(nullptr)}) {
      json changed = sample_json();
      ck_assert(changed.contains(place));
      changed[place] = value;
      ck_assert_msg(!live::parse_snapshot(changed.dump()).has_value(), "%s = %s was taken",
                    place.to_string().c_str(), value.dump().c_str());
    }
  }
}
END_TEST

START_TEST(what_says_nothing_is_an_error) {
  auto changed = [](const char* place, const json& value) {
    json file = sample_json();
    file[json::json_pointer(place)] = value;
    return error_in(file);
  };
  expect_contains(changed("/seed", "123"), "'seed'");
  expect_contains(changed("/seed", "123456789abcdefg"), "'seed'");
  expect_contains(changed("/virtual_hosts/0/key", ""), "without a key");
  expect_contains(changed("/virtual_hosts/0/key", std::string(1025, 'x')), "longer than 1024");
  expect_contains(changed("/virtual_hosts/0/judges/modern/policy", ""), "no policy");
  expect_contains(changed("/virtual_hosts/0/offers/0/without", "AEAD"), "'without'");
  expect_contains(changed("/virtual_hosts/0/offers/0/tag", "0"), "without a tag");
  expect_contains(changed("/virtual_hosts/0/offers/0/tag", "1ffffffff"), "without a tag");
  expect_contains(changed("/virtual_hosts/0/past/0/judge", "me"), "without a judge");
  for (const char* id : {"1301", "0x", "0x10000", "0x-1", "0x13zz", "AES"}) {
    json file = sample_json();
    file["virtual_hosts"][0]["traffic"]["ciphers"][id] = {1, 2};
    expect_contains(error_in(file), "no IANA number");
  }
  json file = sample_json();
  for (int i = 0; i < 257; ++i) {
    file["virtual_hosts"][0]["traffic"]["groups"][fmt::format("0x{:04x}", i)] = {1, 2};
  }
  expect_contains(error_in(file), "too many members");
}
END_TEST

START_TEST(of_two_of_one_key_the_first_counts) {
  json changed = sample_json();
  changed["virtual_hosts"][1]["key"] = changed["virtual_hosts"][0]["key"];
  Snapshot read = value_of(live::parse_snapshot(changed.dump()));
  ck_assert_uint_eq(read.virtual_hosts.size(), 1);
  ck_assert(read.virtual_hosts[0] == sample().virtual_hosts[0]);
}
END_TEST

START_TEST(sums_stay_within_bounds) {
  Count count{live::max_count - 1, 5};
  count += {10, 3};
  ck_assert(count == (Count{live::max_count, 5}));
  count += {live::max_count, 7};
  ck_assert(count == (Count{live::max_count, 7}));
  live::Judged judged;
  for (Count& verdict : judged.verdicts) verdict.count = live::max_count;
  ck_assert_uint_eq(judged.total(), live::max_count);
  ck_assert_uint_eq(judged.refused(), live::max_count);
}
END_TEST

START_TEST(texts_become_bounded_once) {
  expect_text(live::bounded_text("www.example.org|*:443"), "www.example.org|*:443");
  expect_text(live::bounded_text("m\xc3\xbcller\n"), "m%C3%BCller%0A");
  const std::string longest(live::max_key, 'x');
  expect_text(live::bounded_text(longest), longest);
  const std::string cut = live::bounded_text(longest + "x");
  ck_assert_uint_eq(cut.size(), live::max_key);
  ck_assert(cut != live::bounded_text(longest + "y"));
  expect_text(live::bounded_text(cut), cut);
}
END_TEST

START_TEST(last_seen_is_the_latest_of_all) {
  VirtualHostCounts host;
  ck_assert_int_eq(host.last_seen(), 0);
  host.name_missing = {1, 5};
  ck_assert_int_eq(host.last_seen(), 5);
  host.past.push_back({Judge::modern, judged("p", 1), {}});
  ck_assert_int_eq(host.last_seen(), start + 5);
  host.by(Judge::report).verdicts[3] = {1, start + 7};
  ck_assert_int_eq(host.last_seen(), start + 7);
}
END_TEST

}  // namespace

Suite* snapshot_suite() {
  Suite* suite = suite_create("snapshot");
  TCase* tests = tcase_create("snapshot");
  tcase_add_test(tests, what_was_written_is_read_back);
  tcase_add_test(tests, a_torn_text_is_an_error_wherever_it_ends);
  tcase_add_test(tests, a_foreign_text_is_an_error);
  tcase_add_test(tests, deep_and_huge_texts_are_errors);
  tcase_add_test(tests, unknown_members_are_ignored_and_missing_ones_are_zero);
  tcase_add_test(tests, absurd_numbers_are_errors);
  tcase_add_test(tests, members_of_another_type_are_errors);
  tcase_add_test(tests, what_says_nothing_is_an_error);
  tcase_add_test(tests, of_two_of_one_key_the_first_counts);
  tcase_add_test(tests, sums_stay_within_bounds);
  tcase_add_test(tests, texts_become_bounded_once);
  tcase_add_test(tests, last_seen_is_the_latest_of_all);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
