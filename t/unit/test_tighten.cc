// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <openssl/err.h>

#include <algorithm>

#include "policy/context.h"
#include "policy/library.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using hello::CertificateKey;
using hello::KeyType;
using test::error_of;
using test::expect_contains;
using test::expect_text;
using test::value_of;
using Kind = Note::Kind;
using Names = std::vector<std::string>;

Policy preset(const std::string& name) { return value_of(Catalogue().find(name)); }

SslDirectives ciphers(const std::string& list) {
  SslDirectives directives;
  directives.cipher_suite = list;
  return directives;
}

SslDirectives versions(Protocol min, Protocol max) {
  SslDirectives directives;
  directives.protocols = ProtocolSet::range(min, max);
  return directives;
}

SslDirectives groups(const std::string& list) {
  SslDirectives directives;
  directives.conf_cmds = {{"Groups", list}};
  return directives;
}

Outcome outcome(const SslDirectives& directives, const Policy& policy,
                const std::vector<CertificateKey>& keys = {}) {
  Outcome result = value_of(outcome_under(directives, keys, policy));
  ck_assert_uint_eq(ERR_peek_error(), 0);
  return result;
}

// The notes of a kind, one a line.
std::string notes(const Outcome& outcome, Kind kind) {
  std::string text;
  for (const Note& note : outcome.notes) {
    if (note.kind == kind) text += note.text + "\n";
  }
  return text;
}

std::string all_ciphers(const Outcome& outcome) {
  return enumerate(cipher_names(outcome.settings.ciphers));
}

bool lacks(const char* group) { return !capabilities()->has(*find_group(group)); }

START_TEST(the_result_is_in_the_policys_order) {
  SslDirectives directives =
      ciphers("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA");
  directives.conf_cmds = {{"Groups", "P-384:P-256:X25519:X448"}};
  const Outcome both = outcome(directives, preset("baseline"));
  expect_text(all_ciphers(both), "ECDHE-RSA-AES256-GCM-SHA384, ECDHE-RSA-AES128-GCM-SHA256");
  expect_text(enumerate(cipher_names(both.settings.suites)),
              "TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256");
  expect_text(enumerate(group_names(both.settings.groups)), "X25519, P-256, P-384");
  expect_text(version_names(both.settings.protocols), "TLSv1.2 TLSv1.3");
}
END_TEST

START_TEST(preference_is_the_policys_if_it_has_one) {
  for (const bool written : {false, true}) {
    SslDirectives directives;
    directives.honor_cipher_order = written;
    ck_assert(outcome(directives, preset("baseline")).settings.server_preference);
    ck_assert(!outcome(directives, preset("modern")).settings.server_preference);
    Policy policy = preset("baseline");
    policy.server_preference.reset();
    ck_assert(outcome(directives, policy).settings.server_preference == written);
  }
}
END_TEST

START_TEST(signature_algorithms_stay_where_the_policy_has_none) {
  SslDirectives directives;
  directives.conf_cmds = {{"SignatureAlgorithms", "RSA+SHA512:ECDSA+SHA256:RSA+SHA256"}};
  expect_text(enumerate(signature_algorithm_names(
                  outcome(directives, preset("baseline")).settings.signature_algorithms)),
              "rsa_pkcs1_sha512, ecdsa_secp256r1_sha256, rsa_pkcs1_sha256");
  expect_text(enumerate(signature_algorithm_names(
                  outcome(directives, preset("fips")).settings.signature_algorithms)),
              "ecdsa_secp256r1_sha256, rsa_pkcs1_sha256, rsa_pkcs1_sha512");
}
END_TEST

START_TEST(nothing_in_common_is_an_error_that_names_both_sides) {
  using enum Protocol;
  expect_text(error_of(outcome_under(versions(tls1_2, tls1_2), {}, preset("modern"))),
              "no protocol version in common: policy mozilla-modern@6.0 allows TLSv1.3; mod_ssl's "
              "configuration allows TLSv1.2");
  SslDirectives directives = versions(tls1_2, tls1_2);
  directives.cipher_suite = "AES128-SHA:AES256-SHA";
  expect_text(error_of(outcome_under(directives, {}, preset("cnsa-1"))),
              "no cipher for a common version in common: policy cnsa-1@rfc9151 allows "
              "ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, TLS_AES_256_GCM_SHA384; "
              "mod_ssl's configuration allows AES128-SHA, AES256-SHA");
  expect_text(error_of(outcome_under(groups("X448:P-521"), {}, preset("baseline"))),
              "no group in common: policy baseline@1 allows X25519MLKEM768, X25519, P-256, P-384; "
              "mod_ssl's configuration allows X448, P-521");
  directives = {};
  directives.conf_cmds = {{"SignatureAlgorithms", "ed25519"}};
  expect_contains(error_of(outcome_under(directives, {}, preset("cnsa-1"))),
                  "no signature algorithm in common: policy cnsa-1@rfc9151 allows "
                  "ecdsa_secp384r1_sha384, rsa_pss_pss_sha384, rsa_pss_rsae_sha384, "
                  "rsa_pkcs1_sha384; mod_ssl's configuration allows ed25519");
  ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(where_openssl_lacks_everything_mod_ssl_is_not_blamed) {
  Policy policy = preset("baseline");
  policy.groups = {"X25519Kyber768Draft00", "GC512C"};
  expect_contains(error_of(outcome_under({}, {}, policy)),
                  "has no group of policy baseline@1: it lacks X25519Kyber768Draft00, GC512C");
  policy = preset("baseline");
  policy.signature_algorithms = {"sm2sig_sm3"};
  if (!capabilities()->has(*find_signature_algorithm("sm2sig_sm3"))) {
    expect_contains(error_of(outcome_under({}, {}, policy)),
                    "has no signature algorithm of policy baseline@1: it lacks sm2sig_sm3");
  }
}
END_TEST

START_TEST(tls12_without_a_cipher_is_dropped) {
  const Outcome both = outcome(ciphers("AES128-SHA:AES256-SHA"), preset("baseline"));
  expect_text(version_names(both.settings.protocols), "TLSv1.3");
  ck_assert(both.settings.ciphers.empty());
  expect_contains(notes(both, Kind::warning),
                  "TLSv1.2 is off: SSLCipherSuite has no cipher of policy baseline@1 for it: add "
                  "one of ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, ");
  Policy own = preset("modern");
  own.min_protocol = Protocol::tls1_2;
  expect_contains(notes(outcome({}, own), Kind::warning),
                  "TLSv1.2 is off: policy mozilla-modern@6.0 has no cipher for it");
}
END_TEST

START_TEST(tls13_without_a_suite_a_group_or_a_signature_is_dropped) {
  SslDirectives suites;
  suites.tls13_cipher_suite = "TLS_AES_128_GCM_SHA256";
  Outcome both = outcome(suites, preset("baseline"));
  expect_text(version_names(both.settings.protocols), "TLSv1.2");
  ck_assert(both.settings.suites.empty());
  expect_contains(notes(both, Kind::warning),
                  "TLSv1.3 is off: SSLCipherSuite TLSv1.3 has no cipher of policy baseline@1 for "
                  "it: add one of TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256");

  Policy policy = preset("baseline");
  policy.groups = {"brainpoolP256r1"};
  both = outcome(groups("brainpoolP256r1:P-256"), policy);
  expect_text(version_names(both.settings.protocols), "TLSv1.2");
  expect_contains(notes(both, Kind::warning), "TLSv1.3 is off: none of the groups of policy");

  policy = preset("baseline");
  policy.signature_algorithms = {"rsa_pkcs1_sha256"};
  both = outcome({}, policy);
  expect_text(version_names(both.settings.protocols), "TLSv1.2");
  expect_contains(notes(both, Kind::warning),
                  "TLSv1.3 is off: none of the signature algorithms of policy");
}
END_TEST

// ffdhe groups are for TLS 1.3 only: ECDHE ciphers go with the last curve, DHE ones stay.
START_TEST(ciphers_without_a_group_are_dropped) {
  Policy policy = preset("mozilla-intermediate@5.7");
  policy.groups = {"ffdhe2048"};
  const Outcome both = outcome({}, policy);
  expect_text(all_ciphers(both),
              "DHE-RSA-AES128-GCM-SHA256, DHE-RSA-AES256-GCM-SHA384, DHE-RSA-CHACHA20-POLY1305");
  expect_text(version_names(both.settings.protocols), "TLSv1.2 TLSv1.3");
  expect_contains(notes(both, Kind::overridden),
                  "no group is left for ciphers: ECDHE-ECDSA-AES128-GCM-SHA256");
  policy.ciphers = {"ECDHE-RSA-AES128-GCM-SHA256"};
  const Outcome tls13 = outcome({}, policy);
  expect_text(version_names(tls13.settings.protocols), "TLSv1.3");
  expect_contains(notes(tls13, Kind::warning), "TLSv1.2 is off: none of the groups of policy");
}
END_TEST

START_TEST(what_openssl_lacks_is_left_out_and_said) {
  const Outcome both = outcome(ciphers("ALL:@SECLEVEL=0"), preset("old"));
  if (capabilities()->cipher("DES-CBC3-SHA") == nullptr) {
    expect_contains(notes(both, Kind::left_out), "lacks ciphers: DES-CBC3-SHA\n");
  }
  if (lacks("X25519MLKEM768")) {
    expect_contains(notes(both, Kind::left_out), "lacks groups: X25519MLKEM768\n");
  }
  expect_text(version_names(both.settings.protocols), "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
  expect_text(notes(both, Kind::warning), "");
}
END_TEST

START_TEST(a_version_below_the_security_level_is_warned_of) {
  const std::string level = std::to_string(capabilities()->default_security_level);
  const std::string text =
      "TLSv1 TLSv1.1, which policy mozilla-old@5.8 allows, cannot be reached "
      "at security level " +
      level + ": if clients need it, write ";
  expect_contains(notes(outcome({}, preset("old")), Kind::warning),
                  text + "SSLCipherSuite DEFAULT:@SECLEVEL=0\n");
  expect_contains(
      notes(outcome(ciphers("HIGH:!aNULL:!aNULL:!eNULL:!EXP"), preset("old")), Kind::warning),
      text + "SSLCipherSuite HIGH:!aNULL:@SECLEVEL=0\n");
}
END_TEST

START_TEST(a_version_that_is_switched_off_is_warned_of_with_its_directive) {
  using enum Protocol;
  expect_contains(notes(outcome(versions(tls1_3, tls1_3), preset("baseline")), Kind::warning),
                  "TLSv1.2, which policy baseline@1 allows, is off by SSLProtocol: if clients need "
                  "it, write SSLProtocol with +TLSv1.2\n");
  SslDirectives directives;
  directives.conf_cmds = {{"MinProtocol", "TLSv1.3"}};
  expect_contains(notes(outcome(directives, preset("baseline")), Kind::warning),
                  "is off by SSLOpenSSLConfCmd MinProtocol: if clients need it, write "
                  "SSLOpenSSLConfCmd MinProtocol TLSv1.2");
  directives.conf_cmds = {{"Protocol", "-TLSv1.2"}};
  expect_contains(notes(outcome(directives, preset("baseline")), Kind::warning),
                  "is off by SSLOpenSSLConfCmd Protocol: if clients need it, write "
                  "SSLOpenSSLConfCmd Protocol +TLSv1.2");
  directives.conf_cmds.clear();
  directives.protocols.emplace();
  for (Protocol each : {tls1_1, tls1_3}) directives.protocols->add(each);
  Policy wide = preset("baseline");
  wide.min_protocol = tls1_1;
  expect_contains(notes(outcome(directives, wide), Kind::warning),
                  "TLSv1.1, which policy baseline@1 allows, is off by a gap in SSLProtocol");
  // A policy that does not allow the version does not miss it.
  expect_text(notes(outcome(versions(tls1_3, tls1_3), preset("modern")), Kind::warning), "");
}
END_TEST

START_TEST(what_mod_ssls_lists_lack_is_said_with_their_directive) {
  Outcome both = outcome(ciphers("ECDHE+AES256"), preset("baseline"));
  expect_contains(notes(both, Kind::overridden),
                  "SSLCipherSuite does not have ciphers of policy baseline@1: "
                  "ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256\n");
  both = outcome({}, preset("bsi-tr-02102-2"));
  expect_contains(notes(both, Kind::overridden),
                  "mod_ssl's default cipher list does not have ciphers of policy "
                  "bsi-tr-02102-2@2025-01: ECDHE-ECDSA-AES128-CCM, ");
  both = outcome(groups("P-256"), preset("baseline"));
  expect_contains(notes(both, Kind::overridden),
                  "SSLOpenSSLConfCmd Groups does not have groups of policy baseline@1: ");
  SslDirectives curve;
  curve.certificate_curve = "secp384r1";
  expect_contains(notes(outcome(curve, preset("baseline")), Kind::overridden),
                  "the EC PARAMETERS block in SSLCertificateFile does not have groups of policy");
  SslDirectives level = ciphers("ALL:@SECLEVEL=4");
  expect_contains(notes(outcome(level, preset("baseline")), Kind::left_out),
                  "security level 4 rules out ciphers: ECDHE-ECDSA-AES128-GCM-SHA256, ");
  expect_contains(notes(outcome(level, preset("baseline")), Kind::left_out),
                  "security level 4 rules out groups: X25519, P-256\n");
}
END_TEST

START_TEST(what_the_policy_takes_from_written_directives_is_said) {
  SslDirectives directives = ciphers("ECDHE+AESGCM:AES128-SHA:@SECLEVEL=0");
  directives.protocols = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);
  directives.honor_cipher_order = true;
  directives.conf_cmds = {{"Groups", "X25519:X448"}, {"SignatureAlgorithms", "RSA+SHA256:ed25519"}};
  Policy policy = preset("intermediate");
  policy.signature_algorithms = {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"};
  policy.suites = {"TLS_AES_128_GCM_SHA256"};
  const std::string text = notes(outcome(directives, policy), Kind::overridden);
  const std::string takes = "policy mozilla-intermediate@6.0 takes away from ";
  expect_contains(text, takes + "SSLProtocol: TLSv1 TLSv1.1\n");
  expect_contains(text, takes + "SSLCipherSuite: AES128-SHA\n");
  expect_contains(text, takes + "SSLOpenSSLConfCmd Groups: X448\n");
  expect_contains(text, takes + "SSLOpenSSLConfCmd SignatureAlgorithms: ed25519\n");
  expect_contains(text, "SSLHonorCipherOrder on gives way to policy mozilla-intermediate@6.0");
  // What nobody wrote is not missed.
  ck_assert(text.find("SSLCipherSuite TLSv1.3") == std::string::npos);
  expect_text(notes(outcome({}, preset("baseline")), Kind::overridden), "");
}
END_TEST

START_TEST(a_policy_may_raise_the_security_level) {
  Settings settings;
  settings.cipher_suite = "ECDHE+AESGCM:@SECLEVEL=4";
  const Policy policy = value_of(with_settings(preset("baseline"), settings));
  const Outcome both = outcome({}, policy);
  ck_assert_int_eq(both.settings.security_level, 4);
  expect_text(all_ciphers(both), "ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384");
  expect_text(enumerate(group_names(both.settings.groups)),
              lacks("X25519MLKEM768") ? "P-384" : "X25519MLKEM768, P-384");
  Policy own_level = policy;
  own_level.min_protocol = Protocol::tls1_0;
  expect_contains(notes(outcome(ciphers("ALL:@SECLEVEL=0"), own_level), Kind::warning),
                  "cannot be reached at security level 4: if clients need it, take @SECLEVEL=4 out "
                  "of TLSGuardCipherSuite");
  // One that the context has is not lowered.
  Policy low = preset("baseline");
  low.security_level = 1;
  ck_assert_int_eq(outcome(ciphers("ALL:@SECLEVEL=3"), low).settings.security_level, 3);
}
END_TEST

START_TEST(groups_are_for_the_connection_and_not_set_on_the_context) {
  const crypto::SslCtx ctx = value_of(build_scratch({}));
  const hello::ServerSettings before = value_of(read_back(ctx.get()));
  const Outcome both = value_of(tighten(ctx.get(), before, preset("cnsa-1")));
  expect_text(enumerate(group_names(both.settings.groups)), "P-384");
  ck_assert(value_of(read_back(ctx.get())).groups == before.groups);
}
END_TEST

START_TEST(a_mode_of_openssl_that_cannot_be_narrowed_is_an_error) {
  Policy policy = preset("fips");
  policy.ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384"};
  expect_contains(error_of(outcome_under(ciphers("SUITEB128"), {}, policy)), "SUITEB");
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* tighten_suite() {
  Suite* suite = suite_create("tighten");
  TCase* tests = tcase_create("tighten");
  tcase_add_test(tests, policy::the_result_is_in_the_policys_order);
  tcase_add_test(tests, policy::preference_is_the_policys_if_it_has_one);
  tcase_add_test(tests, policy::signature_algorithms_stay_where_the_policy_has_none);
  tcase_add_test(tests, policy::nothing_in_common_is_an_error_that_names_both_sides);
  tcase_add_test(tests, policy::where_openssl_lacks_everything_mod_ssl_is_not_blamed);
  tcase_add_test(tests, policy::tls12_without_a_cipher_is_dropped);
  tcase_add_test(tests, policy::tls13_without_a_suite_a_group_or_a_signature_is_dropped);
  tcase_add_test(tests, policy::ciphers_without_a_group_are_dropped);
  tcase_add_test(tests, policy::what_openssl_lacks_is_left_out_and_said);
  tcase_add_test(tests, policy::a_version_below_the_security_level_is_warned_of);
  tcase_add_test(tests, policy::a_version_that_is_switched_off_is_warned_of_with_its_directive);
  tcase_add_test(tests, policy::what_mod_ssls_lists_lack_is_said_with_their_directive);
  tcase_add_test(tests, policy::what_the_policy_takes_from_written_directives_is_said);
  tcase_add_test(tests, policy::a_policy_may_raise_the_security_level);
  tcase_add_test(tests, policy::groups_are_for_the_connection_and_not_set_on_the_context);
  tcase_add_test(tests, policy::a_mode_of_openssl_that_cannot_be_narrowed_is_an_error);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
