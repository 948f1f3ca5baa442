// SPDX-License-Identifier: Apache-2.0
// Facts about certificates, from a context and from files; and the notes made of them.
#include "expect.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "policy/context.h"
#include "policy/notes.h"
#include "random_server.h"
#include "temp_dir.h"

namespace tlsguard::policy {
namespace {

using hello::CertificateKey;
using hello::KeyType;
using test::error_of;
using test::expect_contains;
using test::expect_text;
using test::value_of;

std::string text_of(const CertificateKey& key) {
  return fmt::format("type {} bits {} curve {} signs {} pss {} issuer {:04x} chain {}",
                     static_cast<int>(key.type), key.bits, key.curve, key.may_sign,
                     key.pss_hash_bits, key.issuer_signature, key.chain_security_bits);
}

// An rsaEncryption key signs PSS as rsa_pss_rsae_*, an RSA-PSS key as rsa_pss_pss_*; in the
// signature of a certificate the two cannot be told apart.
CertificateKey with_pss_of_either_key(CertificateKey key) {
  if (key.issuer_signature >= 0x0809 && key.issuer_signature <= 0x080b) key.issuer_signature -= 5;
  return key;
}

std::string pem_of(const test::Identity& identity) {
  const crypto::Bio out(BIO_new(BIO_s_mem()));
  ck_assert_int_eq(PEM_write_bio_X509(out.get(), identity.certificate.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

START_TEST(a_contexts_certificates_are_all_seen) {
  const test::Identities identities;
  test::Random random(7);
  for (int i = 0; i < 200; ++i) {
    const auto chosen = identities.random(random);
    test::ServerSpec spec;
    spec.identities = chosen;
    const test::Server server = test::make_server(spec);
    const X509* current = SSL_CTX_get0_certificate(server.context.get());
    const auto keys = keys_of(server.context.get());
    ck_assert_uint_eq(keys.size(), chosen.size());
    for (const test::Identity* identity : chosen) {
      const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
        return key.type == identity->facts.type;
      });
      ck_assert(found != keys.end());
      const std::string wanted = text_of(with_pss_of_either_key(identity->facts));
      ck_assert_msg(text_of(*found) == wanted, "%s: got %s, wanted %s", identity->name.c_str(),
                    text_of(*found).c_str(), wanted.c_str());
    }
    ck_assert_ptr_eq(SSL_CTX_get0_certificate(server.context.get()), current);
    ck_assert_uint_eq(ERR_peek_error(), 0);
  }
  const crypto::SslCtx none = value_of(build_scratch({}));
  ck_assert(keys_of(none.get()).empty());
}
END_TEST

START_TEST(the_weakest_of_a_chain_counts) {
  const test::Identities identities;
  const test::Identity weak = test::make_identity("weak", test::make_rsa(1024), {});
  const test::Identity leaf =
      test::make_identity("leaf", test::make_ec("P-384"), {}, {"SHA384", &weak});
  const crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(ctx.get(), 0);
  ck_assert_int_eq(
      SSL_CTX_use_cert_and_key(ctx.get(), leaf.certificate.get(), leaf.key.get(), nullptr, 1), 1);
  ck_assert_int_eq(keys_of(ctx.get()).front().chain_security_bits, 192);
  ck_assert_int_eq(SSL_CTX_add1_chain_cert(ctx.get(), weak.certificate.get()), 1);
  ck_assert_int_eq(keys_of(ctx.get()).front().chain_security_bits, 80);

  const test::TempDir dir;
  test::write_file(dir / "leaf.pem", pem_of(leaf));
  test::write_file(dir / "chain.pem", pem_of(leaf) + "some words\n" + pem_of(weak));
  const CertificateKey alone = value_of(key_of_file(dir / "leaf.pem"));
  ck_assert(alone.type == KeyType::ecdsa && alone.curve == 24 && alone.bits == 384);
  ck_assert_int_eq(alone.chain_security_bits, 192);
  ck_assert(value_of(key_of_file(dir / "chain.pem")) == keys_of(ctx.get()).front());
  ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(a_file_without_a_certificate_is_an_error_that_names_it) {
  const test::TempDir dir;
  test::write_file(dir / "empty", "");
  test::write_file(dir / "torn", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  for (const std::string& path : {dir / "empty", dir / "torn", dir / "missing", dir.path()}) {
    expect_contains(error_of(key_of_file(path)), path);
    ck_assert_uint_eq(ERR_peek_error(), 0);
  }
}
END_TEST

// Notes.

CertificateKey key(KeyType type, int bits, std::uint16_t curve = 0) {
  CertificateKey fact;
  fact.type = type;
  fact.bits = bits;
  fact.curve = curve;
  return fact;
}

std::string warnings(const std::string& policy, const std::vector<CertificateKey>& keys,
                     const SslDirectives& directives = {}) {
  const Policy chosen = value_of(Catalogue().find(policy));
  std::string text;
  for (const Note& note : value_of(outcome_under(directives, keys, chosen)).notes) {
    if (note.kind == Note::Kind::warning) text += note.text + "\n";
  }
  return text;
}

START_TEST(certificates_that_fit_are_not_talked_about) {
  expect_text(warnings("baseline", {}), "");
  expect_text(warnings("baseline", {key(KeyType::rsa, 2048), key(KeyType::ecdsa, 256, 23)}), "");
  expect_text(warnings("modern", {key(KeyType::ecdsa, 256, 23)}), "");
  expect_text(warnings("pci-dss", {key(KeyType::rsa_pss, 2048)}), "");
}
END_TEST

START_TEST(a_key_below_the_policy_is_warned_of) {
  expect_text(warnings("bsi-tr-02102-2", {key(KeyType::rsa, 2048)}),
              "the certificate has an RSA key of 2048 bits, policy bsi-tr-02102-2@2025-01 expects "
              "at least 3000\n");
  expect_text(warnings("modern", {key(KeyType::rsa, 2048)}),
              "the certificate has a key of type RSA, policy mozilla-modern@6.0 expects ECDSA\n");
}
END_TEST

START_TEST(a_certificate_that_no_cipher_fits_is_warned_of) {
  SslDirectives rsa_only;
  rsa_only.cipher_suite = "aRSA+AESGCM";
  expect_text(warnings("baseline", {key(KeyType::ecdsa, 256, 23)}, rsa_only),
              "no client can connect with TLSv1.2: no certificate (ECDSA P-256) fits the ciphers "
              "and signature algorithms in force\n");
  rsa_only.protocols = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_2);
  const std::string both =
      warnings("baseline", {key(KeyType::ecdsa, 256, 23), key(KeyType::rsa, 2048)}, rsa_only);
  expect_contains(both,
                  "the certificate with the ECDSA P-256 key fits none of the ciphers and "
                  "signature algorithms in force: it is never used\n");
  ck_assert(both.find("no client can connect") == std::string::npos);
  // In TLS 1.3 the curve is bound to the signature algorithm.
  expect_contains(warnings("cnsa-1", {key(KeyType::ecdsa, 256, 23)}),
                  "no client can connect with TLSv1.3: no certificate (ECDSA P-256)");
  expect_text(warnings("cnsa-1", {key(KeyType::ecdsa, 384, 24)}), "");
  expect_contains(warnings("fips", {key(KeyType::ed25519, 256)}),
                  "no client can connect with TLSv1.2 TLSv1.3: no certificate (Ed25519)");
}
END_TEST

START_TEST(a_chain_below_the_security_level_is_warned_of) {
  SslDirectives level;
  level.cipher_suite = "ALL:@SECLEVEL=3";
  CertificateKey weak = key(KeyType::rsa, 2048);
  weak.chain_security_bits = 112;
  const std::string text = warnings("baseline", {weak}, level);
  expect_contains(text,
                  "security level 3 rules out the certificate with the RSA 2048 key, or its "
                  "chain\n");
  expect_contains(text, "no client can connect with TLSv1.2 TLSv1.3");
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* certificate_keys_suite() {
  Suite* suite = suite_create("certificate keys");
  TCase* tests = tcase_create("certificate keys");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, policy::a_contexts_certificates_are_all_seen);
  tcase_add_test(tests, policy::the_weakest_of_a_chain_counts);
  tcase_add_test(tests, policy::a_file_without_a_certificate_is_an_error_that_names_it);
  tcase_add_test(tests, policy::certificates_that_fit_are_not_talked_about);
  tcase_add_test(tests, policy::a_key_below_the_policy_is_warned_of);
  tcase_add_test(tests, policy::a_certificate_that_no_cipher_fits_is_warned_of);
  tcase_add_test(tests, policy::a_chain_below_the_security_level_is_warned_of);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
