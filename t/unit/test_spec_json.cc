// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <algorithm>
#include <memory>

#include "renew/json_members.h"
#include "renew/phase.h"
#include "renew/spec_json.h"

namespace tlsguard::test {
namespace {

using namespace renew;

DomainSettings all_settings() {
  DomainSettings s;
  s.cas = {{"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"}, {"internal", ""}};
  s.agreement = true;
  s.contacts = {"admin@example.org"};
  s.external_accounts = {{"zerossl", "kid", "aG1hYw"}};
  s.challenges = {ChallengeType::dns_persist_01, ChallengeType::http_01};
  s.dns_command = {"/usr/bin/dns", "arg"};
  s.key_types = {crypto::KeyType::p256, crypto::KeyType::rsa4096};
  s.profile = "shortlived";
  s.profile_required = true;
  s.preferred_chain = "ISRG Root X1";
  s.renew_window = 40;
  s.ari = false;
  s.warn_window = Seconds(86400);
  s.automatic = false;
  s.ca_trust = "/etc/ca.pem";
  s.http_proxy = "http://proxy:3128";
  s.events = {{EventSpec::Kind::command, {"/bin/true", "x"}},
              {EventSpec::Kind::webhook, {"https://hook.example/"}}};
  return s;
}

AgentSpec sample() {
  auto settings = std::make_shared<const DomainSettings>(all_settings());
  DomainSettings simple_settings;
  simple_settings.cas = {{"internal", ""}};
  auto simple = std::make_shared<const DomainSettings>(simple_settings);
  AgentSpec spec;
  spec.store_path = "/var/lib/apache2/tlsguard";
  spec.domains = {{"a.example", {"a.example", "*.a.example", "192.0.2.1"}, settings},
                  {"b.example", {"b.example"}, settings},
                  {"c.example", {"c.example"}, simple}};
  spec.lists = {{"/etc/names", 4294967295U, simple}};
  spec.reach = {.http = 80, .https = std::nullopt, .addresses = {"*", "192.0.2.1"}};
  spec.permitted_internal_names = {"example"};
  spec.static_certificates = {
      {"/etc/site.pem", "www.example", {"www.example"}, -5, 1900000000, "0abc", settings}};
  spec.server_name = "main.example";
  return spec;
}

Json sample_json() { return Json::parse(to_json(sample())); }
std::string refused(const Json& changed) { return error_of(agent_spec_from_json(changed.dump())); }

START_TEST(what_was_written_is_read_back) {
  AgentSpec read = value_of(agent_spec_from_json(to_json(sample())));
  AgentSpec wanted = sample();
  expect_text(read.store_path, wanted.store_path);
  ck_assert_uint_eq(read.domains.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    expect_text(read.domains[i].identity, wanted.domains[i].identity);
    ck_assert(read.domains[i].names == wanted.domains[i].names);
    ck_assert(*read.domains[i].settings == *wanted.domains[i].settings);
  }
  ck_assert(read.domains[0].settings == read.domains[1].settings);  // shared again
  ck_assert(read.domains[1].settings != read.domains[2].settings);
  ck_assert_uint_eq(read.lists.size(), 1);
  expect_text(read.lists[0].path, "/etc/names");
  ck_assert_uint_eq(read.lists[0].id, 4294967295U);
  ck_assert(read.lists[0].settings == read.domains[2].settings);
  ck_assert_uint_eq(*read.reach.http, 80);
  ck_assert(!read.reach.https);
  ck_assert(read.reach.addresses == wanted.reach.addresses);
  ck_assert(read.permitted_internal_names == wanted.permitted_internal_names);
  ck_assert_uint_eq(read.static_certificates.size(), 1);
  const StaticCertificateSpec& file = read.static_certificates[0];
  expect_text(file.file, "/etc/site.pem");
  expect_text(file.server_name, "www.example");
  expect_text(file.serial, "0abc");
  ck_assert(file.names == wanted.static_certificates[0].names);
  ck_assert_int_eq(file.not_before, -5);
  ck_assert_int_eq(file.not_after, 1900000000);
  ck_assert(file.settings == read.domains[0].settings);
  expect_text(read.server_name, "main.example");
  ck_assert(value_of(agent_spec_from_json(to_json(AgentSpec{}))).domains.empty());
}
END_TEST

START_TEST(every_torn_text_is_an_error) {
  std::string whole = to_json(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ck_assert_msg(!agent_spec_from_json(whole.substr(0, size)), "%zu", size);
  }
}
END_TEST

START_TEST(wrong_members_are_named) {
  struct {
    const char* pointer;
    Json wrong;
    const char* text;
  } cases[] = {
      {"/version", 2, "spec.version is not a number from 1 to 1"},
      {"/store_path", 1, "spec.store_path is not a text"},
      {"/settings", 1, "spec.settings is not a list"},
      {"/settings/0", 1, "spec.settings[0] is not an object"},
      {"/settings/0/cas", Json::array(), "spec.settings[0].cas is empty"},
      {"/settings/0/cas/0/url", nullptr, "cas[0].url is not a text"},
      {"/settings/0/agreement", 1, "agreement is not true or false"},
      {"/settings/0/key_types", Json::array(), "key_types is empty"},
      {"/settings/0/key_types/0", 5, "key_types has an unknown value"},
      {"/settings/0/key_types/0", -1, "key_types has an unknown value"},
      {"/settings/0/challenges/0", 5, "challenges has an unknown value"},
      {"/settings/0/renew_window/percent", 101, "percent is not a number from 0 to 100"},
      {"/settings/0/warn_window/seconds", -1, "seconds is not a number"},
      {"/settings/0/events/0/kind", 2, "kind is not a number from 0 to 1"},
      {"/domains/0/settings", 2, "domains[0].settings is not a number from 0 to 1"},
      {"/domains/1/names", Json::array(), "names does not begin with its identity"},
      {"/domains/1/identity", "other", "names does not begin with its identity"},
      {"/domains/1/names/0", std::string(256, 'a'), "names is not a list of texts of at most 255"},
      {"/lists/0/id", 4294967296, "id is not a number"},
      {"/reach/http", 0, "http is not a number from 1 to 65535"},
      {"/reach", Json::array(), "spec.reach is not an object"},
  };
  for (const auto& c : cases) {
    Json changed = sample_json();
    changed[Json::json_pointer(c.pointer)] = c.wrong;
    expect_contains(refused(changed), c.text);
  }
  Json changed = sample_json();
  changed["settings"] = Json::array();
  expect_contains(refused(changed), "there are no settings");
  for (const char* member : {"version", "store_path", "settings", "domains", "lists", "reach"}) {
    changed = sample_json();
    changed.erase(member);
    expect_contains(refused(changed), std::string("spec.") + member + " is missing");
  }
}
END_TEST

START_TEST(size_and_depth_have_bounds) {
  std::string deep =
      R"({"version":1,"x":)" + std::string(100000, '[') + std::string(100000, ']') + "}";
  expect_contains(error_of(agent_spec_from_json(deep)), "nested more than");
  expect_contains(error_of(agent_spec_from_json("[]")), "not an object");
  expect_contains(error_of(parse_object("{}   ", {4, 4})), "longer than 4 bytes");
}
END_TEST

// The parent writes it within its start, the agent reads it within its own.
START_TEST(ten_thousand_domains_are_quick) {
  AgentSpec spec = sample();
  auto settings = spec.domains[0].settings;
  for (int i = 0; i < 10000; ++i) {
    std::string name = "host" + std::to_string(i) + ".example";
    spec.domains.push_back({name, {name}, settings});
  }
  std::string text = to_json(spec);
  ck_assert_uint_le(text.size(), 10000 * 100);
  ck_assert_uint_eq(value_of(agent_spec_from_json(text)).domains.size(), 10003);
}
END_TEST

START_TEST(phases_have_names) {
  for (std::uint32_t i = 0; i < phase_count; ++i) {
    Phase phase = *phase_from_number(i);
    ck_assert_uint_eq(static_cast<std::uint32_t>(phase), i);
    ck_assert(phase_from_name(phase_name(phase)) == phase);
  }
  ck_assert(!phase_from_number(phase_count));
  ck_assert(!phase_from_number(0xffffffffU));
  ck_assert(!phase_from_name("waiting "));
  expect_text(phase_name(Phase::preflight_failed), "preflight-failed");
  expect_text(phase_name(Phase::passive), "passive");
}
END_TEST

}  // namespace

Suite* spec_json_suite() {
  Suite* suite = suite_create("agent spec");
  TCase* tests = tcase_create("JSON");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, what_was_written_is_read_back);
  tcase_add_test(tests, every_torn_text_is_an_error);
  tcase_add_test(tests, wrong_members_are_named);
  tcase_add_test(tests, size_and_depth_have_bounds);
  tcase_add_test(tests, ten_thousand_domains_are_quick);
  tcase_add_test(tests, phases_have_names);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
