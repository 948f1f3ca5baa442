// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <openssl/err.h>

#include <algorithm>

#include "policy/library.h"
#include "policy/policy.h"

namespace tlsguard::policy {
namespace {

using test::error_of;
using test::expect_contains;
using test::expect_text;
using test::value_of;
using Names = std::vector<std::string>;

Policy base() { return value_of(Catalogue().find("baseline")); }

Policy with_ciphers(const std::string& spec) {
  Settings settings;
  settings.cipher_suite = spec;
  return value_of(with_settings(base(), settings));
}

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void accept(const Result<void>& result, const std::string& what) {
  ck_assert_msg(result.has_value(), "%s: %s", what.c_str(),
                result ? "" : result.error().text.c_str());
  ck_assert_msg(ERR_peek_error() == 0, "%s leaves an error in OpenSSL's queue", what.c_str());
}

START_TEST(cipher_strings_of_the_world_are_accepted) {
  for (const char* spec :
       {"ECDHE+AESGCM", "HIGH:!aNULL", "HIGH:!aNULL:!MD5:!3DES:!CAMELLIA:!AES128", "DEFAULT",
        "DEFAULT:!EXPORT:!LOW:-RC4:@STRENGTH", "DEFAULT@SECLEVEL=2", "ALL:!NOSUCHCIPHER:-NONESUCH",
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256 AES128-SHA",
        "EECDH+AESGCM:EDH+AESGCM,kEDH", "ECDH+aRSA+AES256;AES!MD5", "TLSv1.2:!PSK:!SRP:!DSS",
        // Weak ciphers that most builds of OpenSSL 3 are without.
        "AES128-SHA:DES-CBC3-SHA", "RC4-SHA:ECDHE+AESGCM", "EXPORT:LOW:HIGH", "RC4:HIGH",
        "ECDHE-RSA-AES128-SHA:EDH-RSA-DES-CBC3-SHA", "DES-CBC3-SHA"}) {
    accept(check_cipher_suite(spec), spec);
  }
}
END_TEST

START_TEST(a_cipher_nobody_knows_is_an_error) {
  struct Case {
    const char* spec;
    const char* says;
  };
  for (const Case& each : {
           Case{"ECDHE-RSA-AES128-GCM-SHA265",
                "unknown cipher 'ECDHE-RSA-AES128-GCM-SHA265' (did "
                "you mean ECDHE-RSA-AES128-GCM-SHA256?)"},
           Case{"HIGH:NOPE", "unknown cipher 'NOPE'"},
           Case{"ECDHE+AESGCN", "unknown cipher 'AESGCN' (did you mean AESGCM?)"},
           Case{"high", "unknown cipher 'high' (did you mean HIGH?)"},
           Case{"+NOPE:HIGH", "unknown cipher 'NOPE'"},
           Case{"HIGH:DEFAULT", "'DEFAULT' may only stand at the beginning"},
           Case{"DEFAULTS", "unknown cipher 'DEFAULTS'"},
           Case{"SUITEB128", "'SUITEB128' is a mode of OpenSSL, not a cipher list"},
           Case{"TLS_AES_128_GCM_SHA256", "'TLS_AES_128_GCM_SHA256' is a suite of TLS 1.3"},
           Case{"HIGH:@FOO", "unknown command '@FOO': valid are @STRENGTH and @SECLEVEL=n"},
           Case{"HIGH:@SECLEVEL=9", "unknown command '@SECLEVEL=9'"},
           Case{"HIGH:@SECLEVEL=", "unknown command '@SECLEVEL='"},
           Case{"AES^MD5", "'^' is not part of a cipher string"},
           Case{"HIGH:!", "'!' is not part of a cipher string"},
           Case{"AES+:HIGH", "'AES+:' is not part of a cipher string"},
           Case{"", "'' selects no cipher"},
           Case{":::", "':::' selects no cipher"},
           Case{"ECDHE+AESGCM:!AESGCM", "selects no cipher"},
           Case{"aNULL", "'aNULL' selects no cipher"},
       }) {
    expect_contains(error_of(check_cipher_suite(each.spec)), each.says);
    ck_assert_uint_eq(ERR_peek_error(), 0);
  }
}
END_TEST

START_TEST(the_security_level_may_not_be_lowered) {
  const int level = capabilities()->default_security_level;
  ck_assert_int_ge(level, 1);
  const std::string at = "HIGH:@SECLEVEL=";
  const std::string text = error_of(check_cipher_suite(at + std::to_string(level - 1)));
  expect_contains(text, "'@SECLEVEL=" + std::to_string(level - 1) + "' lowers the security level");
  expect_contains(text, "SSLCipherSuite");
  accept(check_cipher_suite(at + std::to_string(level)), "same level");
  accept(check_cipher_suite(at + "4"), "higher level");
  ck_assert(with_ciphers(at + "4").security_level == 4);
  ck_assert(with_ciphers("HIGH:@SECLEVEL=4:@SECLEVEL=3").security_level == 4);
  ck_assert(!with_ciphers("HIGH").security_level.has_value());
}
END_TEST

START_TEST(a_cipher_string_becomes_names_in_openssls_order) {
  const Policy policy = with_ciphers("ECDHE+CHACHA20:ECDHE+AESGCM:!ECDSA");
  ck_assert((policy.ciphers == Names{"ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-GCM-SHA384",
                                     "ECDHE-RSA-AES128-GCM-SHA256"}));
  expect_text(policy.id(), "baseline@1+");
  // IANA's names, whatever the release of OpenSSL does with them.
  ck_assert((with_ciphers("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:AES128-SHA").ciphers ==
             Names{"ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"}));
  // Nobody can connect with these, so no policy is said to allow them.
  for (const std::string& name : with_ciphers("ALL:COMPLEMENTOFALL").ciphers) {
    for (const char* part : {"PSK", "SRP", "ADH-", "AECDH-", "NULL", "TLS_"}) {
      ck_assert_msg(name.find(part) == std::string::npos, "%s", name.c_str());
    }
  }
}
END_TEST

START_TEST(a_cipher_that_this_openssl_lacks_is_kept_to_be_reported) {
  ck_assert_msg(capabilities()->cipher("KRB5-RC4-SHA") == nullptr, "Kerberos is back?");
  ck_assert(
      (with_ciphers("KRB5-RC4-SHA:AES128-SHA").ciphers == Names{"AES128-SHA", "KRB5-RC4-SHA"}));
  ck_assert((with_ciphers("KRB5-RC4-SHA").ciphers == Names{"KRB5-RC4-SHA"}));
  for (const char* spec : {"KRB5-RC4-SHA:AES128-SHA:!RC4", "KRB5-RC4-SHA:AES128-SHA:-KRB5",
                           "AES128-SHA:!KRB5-RC4-SHA", "KRB5-RC4-SHA:AES128-SHA:!RC4+KRB5"}) {
    ck_assert_msg((with_ciphers(spec).ciphers == Names{"AES128-SHA"}), "%s", spec);
  }
  ck_assert(
      has(with_ciphers("EXP-EDH-RSA-DES-CBC-SHA:HIGH:!3DES").ciphers, "EXP-EDH-RSA-DES-CBC-SHA"));
  ck_assert(
      !has(with_ciphers("EXP-EDH-RSA-DES-CBC-SHA:HIGH:!DES").ciphers, "EXP-EDH-RSA-DES-CBC-SHA"));
}
END_TEST

START_TEST(tls13_suites_are_iana_names) {
  accept(check_tls13_cipher_suite("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"), "two");
  accept(check_tls13_cipher_suite("tls_aes_128_gcm_sha256"), "small letters");
  accept(check_tls13_cipher_suite("TLS_SM4_GCM_SM3"), "one that this OpenSSL lacks");
  expect_contains(error_of(check_tls13_cipher_suite("TLS_AES_128_GCM_SHA265")),
                  "(did you mean TLS_AES_128_GCM_SHA256?): valid are TLS_AES_128_GCM_SHA256, ");
  expect_contains(error_of(check_tls13_cipher_suite("ECDHE-RSA-AES128-GCM-SHA256")),
                  "is a cipher of TLS 1.2 and below: leave TLSv1.3 out");
  expect_contains(error_of(check_tls13_cipher_suite("")), "names no TLS 1.3 suite");
  Settings settings;
  settings.tls13_cipher_suite = "TLS_AES_128_GCM_SHA256:tls_aes_128_gcm_sha256:TLS_SM4_GCM_SM3";
  ck_assert((value_of(with_settings(base(), settings)).suites ==
             Names{"TLS_AES_128_GCM_SHA256", "TLS_SM4_GCM_SM3"}));
}
END_TEST

START_TEST(groups_are_names_or_lists_of_them) {
  for (const Names& names :
       {Names{"P-256"}, Names{"prime256v1:secp384r1", "x25519"}, Names{"X25519MLKEM768", "X25519"},
        Names{"secp256r1", "prime256v1"}, Names{"MLKEM1024"}, Names{"ffdhe2048,X448"}}) {
    accept(check_groups(names), names.front());
  }
  expect_contains(error_of(check_groups({"P-256", "X25518"})),
                  "unknown group 'X25518' (did you mean X25519?): valid are X25519MLKEM768, ");
  expect_contains(error_of(check_groups({"?X25519MLKEM768:X25519"})),
                  "unknown group '?X25519MLKEM768' (write names alone");
  expect_contains(error_of(check_groups({"X25519/P-256"})), "(write names alone");
  expect_contains(error_of(check_groups({})), "no group is named");
  expect_contains(error_of(check_groups({":", " "})), "no group is named");
  Settings settings;
  settings.groups = Names{"prime256v1:X448", "secp256r1", "x25519mlkem768"};
  ck_assert((value_of(with_settings(base(), settings)).groups ==
             Names{"P-256", "X448", "X25519MLKEM768"}));
}
END_TEST

START_TEST(signature_algorithms_are_names_or_pairs) {
  accept(check_signature_algorithms({"RSA+SHA256:ECDSA+SHA256", "ed25519"}), "pairs");
  accept(check_signature_algorithms({"mldsa44", "rsa_pss_rsae_sha256"}), "names");
  expect_contains(error_of(check_signature_algorithms({"rsa_pss_rsae_sha265"})),
                  "unknown signature algorithm 'rsa_pss_rsae_sha265' (did you mean "
                  "rsa_pss_rsae_sha256?)");
  expect_contains(error_of(check_signature_algorithms({"RSA+MD5"})), "valid are ");
  Settings settings;
  settings.signature_algorithms = Names{"RSA+SHA256:rsa_pkcs1_sha256", "PSS+SHA384"};
  ck_assert((*value_of(with_settings(base(), settings)).signature_algorithms ==
             Names{"rsa_pkcs1_sha256", "rsa_pss_rsae_sha384"}));
}
END_TEST

START_TEST(settings_replace_that_part_alone_and_show_in_the_name) {
  Settings settings;
  ck_assert(settings.empty());
  expect_text(value_of(with_settings(base(), settings)).id(), "baseline@1");
  settings.min_protocol = Protocol::tls1_2;  // as it is already
  expect_text(value_of(with_settings(base(), settings)).id(), "baseline@1");
  settings.cipher_suite = "ECDHE+AESGCM";  // the same again
  expect_text(value_of(with_settings(base(), settings)).id(), "baseline@1");
  settings.max_protocol = Protocol::tls1_2;
  Policy policy = value_of(with_settings(base(), settings));
  expect_text(policy.id(), "baseline@1+");
  Policy rest = base();
  rest.max_protocol = Protocol::tls1_2;
  rest.version = "1+";
  ck_assert(policy == rest);
  Policy own = base();
  own.version.clear();
  own.name = "house";
  expect_text(value_of(with_settings(own, settings)).id(), "house+");
}
END_TEST

START_TEST(minimum_above_maximum_is_an_error) {
  Settings settings;
  settings.min_protocol = Protocol::tls1_3;
  settings.max_protocol = Protocol::tls1_2;
  expect_contains(error_of(with_settings(base(), settings)),
                  "the minimum version TLSv1.3 is above the maximum TLSv1.2");
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* settings_suite() {
  Suite* suite = suite_create("settings");
  TCase* tests = tcase_create("settings");
  tcase_add_test(tests, policy::cipher_strings_of_the_world_are_accepted);
  tcase_add_test(tests, policy::a_cipher_nobody_knows_is_an_error);
  tcase_add_test(tests, policy::the_security_level_may_not_be_lowered);
  tcase_add_test(tests, policy::a_cipher_string_becomes_names_in_openssls_order);
  tcase_add_test(tests, policy::a_cipher_that_this_openssl_lacks_is_kept_to_be_reported);
  tcase_add_test(tests, policy::tls13_suites_are_iana_names);
  tcase_add_test(tests, policy::groups_are_names_or_lists_of_them);
  tcase_add_test(tests, policy::signature_algorithms_are_names_or_pairs);
  tcase_add_test(tests, policy::settings_replace_that_part_alone_and_show_in_the_name);
  tcase_add_test(tests, policy::minimum_above_maximum_is_an_error);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
