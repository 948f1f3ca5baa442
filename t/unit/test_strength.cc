// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include "policy/cipher_names.h"
#include "policy/context.h"
#include "policy/library.h"
#include "policy/strength.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using hello::CertificateKey;
using hello::KeyType;
using hello::ServerSettings;
using test::expect_contains;
using test::expect_text;
using test::value_of;
using Names = std::vector<std::string>;

Policy preset(const std::string& name) { return value_of(Catalogue().find(name)); }

// Settings by name, whatever this OpenSSL has.
ServerSettings settings(Protocol min, const Names& ciphers, const Names& groups,
                        const Names& algorithms, const std::vector<CertificateKey>& keys = {}) {
  ServerSettings made;
  made.protocols = ProtocolSet::range(min, Protocol::tls1_3);
  for (const std::string& name : ciphers) {
    hello::Cipher cipher;
    cipher.name = name;
    (name.starts_with("TLS_") ? made.suites : made.ciphers).push_back(cipher);
  }
  for (const std::string& name : groups) made.groups.push_back(find_group(name)->id);
  for (const std::string& name : algorithms) {
    made.signature_algorithms.push_back(find_signature_algorithm(name)->id);
  }
  made.keys = keys;
  return made;
}

ServerSettings sound() {
  return settings(Protocol::tls1_2, {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"},
                  {"X25519", "P-256"}, {"rsa_pss_rsae_sha256", "ed25519"});
}

std::string weaker(const ServerSettings& in_force, const Policy& floor) {
  std::string text;
  for (const std::string& sentence : weaker_than(in_force, floor)) text += sentence + "\n";
  return text;
}

// The names' own story against OpenSSL's, for all it has. A short tag (CCM8) makes releases from
// 3.2 on count fewer bits than the key has.
START_TEST(a_name_says_what_openssl_says) {
  const auto& can = *capabilities();
  ck_assert_uint_gt(can.ciphers.size(), 60);
  for (const hello::Cipher& cipher : can.ciphers) {
    const CipherStrength strength = cipher_strength(cipher.name);
    const bool short_tag = cipher.name.find("CCM8") != std::string::npos;
    ck_assert_msg(short_tag ? strength.bits >= 128 : strength.bits == cipher.bits, "%s: %d",
                  cipher.name.c_str(), strength.bits);
    ck_assert_msg(strength.aead == cipher.aead, "%s", cipher.name.c_str());
    const bool ephemeral = cipher.key_exchange == hello::KeyExchange::ecdhe ||
                           cipher.key_exchange == hello::KeyExchange::dhe;
    ck_assert_msg(strength.forward_secrecy == ephemeral, "%s", cipher.name.c_str());
  }
}
END_TEST

START_TEST(names_that_openssl_lacks_have_a_strength_too) {
  struct Case {
    const char* name;
    int bits;
    bool aead;
    bool forward_secrecy;
  };
  for (const Case& each :
       {Case{"DES-CBC3-SHA", 112, false, false}, Case{"EDH-RSA-DES-CBC3-SHA", 112, false, true},
        Case{"RC4-SHA", 128, false, false}, Case{"EXP-RC4-MD5", 40, false, false},
        Case{"EXP1024-DES-CBC-SHA", 56, false, false}, Case{"DES-CBC-SHA", 56, false, false},
        Case{"ECDH-RSA-AES128-GCM-SHA256", 128, true, false},
        Case{"TLS_AES_256_GCM_SHA384", 256, true, true},
        Case{"TLS_CHACHA20_POLY1305_SHA256", 256, true, true},
        Case{"TLS_AES_128_CCM_8_SHA256", 128, true, true},
        Case{"TLS_SHA256_SHA256", 0, false, true}, Case{"NULL-SHA256", 0, false, false}}) {
    const CipherStrength strength = cipher_strength(each.name);
    ck_assert_msg(strength.bits == each.bits && strength.aead == each.aead &&
                      strength.forward_secrecy == each.forward_secrecy,
                  "%s", each.name);
  }
}
END_TEST

START_TEST(the_weakest_counts) {
  const Strength old = strength_of(preset("old"));
  ck_assert(old.min_protocol == Protocol::tls1_0 && !old.forward_secrecy && !old.aead);
  ck_assert_int_eq(old.cipher_bits, 112);
  ck_assert_int_eq(old.hash_bits, 0);  // no list: no demand
  ck_assert_int_eq(strength_of(preset("nist-sp800-52")).cipher_bits, 128);
  ck_assert_int_eq(strength_of(preset("nist-sp800-52")).group_bits, 112);
  ck_assert_int_eq(strength_of(preset("fips")).hash_bits, 256);
  ck_assert_int_eq(strength_of(preset("cnsa-1")).hash_bits, 384);
  ck_assert_int_eq(strength_of(preset("cnsa-1")).rsa_bits, 3072);
  const Strength sound_one = strength_of(sound());
  ck_assert(sound_one.forward_secrecy && sound_one.aead);
  ck_assert_int_eq(sound_one.cipher_bits, 128);
  ck_assert_int_eq(sound_one.group_bits, 128);
  ck_assert_int_eq(sound_one.hash_bits, 256);
  ck_assert_int_eq(sound_one.rsa_bits, 0);
}
END_TEST

// What a policy lists for versions that it does not allow does not weaken it.
START_TEST(lists_of_other_versions_do_not_count) {
  Policy policy = preset("old");
  policy.min_protocol = Protocol::tls1_3;
  const Strength strength = strength_of(policy);
  ck_assert(strength.forward_secrecy && strength.aead);
  ck_assert_int_eq(strength.cipher_bits, 128);
}
END_TEST

START_TEST(a_policy_is_not_weaker_than_itself) {
  for (const Policy& each : presets()) {
    auto outcome = outcome_under({}, {}, each);
    if (!outcome) continue;
    expect_text(weaker(outcome->settings, each), "");
  }
}
END_TEST

START_TEST(other_names_of_equal_strength_are_not_weaker) {
  expect_text(weaker(sound(), preset("baseline")), "");
  const ServerSettings other =
      settings(Protocol::tls1_3, {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_8_SHA256"},
               {"brainpoolP256r1tls13", "ffdhe3072"}, {"ed25519"});
  expect_text(weaker(other, preset("fips")), "");
}
END_TEST

START_TEST(each_weakness_is_named) {
  ServerSettings in_force = sound();
  in_force.protocols.add(Protocol::tls1_0);
  expect_text(weaker(in_force, preset("baseline")),
              "TLSv1 is allowed, the floor begins at TLSv1.2\n");
  expect_text(weaker(sound(), preset("modern")),
              "TLSv1.2 is allowed, the floor begins at TLSv1.3\n");

  in_force = settings(Protocol::tls1_2,
                      {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "TLS_AES_128_GCM_SHA256"},
                      {"X25519"}, {"rsa_pss_rsae_sha256"});
  expect_text(weaker(in_force, preset("baseline")),
              "AES128-GCM-SHA256: no forward secrecy\n"
              "ECDHE-RSA-AES128-SHA: no authenticated encryption (AEAD)\n");
  // A floor that admits them itself does not mind.
  expect_text(weaker(in_force, preset("old")), "");

  in_force = settings(Protocol::tls1_2, {"EDH-RSA-DES-CBC3-SHA"}, {"P-256"}, {});
  expect_text(weaker(in_force, preset("nist-sp800-52")),
              "EDH-RSA-DES-CBC3-SHA: ciphers of less than the 128 bits of the floor's weakest\n");

  in_force =
      settings(Protocol::tls1_2, {"ECDHE-RSA-AES256-GCM-SHA384"}, {"P-384", "ffdhe2048"}, {});
  expect_text(weaker(in_force, preset("baseline")),
              "ffdhe2048: groups of less than the 128 bits of the floor's weakest\n");

  in_force = sound();
  in_force.signature_algorithms.push_back(0x0301);
  expect_text(
      weaker(in_force, preset("fips")),
      "rsa_pkcs1_sha224: signature hashes of less than the 256 bits of the floor's weakest\n");
  expect_text(weaker(in_force, preset("baseline")), "");
}
END_TEST

START_TEST(rsa_keys_count_and_others_do_not) {
  CertificateKey rsa;
  rsa.type = KeyType::rsa;
  rsa.bits = 2048;
  CertificateKey ecdsa;
  ecdsa.type = KeyType::ecdsa;
  ecdsa.bits = 256;
  ServerSettings in_force = sound();
  in_force.keys = {ecdsa, rsa};
  expect_text(weaker(in_force, preset("baseline")), "");
  expect_contains(weaker(in_force, preset("bsi-tr-02102-2")),
                  "an RSA key of 2048 bits, less than the 3000 bits of the floor's weakest\n");
  in_force.keys = {ecdsa};
  ck_assert(weaker(in_force, preset("bsi-tr-02102-2")).find("RSA key") == std::string::npos);
}
END_TEST

START_TEST(old_versions_sign_with_sha1) {
  Policy floor = preset("old");
  floor.signature_algorithms = {"rsa_pkcs1_sha256"};
  ServerSettings in_force = sound();
  ck_assert_int_eq(strength_of(floor).hash_bits, 160);
  in_force.protocols.add(Protocol::tls1_1);
  expect_text(weaker(in_force, floor), "");
  floor.min_protocol = Protocol::tls1_2;
  expect_contains(weaker(in_force, floor), "TLS 1.0 and 1.1 sign with SHA-1");
}
END_TEST

START_TEST(nothing_in_force_is_not_weak) { expect_text(weaker({}, preset("baseline")), ""); }
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* strength_suite() {
  Suite* suite = suite_create("strength");
  TCase* tests = tcase_create("strength");
  tcase_add_test(tests, policy::a_name_says_what_openssl_says);
  tcase_add_test(tests, policy::names_that_openssl_lacks_have_a_strength_too);
  tcase_add_test(tests, policy::the_weakest_counts);
  tcase_add_test(tests, policy::lists_of_other_versions_do_not_count);
  tcase_add_test(tests, policy::a_policy_is_not_weaker_than_itself);
  tcase_add_test(tests, policy::other_names_of_equal_strength_are_not_weaker);
  tcase_add_test(tests, policy::each_weakness_is_named);
  tcase_add_test(tests, policy::rsa_keys_count_and_others_do_not);
  tcase_add_test(tests, policy::old_versions_sign_with_sha1);
  tcase_add_test(tests, policy::nothing_in_force_is_not_weak);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
