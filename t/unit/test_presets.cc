// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include "policy/cipher_names.h"
#include "policy/describe.h"
#include "policy/library.h"
#include "policy/names.h"
#include "policy/policy.h"
#include "policy/strength.h"
#include "temp_dir.h"

namespace tlsguard::policy {
namespace {

using test::expect_contains;
using test::expect_text;

const Policy& preset(std::string_view id) {
  for (const Policy& each : presets()) {
    if (each.id() == id) return each;
  }
  ck_abort_msg("no policy %s", std::string(id).c_str());
}

START_TEST(there_are_exactly_the_promised_ones) {
  std::set<std::string> ids;
  for (const Policy& each : presets()) ids.insert(each.id());
  const std::set<std::string> wanted{"baseline@1",
                                     "mozilla-modern@5.7",
                                     "mozilla-modern@5.8",
                                     "mozilla-modern@6.0",
                                     "mozilla-intermediate@5.7",
                                     "mozilla-intermediate@5.8",
                                     "mozilla-intermediate@6.0",
                                     "mozilla-old@5.7",
                                     "mozilla-old@5.8",
                                     "rfc9325@2022-11",
                                     "nist-sp800-52@r2",
                                     "nist-sp800-52-aead@r2",
                                     "pci-dss@4.0.1",
                                     "bsi-tr-02102-2@2025-01",
                                     "fips@140-3",
                                     "hipaa@2009",
                                     "cnsa-1@rfc9151",
                                     "cnsa-2@2022-09"};
  ck_assert(ids == wanted);
  ck_assert_uint_eq(presets().size(), wanted.size());
}
END_TEST

START_TEST(a_plain_name_is_the_newest_version) {
  const auto& names = aliases();
  expect_text(names.at("modern"), "mozilla-modern@6.0");
  expect_text(names.at("intermediate"), "mozilla-intermediate@6.0");
  expect_text(names.at("old"), "mozilla-old@5.8");
  expect_text(names.at("mozilla-modern"), "mozilla-modern@6.0");
  expect_text(names.at("mozilla-old"), "mozilla-old@5.8");
  expect_text(names.at("baseline"), "baseline@1");
  expect_text(names.at("nist-sp800-52-aead"), "nist-sp800-52-aead@r2");
  for (const auto& [name, id] : names) preset(id);
}
END_TEST

START_TEST(each_is_complete_and_made_of_known_names) {
  for (const Policy& each : presets()) {
    const std::string id = each.id();
    for (const std::string& text : {each.source, each.date, each.note}) {
      ck_assert_msg(!text.empty(), "%s", id.c_str());
    }
    // A date is a year, and mostly a month and day (ISO 8601).
    ck_assert_msg(each.date.size() >= 7 && each.date.starts_with("20"), "%s", id.c_str());
    ck_assert_msg(each.min_protocol <= each.max_protocol, "%s", id.c_str());
    ck_assert_msg(each.ciphers.empty() == (each.min_protocol == Protocol::tls1_3), "%s",
                  id.c_str());
    ck_assert_msg(!each.suites.empty() && !each.groups.empty(), "%s", id.c_str());
    const std::set<std::string> once(each.ciphers.begin(), each.ciphers.end());
    ck_assert_uint_eq(once.size(), each.ciphers.size());
    for (const std::string& name : each.ciphers) {
      ck_assert_msg(capabilities()->cipher(name) != nullptr || is_known_cipher(name), "%s of %s",
                    name.c_str(), id.c_str());
    }
    for (const std::string& name : each.suites) expect_text(known_tls13_suite(name), name);
    for (const std::string& name : each.groups) expect_text(find_group(name)->name, name);
    for (const std::string& name : each.signature_algorithms.value_or(std::vector<std::string>{})) {
      expect_text(find_signature_algorithm(name)->name, name);
    }
  }
}
END_TEST

// What the source of each says about the choice of cipher.
START_TEST(only_mozillas_newer_ones_leave_the_choice_to_the_client) {
  for (const Policy& each : presets()) {
    const bool client = each.name == "mozilla-modern" || each.name == "mozilla-intermediate";
    ck_assert_msg(each.server_preference == !client, "%s", each.id().c_str());
  }
}
END_TEST

START_TEST(the_baseline_is_what_its_cipher_string_means) {
  const auto strings = test::value_of(CipherStrings::open());
  std::vector<std::string> names;
  for (const hello::Cipher& cipher : strings.expand("ECDHE+AESGCM")) names.push_back(cipher.name);
  ck_assert(preset("baseline@1").ciphers == names);
}
END_TEST

// Each rule with the policies that claim it, and one that must fail it.
START_TEST(claims_hold) {
  for (const Policy& each : presets()) {
    const Strength strength = strength_of(each);
    const bool old = each.name == "mozilla-old";
    const bool cbc = old || each.id() == "nist-sp800-52@r2" || each.name == "bsi-tr-02102-2";
    ck_assert_msg(strength.forward_secrecy == !old, "%s", each.id().c_str());
    ck_assert_msg(strength.aead == !cbc, "%s", each.id().c_str());
    ck_assert_msg(strength.cipher_bits >= (old ? 112 : 128), "%s", each.id().c_str());
    ck_assert_msg(strength.group_bits >= 112, "%s", each.id().c_str());
  }
  for (const char* id : {"fips@140-3", "nist-sp800-52@r2", "nist-sp800-52-aead@r2", "hipaa@2009",
                         "bsi-tr-02102-2@2025-01", "cnsa-1@rfc9151"}) {
    const Policy& policy = preset(id);
    for (const auto* list : {&policy.ciphers, &policy.suites, &policy.groups}) {
      for (const std::string& name : *list) {
        for (const char* unapproved : {"CHACHA20", "X25519", "X448"}) {
          ck_assert_msg(name.find(unapproved) == std::string::npos, "%s in %s", name.c_str(), id);
        }
      }
    }
  }
  ck_assert_int_eq(*preset("bsi-tr-02102-2@2025-01").min_rsa_bits, 3000);
  ck_assert_int_eq(*preset("cnsa-1@rfc9151").min_rsa_bits, 3072);
  ck_assert_int_eq(strength_of(preset("cnsa-1@rfc9151")).cipher_bits, 256);
}
END_TEST

// The review copy of each policy under t/golden. A released policy never changes: what this test
// finds different is a mistake, or a new policy, whose file TLSGUARD_UPDATE_GOLDEN=1 writes.
START_TEST(each_is_as_it_was_reviewed) {
  const std::filesystem::path folder =
      std::filesystem::path(TLSGUARD_SRCDIR) / "t" / "golden" / "policies";
  const char* update = std::getenv("TLSGUARD_UPDATE_GOLDEN");
  std::set<std::string> files;
  for (const Policy& each : presets()) {
    const std::string file = each.id() + ".txt";
    files.insert(file);
    if (update != nullptr && std::string_view(update) == "1") {
      test::write_file(folder / file, dump(each));
    }
    expect_text(dump(each), test::content_of(folder / file));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    ck_assert_msg(files.count(name) == 1, "%s is of no policy", name.c_str());
  }
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* presets_suite() {
  Suite* suite = suite_create("presets");
  TCase* tests = tcase_create("presets");
  tcase_add_test(tests, policy::there_are_exactly_the_promised_ones);
  tcase_add_test(tests, policy::a_plain_name_is_the_newest_version);
  tcase_add_test(tests, policy::each_is_complete_and_made_of_known_names);
  tcase_add_test(tests, policy::only_mozillas_newer_ones_leave_the_choice_to_the_client);
  tcase_add_test(tests, policy::the_baseline_is_what_its_cipher_string_means);
  tcase_add_test(tests, policy::claims_hold);
  tcase_add_test(tests, policy::each_is_as_it_was_reviewed);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
