// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <nlohmann/json.hpp>

#include "web/hsts_ramp.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;
using std::chrono::sys_seconds;
using web::RampState;
using web::RampStates;

sys_seconds at(long long time) { return sys_seconds(std::chrono::seconds(time)); }

RampStates sample() {
  RampState first;
  first.began = at(1795176000);
  first.counted_until = at(1795176060);
  first.age = Seconds(300);
  first.kept = Seconds(60);
  first.good = true;
  RampState second;
  second.began = at(0);
  second.counted_until = at(253402300799);
  second.behind_since = at(7);
  second.age = second.kept = Seconds(3153600000);
  second.complete = true;
  second.include_sub_domains = true;
  return {{"a.example", first}, {"b.example", second}};
}

json sample_json() { return json::parse(web::write_ramp_states(sample())); }

std::string refused(const json& changed) { return error_of(web::read_ramp_states(changed.dump())); }

START_TEST(what_was_written_is_read_back) {
  ck_assert(value_of(web::read_ramp_states(web::write_ramp_states(sample()))) == sample());
  ck_assert(value_of(web::read_ramp_states(web::write_ramp_states({}))).empty());
  ck_assert(web::write_ramp_states({}).ends_with("}\n"));
}
END_TEST

START_TEST(unknown_members_are_ignored) {
  json changed = sample_json();
  changed["later"] = {{"a", {1, 2, {{"b", nullptr}}}}};
  changed["ramps"]["a.example"]["later"] = {1, {{"c", 1.5}}};
  ck_assert(value_of(web::read_ramp_states(changed.dump())) == sample());
}
END_TEST

START_TEST(every_torn_file_is_an_error) {
  std::string whole = web::write_ramp_states(sample());
  std::size_t last_brace = whole.rfind('}');
  for (std::size_t size = 0; size <= last_brace; ++size) {
    ck_assert_msg(!web::read_ramp_states(whole.substr(0, size)), "%zu", size);
  }
  expect_contains(error_of(web::read_ramp_states(whole.substr(0, 100))), "torn");
}
END_TEST

START_TEST(foreign_files_are_errors) {
  for (const char* text :
       {"", " ", "null", "1", "[]", "{}", "\"tlsguard-hsts-ramp\"", "max-age=300", "{\"ramps\":{}}",
        "{\"format\":\"other\",\"version\":1,\"ramps\":{}}",
        "{\"format\":1,\"version\":1,\"ramps\":{}}", "\xff\xfe", "{]"}) {
    ck_assert_msg(!web::read_ramp_states(text), "%s", text);
  }
  json changed = sample_json();
  changed["format"] = "other";
  expect_contains(refused(changed), "\"format\": \"tlsguard-hsts-ramp\"");
  for (const json& version : {json(2), json(0), json("1"), json(nullptr)}) {
    changed = sample_json();
    changed["version"] = version;
    expect_contains(refused(changed), "its \"version\" is not 1");
  }
  changed = sample_json();
  changed.erase("ramps");
  expect_contains(refused(changed), "'ramps' is not an object");
  changed["ramps"] = json::array();
  expect_contains(refused(changed), "'ramps' is not an object");
}
END_TEST

START_TEST(missing_and_mistyped_members_are_named) {
  for (const char* member :
       {"began", "counted_until", "max_age", "kept", "complete", "good", "include_sub_domains"}) {
    json changed = sample_json();
    changed["ramps"]["a.example"].erase(member);
    expect_contains(refused(changed), std::string("ramp of 'a.example': '") + member + "' is not");
    for (const json& wrong : {json("1"), json(nullptr), json(1.5), json::array(), json::object()}) {
      changed = sample_json();
      changed["ramps"]["b.example"][member] = wrong;
      expect_contains(refused(changed),
                      std::string("ramp of 'b.example': '") + member + "' is not");
    }
  }
  json changed = sample_json();
  changed["ramps"]["a.example"] = 1;
  expect_contains(refused(changed), "ramp of 'a.example': it is not an object");
}
END_TEST

START_TEST(numbers_have_bounds) {
  struct {
    const char* member;
    json wrong;
  } cases[] = {
      {"began", -1},
      {"began", 253402300800},
      {"counted_until", 18446744073709551615U},
      {"counted_until", json::parse("1e300")},
      {"behind_since", -1},
      {"behind_since", nullptr},
      {"max_age", 0},
      {"max_age", -300},
      {"max_age", 3153600001},
      {"max_age", 9223372036854775808U},
      {"kept", -1},
      {"kept", 301},
      {"good", 1},
  };
  for (const auto& c : cases) {
    json changed = sample_json();
    changed["ramps"]["a.example"][c.member] = c.wrong;
    expect_contains(refused(changed), std::string("'") + c.member + "' is not");
  }
}
END_TEST

START_TEST(size_and_depth_have_bounds) {
  std::string head = R"({"format":"tlsguard-hsts-ramp","version":1,"ramps":{},"x":)";
  ck_assert(web::read_ramp_states(head + "1}").has_value());
  expect_contains(
      error_of(web::read_ramp_states(head + std::string(1000, '[') + std::string(1000, ']') + "}")),
      "deep");
  ck_assert(!web::read_ramp_states(std::string(100000, '[')));
  ck_assert(!web::read_ramp_states(head + std::string(100000, '[')));
  // The first byte is wrong, so that only the length makes the difference.
  constexpr std::size_t longest = std::size_t{32} << 20;
  expect_contains(error_of(web::read_ramp_states(std::string(longest, '}'))), "torn");
  expect_contains(error_of(web::read_ramp_states(std::string(longest + 1, '}'))), "longer than");
}
END_TEST

START_TEST(reading_takes_time_by_the_number_of_ramps) {
  auto text = [](int ramps) {
    json file = sample_json();
    for (int i = 0; i < ramps; ++i) file["ramps"][std::to_string(i)] = json::object();
    return file.dump();
  };
  expect_linear([](const std::string& file) { (void)web::read_ramp_states(file); }, text);
}
END_TEST

START_TEST(names_have_bounds_and_need_not_be_utf8) {
  json changed = sample_json();
  changed["ramps"][""] = changed["ramps"]["a.example"];
  expect_contains(refused(changed), "a name has 0 bytes");
  changed = sample_json();
  changed["ramps"][std::string(256, 'a')] = changed["ramps"]["a.example"];
  expect_contains(refused(changed), "a name has 256 bytes");
  RampStates odd{{"a\xff\"\n", sample().at("a.example")}};
  ck_assert_uint_eq(value_of(web::read_ramp_states(web::write_ramp_states(odd))).size(), 1);
}
END_TEST

}  // namespace

Suite* hsts_ramp_json_suite() {
  Suite* suite = suite_create("HSTS ramp file");
  TCase* tests = tcase_create("JSON");
  tcase_add_test(tests, what_was_written_is_read_back);
  tcase_add_test(tests, unknown_members_are_ignored);
  tcase_add_test(tests, every_torn_file_is_an_error);
  tcase_add_test(tests, foreign_files_are_errors);
  tcase_add_test(tests, missing_and_mistyped_members_are_named);
  tcase_add_test(tests, numbers_have_bounds);
  tcase_add_test(tests, size_and_depth_have_bounds);
  tcase_add_test(tests, reading_takes_time_by_the_number_of_ramps);
  tcase_add_test(tests, names_have_bounds_and_need_not_be_utf8);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
