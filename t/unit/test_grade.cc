// SPDX-License-Identifier: Apache-2.0
// A probe's facts held against policies: facts are made by hand here, findings are what counts.
#include "expect.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/text.h"
#include "ctl/grade.h"
#include "ctl/in_force.h"
#include "ctl/suite_table.h"
#include "policy/names.h"

namespace tlsguard::test {
namespace {

using ctl::Facts;
using ctl::Finding;
using ctl::Grade;
using ctl::Preference;
using Kind = Finding::Kind;
using Names = std::vector<std::string>;

policy::Policy policy_named(const char* name) { return value_of(policy::Catalogue{}.find(name)); }

std::vector<std::uint16_t> suites(const Names& names) {
  std::vector<std::uint16_t> ids;
  for (const std::string& name : names) {
    const ctl::Suite* suite = ctl::find_suite(name);
    ck_assert_msg(suite != nullptr, "no suite %s", name.c_str());
    ids.push_back(suite->id);
  }
  return ids;
}

std::vector<std::uint16_t> groups(const Names& names) {
  std::vector<std::uint16_t> ids;
  for (const std::string& name : names) ids.push_back(policy::find_group(name)->id);
  return ids;
}

ctl::CertificateFacts rsa(int bits) {
  ctl::CertificateFacts certificate;
  certificate.type = hello::KeyType::rsa;
  certificate.key = "RSA";
  certificate.bits = bits;
  certificate.signature = "sha256WithRSAEncryption";
  certificate.name_fits = true;
  return certificate;
}

ctl::CertificateFacts ecdsa() {
  ctl::CertificateFacts certificate = rsa(256);
  certificate.type = hello::KeyType::ecdsa;
  certificate.key = "ECDSA P-256";
  certificate.curve = 0x0017;
  return certificate;
}

// What `baseline` leads to on OpenSSL 3.0 with an RSA certificate and HSTS.
Facts strict() {
  Facts facts;
  facts.http_host = "www.example.org";
  facts.versions = {
      {Protocol::ssl3, {}, Preference::unknown, "alert 70 (protocol version)"},
      {Protocol::tls1_0, {}, Preference::unknown, "alert 70 (protocol version)"},
      {Protocol::tls1_1, {}, Preference::unknown, "alert 70 (protocol version)"},
      {Protocol::tls1_2, suites({"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"}),
       Preference::server, ""},
      {Protocol::tls1_3, suites({"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}),
       Preference::server, ""}};
  facts.groups12 = {groups({"X25519", "P-256", "P-384"}), Preference::server};
  facts.groups13 = facts.groups12;
  facts.signatures12 = {0x0804, 0x0401};
  facts.signatures13 = {0x0804};
  facts.certificates = {rsa(2048)};
  facts.secure_renegotiation = true;
  facts.extended_master_secret = true;
  facts.compression = false;
  facts.fallback_scsv = true;
  facts.http = ctl::HttpFacts{200, "", {"max-age=63072000"}};
  return facts;
}

ctl::VersionFacts& version(Facts& facts, Protocol wanted) {
  return *std::find_if(facts.versions.begin(), facts.versions.end(),
                       [wanted](const auto& each) { return each.version == wanted; });
}

// The one finding of this kind about this subject; the test ends if there is none or another.
Finding only(const Grade& grade, Kind kind, const std::string& subject) {
  std::vector<Finding> found;
  for (const Finding& finding : grade.findings) {
    if (finding.kind == kind && finding.subject == subject) found.push_back(finding);
  }
  ck_assert_msg(found.size() == 1, "%zu findings about %s", found.size(), subject.c_str());
  return found.front();
}

void expect_items(const Finding& finding, const Names& wanted) {
  expect_text(join(finding.items, " | "), join(wanted, " | "));
}

// The facts do not fit for this one reason.
void expect_only_trouble(const Facts& facts, const char* policy, Kind kind,
                         const std::string& subject, const std::string& text) {
  Grade grade = ctl::grade(facts, policy_named(policy));
  ck_assert(!grade.fits());
  std::size_t troubles = 0;
  for (const Finding& finding : grade.findings) troubles += finding.fits() ? 0 : 1;
  ck_assert_uint_eq(troubles, 1);
  expect_text(only(grade, kind, subject).text, text);
}

START_TEST(a_strict_server_fits_and_what_it_lacks_is_said) {
  Grade grade = ctl::grade(strict(), policy_named("baseline"));
  ck_assert(grade.fits());
  expect_text(grade.policy, "baseline@1");
  expect_items(only(grade, Kind::lacks, "group"), {"X25519MLKEM768"});
  // ECDSA ciphers are not missed: there is no ECDSA certificate.
  for (const Finding& finding : grade.findings) ck_assert(finding.subject != "cipher");
}
END_TEST

START_TEST(a_server_stricter_than_the_policy_fits) {
  Facts facts = strict();
  version(facts, Protocol::tls1_2).suites.clear();
  facts.groups12 = {};
  facts.signatures12.clear();
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  ck_assert(grade.fits());
  expect_items(only(grade, Kind::lacks, "protocol"), {"TLSv1.2"});
}
END_TEST

START_TEST(old_versions_are_weaker_and_their_ciphers_are_not_listed) {
  Facts facts = strict();
  version(facts, Protocol::tls1_0).suites = suites({"AES128-SHA"});
  expect_only_trouble(facts, "baseline", Kind::weaker, "protocol",
                      "served, while baseline@1 begins at TLSv1.2");
}
END_TEST

START_TEST(ciphers_are_weaker_in_the_terms_of_the_field) {
  struct Case {
    const char* cipher;
    const char* why;
  };
  for (const Case& each :
       {Case{"AES128-GCM-SHA256", "no forward secrecy"}, Case{"ECDHE-RSA-AES128-SHA", "no AEAD"},
        Case{"AES128-SHA", "no forward secrecy, no AEAD"},
        Case{"DES-CBC3-SHA", "no forward secrecy, no AEAD, 112 bits"},
        Case{"AECDH-AES128-SHA", "no authentication, no AEAD"},
        Case{"NULL-SHA256", "no encryption, no forward secrecy"}}) {
    Facts facts = strict();
    version(facts, Protocol::tls1_2).suites.push_back(suites({each.cipher}).front());
    expect_only_trouble(facts, "baseline", Kind::weaker, "cipher", each.why);
  }
}
END_TEST

START_TEST(a_cipher_as_strong_but_not_admitted_is_outside) {
  Facts facts = strict();
  version(facts, Protocol::tls1_2)
      .suites.push_back(suites({"ECDHE-RSA-CHACHA20-POLY1305"}).front());
  expect_only_trouble(facts, "baseline", Kind::outside, "cipher", "not among those of baseline@1");
  version(facts, Protocol::tls1_3).suites.push_back(suites({"TLS_AES_128_GCM_SHA256"}).front());
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  expect_items(only(grade, Kind::outside, "cipher"),
               {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_AES_128_GCM_SHA256"});
}
END_TEST

START_TEST(an_unknown_suite_is_outside) {
  Facts facts = strict();
  version(facts, Protocol::tls1_2).suites.push_back(0xfafa);
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  expect_items(only(grade, Kind::outside, "cipher"), {"0xfafa"});
}
END_TEST

START_TEST(a_policy_is_held_against_what_it_ends_with_too) {
  policy::Policy only12 = policy_named("baseline");
  only12.max_protocol = Protocol::tls1_2;
  Grade grade = ctl::grade(strict(), only12);
  ck_assert(!grade.fits());
  expect_text(only(grade, Kind::outside, "protocol").text,
              "served, while baseline@1 ends at TLSv1.2");
}
END_TEST

START_TEST(groups_weaker_and_outside) {
  Facts facts = strict();
  facts.groups12.groups.push_back(groups({"secp224r1"}).front());
  expect_only_trouble(facts, "baseline", Kind::weaker, "group", "less than 128 bits");
  facts = strict();
  facts.groups13.groups.push_back(groups({"P-521"}).front());
  expect_only_trouble(facts, "baseline", Kind::outside, "group", "not among those of baseline@1");
  facts = strict();
  facts.groups13.groups.push_back(0x0a0a);
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  expect_items(only(grade, Kind::outside, "group"), {"0x0a0a"});
}
END_TEST

START_TEST(small_dh_primes_are_weaker) {
  policy::Policy dhe = policy_named("mozilla-intermediate@5.7");
  Facts facts = strict();
  facts.dh_bits = 1024;
  expect_text(only(ctl::grade(facts, dhe), Kind::weaker, "group").text,
              "a prime of 1024 bits; RFC 9325 4.1 asks for 2048");
  facts.dh_bits = 2048;
  expect_text(only(ctl::grade(facts, dhe), Kind::weaker, "group").text,
              "a prime of 2048 bits, 112 bits of strength, less than 128");
  facts.dh_bits = 3072;
  for (const Finding& finding : ctl::grade(facts, dhe).findings) {
    ck_assert(finding.kind != Kind::weaker);
  }
}
END_TEST

START_TEST(signature_algorithms_count_where_the_policy_lists_them) {
  Facts facts = strict();
  facts.signatures12.push_back(0x0201);  // rsa_pkcs1_sha1
  Grade lenient = ctl::grade(facts, policy_named("baseline"));
  ck_assert(lenient.fits());
  expect_items(only(lenient, Kind::note, "signature"), {"rsa_pkcs1_sha1"});
  Grade listed = ctl::grade(facts, policy_named("nist-sp800-52-aead"));
  expect_text(only(listed, Kind::weaker, "signature").text, "160 bits of hash");
  facts = strict();
  facts.signatures12.push_back(0x0807);  // ed25519
  expect_text(
      only(ctl::grade(facts, policy_named("nist-sp800-52-aead")), Kind::outside, "signature").text,
      "not among those of nist-sp800-52-aead@r2");
}
END_TEST

START_TEST(certificates_are_held_against_key_size_and_type) {
  Facts facts = strict();
  facts.certificates = {rsa(1024)};
  expect_only_trouble(facts, "baseline", Kind::weaker, "certificate",
                      "baseline@1 expects an RSA key of 2048 bits or more");
  facts = strict();
  version(facts, Protocol::tls1_2).suites.clear();
  version(facts, Protocol::tls1_3).suites = suites({"TLS_AES_128_GCM_SHA256"});
  expect_only_trouble(facts, "modern", Kind::expected, "certificate",
                      "mozilla-modern@6.0 expects a key of type ECDSA");
  facts.certificates = {ecdsa()};
  ck_assert(ctl::grade(facts, policy_named("modern")).fits());
}
END_TEST

START_TEST(dates_and_signatures_of_certificates) {
  Facts facts = strict();
  facts.certificates.front().expired = true;
  facts.certificates.front().not_after = "2026-01-01T00:00:00Z";
  expect_only_trouble(facts, "baseline", Kind::weaker, "certificate",
                      "expired on 2026-01-01T00:00:00Z");
  facts = strict();
  facts.certificates.front().not_yet_valid = true;
  facts.certificates.front().not_before = "2036-01-01T00:00:00Z";
  expect_only_trouble(facts, "baseline", Kind::weaker, "certificate",
                      "not valid before 2036-01-01T00:00:00Z");
  facts = strict();
  facts.certificates.front().signature = "sha1WithRSAEncryption";
  expect_only_trouble(facts, "baseline", Kind::weaker, "certificate",
                      "signed with sha1WithRSAEncryption");
  facts.certificates.front().self_signed = true;  // such a signature proves nothing anyway
  ck_assert(ctl::grade(facts, policy_named("baseline")).fits());
}
END_TEST

START_TEST(name_and_trust_are_notes) {
  Facts facts = strict();
  facts.certificates.front().name_fits = false;
  facts.certificates.front().trust = "self-signed certificate";
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  ck_assert(grade.fits());
  Names texts;
  for (const Finding& finding : grade.findings) {
    if (finding.kind == Kind::note) texts.push_back(finding.text);
  }
  expect_text(join(texts, "; "),
              "not for the name asked for; not trusted by this system: self-signed certificate");
}
END_TEST

START_TEST(hsts_is_expected_where_the_policy_says_so) {
  struct Case {
    Names fields;
    const char* text;
  };
  for (const Case& each :
       {Case{{}, "no Strict-Transport-Security field; baseline@1 expects max-age=63072000 or more"},
        Case{{"max-age=300"}, "too short; baseline@1 expects max-age=63072000 or more"},
        Case{{"max-age=63072000", "max-age=63072000"},
             "2 Strict-Transport-Security fields; RFC 6797 7.1 allows one"},
        Case{{"includeSubDomains"}, "browsers ignore it: max-age is missing"}}) {
    Facts facts = strict();
    facts.http->hsts = each.fields;
    expect_only_trouble(facts, "baseline", Kind::expected, "hsts", each.text);
    ck_assert(ctl::grade(facts, policy_named("rfc9325")).findings.size() > 0);
  }
  Facts facts = strict();
  facts.http->hsts = {"max-age=63072001; includeSubDomains; preload"};
  ck_assert(ctl::grade(facts, policy_named("baseline")).fits());
}
END_TEST

START_TEST(hsts_is_not_judged_without_http_or_for_an_address) {
  Facts facts = strict();
  facts.http.reset();
  facts.notes = {"it does not answer HTTP over TLS"};
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  ck_assert(grade.fits());
  expect_text(only(grade, Kind::note, "probe").text, "it does not answer HTTP over TLS");
  facts = strict();
  facts.http_host = "192.0.2.1";
  facts.http->hsts.clear();
  grade = ctl::grade(facts, policy_named("baseline"));
  ck_assert(grade.fits());
  expect_contains(only(grade, Kind::note, "hsts").text, "RFC 6797 8.1.1");
}
END_TEST

START_TEST(the_handshake_itself) {
  Facts facts = strict();
  facts.compression = true;
  expect_only_trouble(facts, "baseline", Kind::weaker, "handshake",
                      "TLS compression (RFC 3749; RFC 9325 3.3)");
  facts = strict();
  facts.secure_renegotiation = false;
  expect_only_trouble(facts, "baseline", Kind::weaker, "handshake",
                      "no secure renegotiation (RFC 5746)");
  facts = strict();
  facts.extended_master_secret = false;
  ck_assert(ctl::grade(facts, policy_named("baseline")).fits());
}
END_TEST

START_TEST(the_port_in_clear_redirects_or_refuses) {
  Facts facts = strict();
  facts.plain = ctl::HttpFacts{301, "https://www.example.org/", {}};
  ck_assert(ctl::grade(facts, policy_named("baseline")).fits());
  facts.plain = ctl::HttpFacts{403, "", {}};
  ck_assert(ctl::grade(facts, policy_named("baseline")).fits());
  facts.plain = ctl::HttpFacts{200, "", {}};
  expect_only_trouble(facts, "baseline", Kind::weaker, "redirect",
                      "answers 200 in clear, with no redirect to https");
  facts.plain = ctl::HttpFacts{301, "http://www.example.org/x", {}};
  ck_assert(!ctl::grade(facts, policy_named("baseline")).fits());
  facts.plain = ctl::HttpFacts{301, "https://www.example.org/", {"max-age=1"}};
  expect_only_trouble(facts, "baseline", Kind::weaker, "hsts",
                      "sent in clear, which RFC 6797 7.2 forbids");
}
END_TEST

START_TEST(a_server_that_refuses_everything_does_not_fit) {
  Facts facts = strict();
  for (auto& each : facts.versions) each = {each.version, {}, Preference::unknown, "alert 112"};
  facts.groups12 = facts.groups13 = {};
  facts.certificates.clear();
  facts.http.reset();
  expect_only_trouble(facts, "baseline", Kind::expected, "protocol",
                      "no version could be negotiated");
}
END_TEST

START_TEST(the_worst_comes_first) {
  Facts facts = strict();
  facts.http->hsts.clear();
  version(facts, Protocol::tls1_2).suites = suites({"AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305"});
  Grade grade = ctl::grade(facts, policy_named("baseline"));
  ck_assert(std::is_sorted(grade.findings.begin(), grade.findings.end(),
                           [](const auto& a, const auto& b) { return a.kind < b.kind; }));
  ck_assert(grade.findings.front().kind == Kind::weaker);
}
END_TEST

START_TEST(the_policy_in_force_on_a_virtual_host) {
  live::RuntimeHost host;
  host.policy = "mozilla-old@5.7";
  ck_assert(value_of(ctl::policy_in_force(host)) == policy_named("mozilla-old@5.7"));
  host.policy = "house";
  expect_contains(error_of(ctl::policy_in_force(host)), "'house' is not one of this release");
  host.own_policy = policy_named("modern");
  host.own_policy->name = "house";
  ck_assert(value_of(ctl::policy_in_force(host)) == *host.own_policy);
}
END_TEST

}  // namespace

Suite* grade_suite() {
  Suite* suite = suite_create("grade");
  TCase* tests = tcase_create("grade");
  tcase_add_test(tests, a_strict_server_fits_and_what_it_lacks_is_said);
  tcase_add_test(tests, a_server_stricter_than_the_policy_fits);
  tcase_add_test(tests, old_versions_are_weaker_and_their_ciphers_are_not_listed);
  tcase_add_test(tests, ciphers_are_weaker_in_the_terms_of_the_field);
  tcase_add_test(tests, a_cipher_as_strong_but_not_admitted_is_outside);
  tcase_add_test(tests, an_unknown_suite_is_outside);
  tcase_add_test(tests, a_policy_is_held_against_what_it_ends_with_too);
  tcase_add_test(tests, groups_weaker_and_outside);
  tcase_add_test(tests, small_dh_primes_are_weaker);
  tcase_add_test(tests, signature_algorithms_count_where_the_policy_lists_them);
  tcase_add_test(tests, certificates_are_held_against_key_size_and_type);
  tcase_add_test(tests, dates_and_signatures_of_certificates);
  tcase_add_test(tests, name_and_trust_are_notes);
  tcase_add_test(tests, hsts_is_expected_where_the_policy_says_so);
  tcase_add_test(tests, hsts_is_not_judged_without_http_or_for_an_address);
  tcase_add_test(tests, the_handshake_itself);
  tcase_add_test(tests, the_port_in_clear_redirects_or_refuses);
  tcase_add_test(tests, a_server_that_refuses_everything_does_not_fit);
  tcase_add_test(tests, the_worst_comes_first);
  tcase_add_test(tests, the_policy_in_force_on_a_virtual_host);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
