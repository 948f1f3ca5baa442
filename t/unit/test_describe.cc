// SPDX-License-Identifier: Apache-2.0
// Policies and settings as text; and the digest that a session carries.
#include "expect.h"

#include <algorithm>
#include <functional>
#include <set>

#include "core/text.h"
#include "policy/context.h"
#include "policy/describe.h"

namespace tlsguard::policy {
namespace {

using hello::ServerSettings;
using test::expect_contains;
using test::expect_text;
using test::value_of;

Policy preset(const std::string& name) { return value_of(Catalogue().find(name)); }

Policy small() {
  Policy policy;
  policy.name = "house";
  policy.source = "a.conf:3";
  policy.min_protocol = Protocol::tls1_3;
  policy.suites = {"TLS_AES_128_GCM_SHA256"};
  policy.groups = {"X25519"};
  return policy;
}

START_TEST(a_dump_has_every_part) {
  Policy policy = small();
  expect_text(dump(policy),
              "policy: house\n"
              "source: a.conf:3\n"
              "versions: TLSv1.3\n"
              "tls1.3-suite: TLS_AES_128_GCM_SHA256\n"
              "group: X25519\n"
              "signature-algorithm: any\n"
              "preference: as SSLHonorCipherOrder says\n"
              "min-rsa-bits: any\n"
              "certificate-types: any\n"
              "min-hsts-age: any\n");
  policy.date = "2026-01-01";
  policy.min_protocol = Protocol::tls1_0;
  policy.max_protocol = Protocol::tls1_2;
  policy.ciphers = {"AES128-SHA", "AES256-SHA"};
  policy.signature_algorithms = {"ed25519", "ed448"};
  policy.server_preference = false;
  policy.security_level = 3;
  policy.min_rsa_bits = 3000;
  policy.certificate_types = {hello::KeyType::ed25519, hello::KeyType::rsa_pss};
  policy.min_hsts_age = Seconds(600);
  policy.note = "Why.";
  expect_text(dump(policy),
              "policy: house\n"
              "source: a.conf:3\n"
              "date: 2026-01-01\n"
              "versions: TLSv1 TLSv1.1 TLSv1.2\n"
              "tls1.3-suite: TLS_AES_128_GCM_SHA256\n"
              "cipher: AES128-SHA\n"
              "cipher: AES256-SHA\n"
              "group: X25519\n"
              "signature-algorithm: ed25519\n"
              "signature-algorithm: ed448\n"
              "preference: client\n"
              "security-level: 3\n"
              "min-rsa-bits: 3000\n"
              "certificate-types: Ed25519 RSA-PSS\n"
              "min-hsts-age: 600s\n"
              "note: Why.\n");
}
END_TEST

START_TEST(settings_are_a_line_a_kind) {
  ServerSettings settings;
  expect_text(dump(settings, "  "),
              "  versions: none\n  TLS 1.3 suites: none\n  ciphers: none\n  groups: none\n"
              "  signature algorithms: none\n  preference: client\n  security level: 1\n");
  settings.protocols = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3);
  settings.suites.resize(1);
  settings.suites[0].name = "TLS_AES_128_GCM_SHA256";
  settings.ciphers.resize(2);
  settings.ciphers[0].name = "A";
  settings.ciphers[1].name = "B";
  settings.groups = {29, 0x1234};
  settings.signature_algorithms = {0x0403};
  settings.server_preference = true;
  hello::CertificateKey key;
  key.bits = 2048;
  settings.keys.push_back(key);
  key.type = hello::KeyType::ecdsa;
  key.curve = 24;
  settings.keys.push_back(key);
  expect_text(dump(settings, ""),
              "versions: TLSv1.2 TLSv1.3\nTLS 1.3 suites: TLS_AES_128_GCM_SHA256\nciphers: A B\n"
              "groups: X25519 0x1234\nsignature algorithms: ecdsa_secp256r1_sha256\n"
              "preference: server\nsecurity level: 1\ncertificate keys: RSA 2048, ECDSA P-384\n");
}
END_TEST

START_TEST(a_difference_is_said_in_the_fields_terms) {
  expect_text(diff(preset("modern"), preset("modern")), "no difference\n");
  expect_text(diff(preset("mozilla-modern@5.7"), preset("mozilla-modern@6.0")),
              "groups added: X25519MLKEM768\n");
  expect_text(diff(preset("mozilla-intermediate@5.7"), preset("mozilla-intermediate@5.8")),
              "ciphers taken away: DHE-RSA-AES128-GCM-SHA256, DHE-RSA-AES256-GCM-SHA384, "
              "DHE-RSA-CHACHA20-POLY1305\ngroups added: X25519MLKEM768\n");
  expect_text(diff(preset("intermediate"), preset("modern")),
              "versions: TLSv1.2 TLSv1.3 -> TLSv1.3\n"
              "ciphers taken away: ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256, "
              "ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, "
              "ECDHE-ECDSA-CHACHA20-POLY1305, ECDHE-RSA-CHACHA20-POLY1305\n"
              "certificate types taken away: RSA\n"
              "Clients without TLS 1.3 are refused: those from before about 2018, such as Internet "
              "Explorer 11, Android 9 and Java 8 before 8u261.\n");
  Policy a = small();
  Policy b = small();
  a.suites = {"TLS_A", "TLS_B", "TLS_C"};
  b.suites = {"TLS_C", "TLS_D", "TLS_A"};
  b.signature_algorithms = {"ed25519"};
  b.server_preference = true;
  b.security_level = 3;
  b.min_hsts_age = Seconds(60);
  expect_text(diff(a, b),
              "TLS 1.3 suites taken away: TLS_B\nTLS 1.3 suites added: TLS_D\n"
              "TLS 1.3 suites in another order: TLS_C, TLS_A\n"
              "signature algorithms: any -> ed25519\n"
              "preference: as SSLHonorCipherOrder says -> server\n"
              "security level: OpenSSL's -> 3\nleast HSTS age: any -> 60s\n");
}
END_TEST

// By the names of two presets.
std::string newly_refused(const char* from, const char* to) {
  return join(newly_cut_off(preset(from), preset(to)), "\n");
}

START_TEST(a_difference_says_whom_it_cuts_off) {
  for (const char* name : {"baseline", "intermediate", "old", "modern", "cnsa-1", "cnsa-2"}) {
    expect_text(newly_refused(name, name), "");
    expect_text(newly_refused(name, "old"), "");
  }
  expect_text(newly_refused("modern", "intermediate"), "");
  expect_text(newly_refused("old", "intermediate"),
              "Clients without TLS 1.2 are refused.\nClients without TLS 1.3 that have no cipher "
              "with forward secrecy and AEAD are refused.");
  expect_contains(newly_refused("intermediate", "baseline"), "TLS_AES_128_GCM_SHA256, which");
  expect_contains(newly_refused("intermediate", "cnsa-1"), "P-256 is not among the groups");
  expect_contains(newly_refused("intermediate", "cnsa-2"), "All groups are post-quantum");
  expect_text(newly_refused("cnsa-2", "cnsa-1"), "");
  expect_contains(explain(preset("cnsa-2")), "All groups are post-quantum");
}
END_TEST

// Two policies differ just where a difference is said.
START_TEST(no_difference_is_overlooked) {
  for (const Policy& a : presets()) {
    for (const Policy& b : presets()) {
      Policy same = b;
      for (auto part :
           {&Policy::name, &Policy::version, &Policy::source, &Policy::date, &Policy::note}) {
        same.*part = a.*part;
      }
      ck_assert_msg((diff(a, b) == "no difference\n") == (same == a), "%s %s", a.id().c_str(),
                    b.id().c_str());
    }
  }
}
END_TEST

START_TEST(an_explanation_says_whom_it_cuts_off) {
  const std::string modern = explain(preset("modern"));
  expect_contains(modern, "Clients without TLS 1.3 are refused");
  expect_contains(modern, "Source: Mozilla Server Side TLS guidelines 6.0, modern (2026-04-06).");
  expect_contains(modern, "HSTS with a max-age of at least 63072000 seconds");
  const std::string baseline = explain(preset("baseline"));
  expect_contains(baseline, "TLS_AES_128_GCM_SHA256, which every TLS 1.3 client has to know");
  expect_contains(baseline, "Every cipher has forward secrecy");
  expect_contains(explain(preset("old")), "Some ciphers have no forward secrecy");
  expect_contains(explain(preset("old")), "TLS 1.0 and 1.1 are deprecated (RFC 8996)");
  expect_contains(explain(preset("cnsa-1")), "P-256 is not among the groups");
  expect_contains(explain(preset("cnsa-2")), "clients without them are refused");
  for (const Policy& each : presets()) {
    const std::string text = explain(each);
    expect_contains(text, each.id());
    expect_contains(text, each.note);
    expect_contains(text, each.source);
    ck_assert(to_lower(text).find("compliant") == std::string::npos);
  }
}
END_TEST

START_TEST(a_digest_tells_settings_apart) {
  ServerSettings settings;
  settings.protocols = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3);
  settings.ciphers.resize(2);
  settings.ciphers[0].id = 0xc02f;
  settings.ciphers[1].id = 0xc030;
  settings.suites.resize(1);
  settings.suites[0].id = 0x1301;
  settings.groups = {29, 23};
  settings.signature_algorithms = {0x0403};
  // Written down once: sessions outlive an upgrade of the module.
  expect_text(settings_digest(settings), "72775080e39648f42a3da310993b7215");
  const std::vector<std::function<void(ServerSettings&)>> changes{
      [](auto& s) { s.protocols.remove(Protocol::tls1_2); },
      [](auto& s) { std::swap(s.ciphers[0], s.ciphers[1]); },
      [](auto& s) { s.ciphers.pop_back(); },
      [](auto& s) { s.suites[0].id = 0x1302; },
      [](auto& s) { s.suites.swap(s.ciphers); },
      [](auto& s) { s.groups.pop_back(); },
      [](auto& s) { std::swap(s.groups[0], s.groups[1]); },
      [](auto& s) { s.signature_algorithms.push_back(0x0503); },
      [](auto& s) { s.security_level = 2; },
      [](auto& s) { s.server_preference = true; },
      [](auto& s) { s.allow_dhe = false; },
      [](auto& s) { s.dh_security_bits = 80; },
      [](auto& s) { s.require_extended_master_secret = true; }};
  std::set<std::string> digests{settings_digest(settings)};
  for (const auto& change : changes) {
    ServerSettings other = settings;
    change(other);
    const std::string digest = settings_digest(other);
    ck_assert_uint_eq(digest.size(), 32);
    ck_assert(std::all_of(digest.begin(), digest.end(),
                          [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }));
    ck_assert_msg(digests.insert(digest).second, "two settings share %s", digest.c_str());
  }
  // Keys, and what a release of OpenSSL calls or counts differently, play no part.
  ServerSettings same = settings;
  same.keys.resize(1);
  same.ciphers[0].name = "another";
  same.ciphers[0].bits = 64;
  expect_text(settings_digest(same), settings_digest(settings));
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* describe_suite() {
  Suite* suite = suite_create("describe");
  TCase* tests = tcase_create("describe");
  tcase_add_test(tests, policy::a_dump_has_every_part);
  tcase_add_test(tests, policy::settings_are_a_line_a_kind);
  tcase_add_test(tests, policy::a_difference_is_said_in_the_fields_terms);
  tcase_add_test(tests, policy::a_difference_says_whom_it_cuts_off);
  tcase_add_test(tests, policy::no_difference_is_overlooked);
  tcase_add_test(tests, policy::an_explanation_says_whom_it_cuts_off);
  tcase_add_test(tests, policy::a_digest_tells_settings_apart);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
