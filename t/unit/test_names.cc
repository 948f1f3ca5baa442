// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <algorithm>
#include <set>

#include "policy/library.h"
#include "policy/names.h"

namespace tlsguard::policy {
namespace {

using test::expect_text;

std::uint16_t group_id(std::string_view name) {
  const Group* group = find_group(name);
  ck_assert_msg(group != nullptr, "%s", std::string(name).c_str());
  return group->id;
}

START_TEST(a_group_has_many_names) {
  // IANA's numbers, RFC 8446 4.2.7, RFC 7919 2, RFC 8734 2 and draft-ietf-tls-ecdhe-mlkem 5.
  for (const char* name : {"P-256", "p-256", "prime256v1", "secp256r1", "SECP256R1", "P256"}) {
    ck_assert_uint_eq(group_id(name), 23);
  }
  ck_assert_uint_eq(group_id("P-384"), 24);
  ck_assert_uint_eq(group_id("secp521r1"), 25);
  ck_assert_uint_eq(group_id("brainpoolp256R1"), 26);
  ck_assert_uint_eq(group_id("x25519"), 29);
  ck_assert_uint_eq(group_id("X448"), 30);
  ck_assert_uint_eq(group_id("brainpoolP512r1tls13"), 33);
  ck_assert_uint_eq(group_id("curveSM2"), 41);
  ck_assert_uint_eq(group_id("ffdhe8192"), 0x104);
  ck_assert_uint_eq(group_id("MLKEM1024"), 0x202);
  ck_assert_uint_eq(group_id("x25519mlkem768"), 4588);
  ck_assert_uint_eq(group_id("SecP256r1MLKEM768"), 4587);
  ck_assert_uint_eq(group_id("SecP384r1MLKEM1024"), 4589);
  for (const char* unknown : {"", " ", "P-257", "X25518", "prime256v1 secp256r1", "29", "0x001d"}) {
    ck_assert_msg(find_group(unknown) == nullptr, "%s", unknown);
  }
}
END_TEST

START_TEST(a_group_is_shown_by_its_canonical_name) {
  expect_text(group_name(23), "P-256");
  expect_text(group_name(4588), "X25519MLKEM768");
  expect_text(group_name(0x1234), "0x1234");
  ck_assert_ptr_null(find_group(std::uint16_t{0x1234}));
}
END_TEST

// Every name leads to one entry only, and back to itself.
START_TEST(names_are_unambiguous) {
  std::set<std::uint16_t> ids;
  for (const std::string& name : all_group_names()) {
    const Group* group = find_group(name);
    expect_text(group->name, name);
    ck_assert_ptr_eq(find_group(group->id), group);
    ck_assert_ptr_eq(find_group(group->openssl_name), group);
    ck_assert_int_ge(group->bits, 80);
    ck_assert_msg(ids.insert(group->id).second, "%s", name.c_str());
  }
  ids.clear();
  for (const std::string& name : all_signature_algorithm_names()) {
    const SignatureAlgorithm* algorithm = find_signature_algorithm(name);
    expect_text(algorithm->name, name);
    ck_assert_ptr_eq(find_signature_algorithm(algorithm->id), algorithm);
    ck_assert_ptr_eq(find_signature_algorithm(algorithm->openssl_name), algorithm);
    ck_assert_int_ge(algorithm->hash_bits, 160);
    ck_assert_msg(ids.insert(algorithm->id).second, "%s", name.c_str());
  }
}
END_TEST

START_TEST(a_signature_algorithm_has_openssls_form_too) {
  struct Case {
    const char* name;
    std::uint16_t id;
  };
  for (const Case& each :
       {Case{"RSA+SHA256", 0x0401}, Case{"rsa_pkcs1_sha256", 0x0401}, Case{"ECDSA+SHA384", 0x0503},
        Case{"ecdsa_secp384r1_sha384", 0x0503}, Case{"PSS+SHA512", 0x0806},
        Case{"rsa-pss+sha512", 0x0806}, Case{"rsa_pss_pss_sha256", 0x0809}, Case{"Ed25519", 0x0807},
        Case{"DSA+SHA1", 0x0202}, Case{"mldsa87", 0x0906},
        Case{"ecdsa_brainpoolP256r1tls13_sha256", 0x081a}}) {
    const SignatureAlgorithm* algorithm = find_signature_algorithm(each.name);
    ck_assert_msg(algorithm != nullptr && algorithm->id == each.id, "%s", each.name);
  }
  ck_assert_ptr_null(find_signature_algorithm("RSA+MD5"));
  ck_assert_ptr_null(find_signature_algorithm("RSA"));
  expect_text(signature_algorithm_name(0x0804), "rsa_pss_rsae_sha256");
  expect_text(signature_algorithm_name(0xfefe), "0xfefe");
}
END_TEST

// Each group it takes is one it offers in some version, under the number of our table.
START_TEST(openssl_agrees_with_the_tables) {
  const Capabilities& can = *capabilities();
  for (const char* basic : {"P-256", "P-384", "P-521", "X25519", "X448"}) {
    ck_assert(can.has(*find_group(basic)));
  }
  for (std::uint16_t id : can.groups) {
    const bool used =
        std::find(can.groups_tls12.begin(), can.groups_tls12.end(), id) != can.groups_tls12.end() ||
        std::find(can.groups_tls13.begin(), can.groups_tls13.end(), id) != can.groups_tls13.end();
    ck_assert_msg(used, "%s is set but offered in no version", group_name(id).c_str());
  }
  ck_assert_uint_ge(can.signature_algorithms.size(), 20);
}
END_TEST

START_TEST(groups_have_the_nids_that_openssl_takes) {
  crypto::SslCtx ctx(SSL_CTX_new(TLS_method()));
  for (const char* name : {"X25519", "P-256", "P-384", "P-521", "X448", "brainpoolP256r1"}) {
    int nid = group_nid(*find_group(name));
    ck_assert_msg(nid != NID_undef, "%s has no NID", name);
    ck_assert_int_eq(SSL_CTX_set1_groups(ctx.get(), &nid, 1), 1);
  }
  ck_assert_int_eq(group_nid(*find_group("P-256")), NID_X9_62_prime256v1);
  ck_assert_int_eq(group_nid(*find_group("X25519Kyber768Draft00")), NID_undef);
}
END_TEST

START_TEST(a_groups_list_is_what_openssl_takes) {
  expect_text(groups_list({}), "");
  expect_text(groups_list({29, 23, 24}), "X25519:secp256r1:secp384r1");
  const bool tuples = OpenSSL_version_num() >= 0x30500000UL;
  expect_text(groups_list({4588, 29, 23}),
              tuples ? "X25519MLKEM768/X25519:secp256r1" : "X25519MLKEM768:X25519:secp256r1");
  // Only what stands in front is preferred over the rest.
  expect_text(groups_list({29, 4588, 23}), "X25519:X25519MLKEM768:secp256r1");
  expect_text(groups_list({0xfefe, 23}), "secp256r1");
  const Capabilities& can = *capabilities();
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  ck_assert_int_eq(SSL_CTX_set1_groups_list(ctx.get(), groups_list(can.groups).c_str()), 1);
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* names_suite() {
  Suite* suite = suite_create("names");
  TCase* tests = tcase_create("names");
  tcase_add_test(tests, policy::a_group_has_many_names);
  tcase_add_test(tests, policy::a_group_is_shown_by_its_canonical_name);
  tcase_add_test(tests, policy::names_are_unambiguous);
  tcase_add_test(tests, policy::a_signature_algorithm_has_openssls_form_too);
  tcase_add_test(tests, policy::openssl_agrees_with_the_tables);
  tcase_add_test(tests, policy::groups_have_the_nids_that_openssl_takes);
  tcase_add_test(tests, policy::a_groups_list_is_what_openssl_takes);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
