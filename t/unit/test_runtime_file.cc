// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <nlohmann/json.hpp>

#include "growth.h"
#include "live/runtime_file.h"

namespace tlsguard::test {
namespace {

using live::RuntimeFile;
using live::RuntimeHost;
using nlohmann::json;

policy::Policy own_policy() {
  policy::Policy policy;
  policy.name = "house";
  policy.version = "2";
  policy.min_protocol = Protocol::tls1_1;
  policy.max_protocol = Protocol::tls1_2;
  policy.ciphers = {"AES128-SHA"};
  policy.groups = {"P-256"};
  policy.signature_algorithms = {"rsa_pkcs1_sha256"};
  policy.server_preference = false;
  policy.min_rsa_bits = 3072;
  policy.certificate_types = {hello::KeyType::ecdsa, hello::KeyType::rsa};
  policy.min_hsts_age = Seconds(86400);
  return policy;
}

RuntimeFile sample() {
  RuntimeHost strict;
  strict.name = "www.example.org";
  strict.addresses = {"127.0.0.1:8443", "[::1]:8443"};
  strict.engine = "on";
  strict.policy = "baseline@1";
  strict.report_policy = "mozilla-modern@6.0";
  strict.floor = "baseline@1";
  strict.floor_exception = true;
  strict.file = "/etc/apache2/sites-enabled/www.conf";
  strict.line = 12;
  strict.is_default = true;
  strict.settings = {{"TLSv1.2", "TLSv1.3"},
                     {"ECDHE-RSA-AES256-GCM-SHA384"},
                     {"TLS_AES_256_GCM_SHA384"},
                     {"X25519", "P-256"},
                     {"rsa_pss_rsae_sha256"}};
  strict.hsts = "max-age=63072000";
  RuntimeHost lax;
  lax.name = "old.example.org";
  lax.policy = "house@2";
  lax.own_policy = own_policy();
  lax.made_from = "mozilla-old@5.8";
  RuntimeFile file;
  file.written = "2026-11-20T16:15:00Z";
  file.httpd = "Apache/2.4.71";
  file.openssl = "OpenSSL 3.0.22 1 Sep 2026";
  file.tlsguard = "0.1.0";
  file.pid = 4711;
  file.watching = true;
  file.virtual_hosts = {strict, lax};
  file.domains = {{{"www.example.org", "example.org"}, {"P-256", "rsa2048"}, {"letsencrypt"}},
                  {{"*.example.net"}, {"P-384"}, {"internal"}}};
  file.lists = {"/etc/apache2/customers"};
  return file;
}

json sample_json() { return json::parse(live::to_json(sample())); }

std::string error_in(const json& changed) {
  auto read = live::runtime_from_json(changed.dump());
  return read ? "" : read.error().text;
}

START_TEST(files_from_before_there_were_domains_are_read) {
  json old = sample_json();
  old.erase("domains");
  old.erase("lists");
  auto read = live::runtime_from_json(old.dump());
  ck_assert_msg(read.has_value(), "%s", read ? "" : read.error().text.c_str());
  ck_assert(read->domains.empty() && read->lists.empty());
}
END_TEST

START_TEST(domains_are_checked_as_all_else) {
  json wrong = sample_json();
  wrong["domains"][1].erase("names");
  expect_text(error_in(wrong), "domains[1].names is missing");
  wrong = sample_json();
  wrong["domains"] = "all";
  expect_text(error_in(wrong), "file.domains has the wrong type (string)");
  wrong = sample_json();
  wrong["lists"] = {1};
  expect_text(error_in(wrong), "file.lists is not a list of strings");
}
END_TEST

START_TEST(what_was_written_is_read_back) {
  auto read = live::runtime_from_json(live::to_json(sample()));
  ck_assert_msg(read.has_value(), "%s", read ? "" : read.error().text.c_str());
  ck_assert(*read == sample());
}
END_TEST

START_TEST(members_have_the_names_agreed_on) {
  json written = sample_json();
  ck_assert_int_eq(written["version"].get<int>(), 1);
  ck_assert_int_eq(written["pid"].get<int>(), 4711);
  json host = written["virtual_hosts"][0];
  ck_assert(host["default"].get<bool>());
  ck_assert(host["floor_exception"].get<bool>());
  expect_text(host["settings"]["groups"][1].get<std::string>(), "P-256");
  ck_assert(written["virtual_hosts"][1]["report_policy"].is_null());
  ck_assert(written["virtual_hosts"][1]["hsts"].is_null());
}
END_TEST

START_TEST(unknown_members_are_skipped_and_new_ones_may_be_missing) {
  json changed = sample_json();
  changed["later"] = {{"a", 1}};
  changed["virtual_hosts"][0]["domains"] = json::array({"x"});
  changed.erase("openssl");
  changed.erase("tlsguard");
  auto read = live::runtime_from_json(changed.dump());
  ck_assert(read.has_value());
  expect_text(read->openssl, "");
  ck_assert_uint_eq(read->virtual_hosts.size(), 2);
}
END_TEST

START_TEST(another_version_is_an_error_that_says_so) {
  json changed = sample_json();
  changed["version"] = 2;
  expect_text(error_in(changed), "version 2 of the file is not known here, only 1");
}
END_TEST

START_TEST(a_missing_or_mistyped_member_is_named) {
  for (const char* key : {"version", "written", "httpd", "pid", "virtual_hosts"}) {
    json missing = sample_json();
    missing.erase(key);
    expect_text(error_in(missing), "file." + std::string(key) + " is missing");
  }
  for (const char* key : {"name", "addresses", "engine", "policy", "file", "line", "default",
                          "floor_exception", "settings"}) {
    json missing = sample_json();
    missing["virtual_hosts"][1].erase(key);
    expect_text(error_in(missing), "virtual_hosts[1]." + std::string(key) + " is missing");
    json mistyped = sample_json();
    mistyped["virtual_hosts"][1][key] = 1.5;
    expect_text(error_in(mistyped),
                "virtual_hosts[1]." + std::string(key) + " has the wrong type (number)");
  }
  json list = sample_json();
  list["virtual_hosts"][0]["settings"]["ciphers"] = {1, 2};
  expect_text(error_in(list), "virtual_hosts[0].settings.ciphers is not a list of strings");
  json engine = sample_json();
  engine["virtual_hosts"][0]["engine"] = "maybe";
  expect_text(error_in(engine), "virtual_hosts[0].engine is none of on, report, off");
  json host = sample_json();
  host["virtual_hosts"][0] = "www.example.org";
  expect_text(error_in(host), "virtual_hosts[0] is not an object");
}
END_TEST

START_TEST(an_own_policy_is_kept_whole) {
  auto own = [](const RuntimeFile& file) { return *file.virtual_hosts[1].own_policy; };
  auto read = value_of(live::runtime_from_json(live::to_json(sample())));
  ck_assert(own(read) == own_policy());
  RuntimeFile plain = sample();
  plain.virtual_hosts[1].policy = "house";
  plain.virtual_hosts[1].own_policy = policy::Policy{};
  plain.virtual_hosts[1].own_policy->name = "house";
  ck_assert(value_of(live::runtime_from_json(live::to_json(plain))) == plain);
  for (const char* key :
       {"min_protocol", "max_protocol", "ciphers", "suites", "groups", "certificate_types"}) {
    json missing = sample_json();
    missing["virtual_hosts"][1]["own_policy"].erase(key);
    expect_text(error_in(missing),
                "virtual_hosts[1].own_policy." + std::string(key) + " is missing");
  }
  json type = sample_json();
  type["virtual_hosts"][1]["own_policy"]["certificate_types"] = {"DSA"};
  expect_text(error_in(type), "'DSA' is no key type");
  json protocol = sample_json();
  protocol["virtual_hosts"][1]["own_policy"]["min_protocol"] = "TLSv1.9";
  ck_assert(!error_in(protocol).empty());
}
END_TEST

START_TEST(built_in_policies_are_known_by_their_id) {
  ck_assert(live::is_built_in(value_of(policy::Catalogue{}.find("modern"))));
  ck_assert(!live::is_built_in(own_policy()));
  policy::Settings settings;
  settings.min_protocol = Protocol::tls1_3;
  policy::Policy baseline = value_of(policy::Catalogue{}.find("baseline"));
  ck_assert(!live::is_built_in(value_of(policy::with_settings(baseline, settings))));
}
END_TEST

START_TEST(numbers_have_bounds) {
  json line = sample_json();
  line["virtual_hosts"][0]["line"] = 1ULL << 40;
  expect_text(error_in(line), "virtual_hosts[0].line is too large");
  json negative = sample_json();
  negative["pid"] = -1;
  expect_text(error_in(negative), "file.pid has the wrong type (number)");
}
END_TEST

START_TEST(torn_and_hostile_files_are_errors) {
  std::string whole = live::to_json(sample());
  for (std::size_t cut = 0; cut + 2 < whole.size(); cut += 7) {
    ck_assert(!live::runtime_from_json(whole.substr(0, cut)).has_value());
  }
  for (const char* text : {"", "null", "[]", "1", "{}", "\xff\xfe", "{\"version\":1}"}) {
    ck_assert(!live::runtime_from_json(text).has_value());
  }
  std::string deep =
      "{\"version\":1,\"x\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  auto read = live::runtime_from_json(deep);
  ck_assert(!read.has_value());
  expect_text(read.error().text, "this is not JSON as httpd's parent writes it");
}
END_TEST

START_TEST(reading_takes_time_by_the_number_of_hosts) {
  auto text = [](int hosts) {
    json file = sample_json();
    file["virtual_hosts"] = json(static_cast<std::size_t>(hosts), json::object());
    return file.dump();
  };
  expect_linear([](const std::string& file) { (void)live::runtime_from_json(file); }, text);
}
END_TEST

START_TEST(more_hosts_or_bytes_than_the_bound_are_errors) {
  json many = sample_json();
  many["virtual_hosts"] = json::array();
  for (std::size_t i = 0; i <= live::max_runtime_hosts; ++i) many["virtual_hosts"].push_back(1);
  expect_text(error_in(many), "more than 65536 virtual hosts");
  std::string large(live::max_runtime_file + 1, ' ');
  ck_assert(!live::runtime_from_json(large).has_value());
}
END_TEST

START_TEST(names_that_are_not_utf8_do_not_stop_the_writer) {
  RuntimeFile file = sample();
  file.virtual_hosts[0].file = "/etc/\xff.conf";
  auto read = live::runtime_from_json(live::to_json(file));
  ck_assert(read.has_value());
  expect_text(read->virtual_hosts[0].file, "/etc/\xef\xbf\xbd.conf");
}
END_TEST

START_TEST(settings_are_given_by_name) {
  hello::ServerSettings settings;
  settings.protocols = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3);
  settings.ciphers.push_back({.id = 0xc030, .name = "ECDHE-RSA-AES256-GCM-SHA384"});
  settings.suites.push_back({.id = 0x1302, .name = "TLS_AES_256_GCM_SHA384"});
  settings.groups = {0x001d, 0x0017};
  settings.signature_algorithms = {0x0804};
  live::RuntimeSettings named = live::runtime_settings(settings);
  ck_assert(named == sample().virtual_hosts[0].settings);
}
END_TEST

}  // namespace

Suite* runtime_file_suite() {
  Suite* suite = suite_create("runtime file");
  TCase* tests = tcase_create("runtime.json");
  tcase_add_test(tests, files_from_before_there_were_domains_are_read);
  tcase_add_test(tests, domains_are_checked_as_all_else);
  tcase_add_test(tests, what_was_written_is_read_back);
  tcase_add_test(tests, members_have_the_names_agreed_on);
  tcase_add_test(tests, unknown_members_are_skipped_and_new_ones_may_be_missing);
  tcase_add_test(tests, another_version_is_an_error_that_says_so);
  tcase_add_test(tests, a_missing_or_mistyped_member_is_named);
  tcase_add_test(tests, an_own_policy_is_kept_whole);
  tcase_add_test(tests, built_in_policies_are_known_by_their_id);
  tcase_add_test(tests, numbers_have_bounds);
  tcase_add_test(tests, torn_and_hostile_files_are_errors);
  tcase_add_test(tests, reading_takes_time_by_the_number_of_hosts);
  tcase_add_test(tests, more_hosts_or_bytes_than_the_bound_are_errors);
  tcase_add_test(tests, names_that_are_not_utf8_do_not_stop_the_writer);
  tcase_add_test(tests, settings_are_given_by_name);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
