// SPDX-License-Identifier: Apache-2.0
// The placeholder, and the certificates of tls-alpn-01.
#include "suites.h"

#include <openssl/x509v3.h>

#include <string>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/self_signed.h"
#include "expect.h"
#include "issued.h"

namespace tlsguard::test {
namespace {

using Names = std::vector<std::string>;

crypto::Chain as_chain(crypto::Certificate certificate) {
  crypto::Chain chain;
  chain.push_back(std::move(certificate));
  return chain;
}

// mod_ssl reads the file as certificate and as key.
START_TEST(a_placeholder_serves_and_says_what_it_is) {
  auto placeholders = value_of(crypto::Placeholders::make(test_now));
  auto other = value_of(
      crypto::key_and_certificate_from_pem(value_of(placeholders->pem_for({"other.example"}))));
  auto pair = value_of(crypto::key_and_certificate_from_pem(
      value_of(placeholders->pem_for({"example.org", "*.example.org", "2001:db8::1"}))));
  // Browsers refuse two certificates of one issuer and serial number.
  ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(other.certificate.get()),
                                    X509_get0_serialNumber(pair.certificate.get())),
                   0);
  ck_assert(value_of(crypto::facts_of(other.certificate.get())).dns_names ==
            Names({"other.example"}));
  ck_assert(crypto::is_placeholder(pair.certificate.get()));
  auto facts = value_of(crypto::facts_of(pair.certificate.get()));
  expect_contains(facts.issuer, "no certificate has been obtained yet");
  ck_assert(facts.dns_names == Names({"example.org", "*.example.org"}));
  ck_assert(facts.ip_addresses == Names({"2001:db8::1"}));
  ck_assert_int_eq(X509_verify(pair.certificate.get(), pair.key.get()), 1);
  ck_assert(crypto::check_servable(as_chain(std::move(pair.certificate)), pair.key.get(),
                                   {"example.org", "a.example.org"}, test_now + 300 * one_day)
                .has_value());
}
END_TEST

START_TEST(other_certificates_are_no_placeholders) {
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  auto leaf = make_leaf({"example.org"}, key.get(), make_issuer("Test Root", nullptr));
  ck_assert(!crypto::is_placeholder(leaf.get()));
  ck_assert(!crypto::is_placeholder(nullptr));
  expect_contains(error_of(value_of(crypto::Placeholders::make(test_now))->pem_for({"no name"})),
                  "neither");
}
END_TEST

// RFC 8737 3.
START_TEST(an_alpn_certificate_is_that_of_the_rfc) {
  const std::string authorization = "token.thumbprint";
  for (const char* name : {"example.org", "192.0.2.7", "2001:db8::1"}) {
    auto pair = value_of(crypto::key_and_certificate_from_pem(
        value_of(crypto::make_alpn_certificate_pem(name, authorization, test_now))));
    X509* certificate = pair.certificate.get();
    ck_assert_int_eq(X509_verify(certificate, pair.key.get()), 1);
    ck_assert_int_eq(X509_check_private_key(certificate, pair.key.get()), 1);
    auto facts = value_of(crypto::facts_of(certificate));
    bool dns = std::string_view(name) == "example.org";
    ck_assert(facts.dns_names == (dns ? Names({name}) : Names()));
    ck_assert(facts.ip_addresses == (dns ? Names() : Names({name})));
    ck_assert(facts.not_before <= test_now - 3600 && facts.not_after >= test_now + one_day);

    ASN1_OBJECT* wanted = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    int at = X509_get_ext_by_OBJ(certificate, wanted, -1);
    ck_assert_int_ge(at, 0);
    ck_assert_int_lt(X509_get_ext_by_OBJ(certificate, wanted, at), 0);
    ASN1_OBJECT_free(wanted);
    X509_EXTENSION* extension = X509_get_ext(certificate, at);
    ck_assert_int_eq(X509_EXTENSION_get_critical(extension), 1);
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    std::string der(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                    static_cast<std::size_t>(ASN1_STRING_length(value)));
    auto digest = crypto::sha256(authorization);
    expect_text(der, std::string("\x04\x20") +
                         std::string(reinterpret_cast<char*>(digest.data()), digest.size()));
  }
}
END_TEST

START_TEST(an_alpn_certificate_needs_one_name) {
  for (const char* name : {"", "no name", "a.example,b.example", "[2001:db8::1]"}) {
    error_of(crypto::make_alpn_certificate_pem(name, "token.thumbprint", test_now));
  }
}
END_TEST

START_TEST(torn_pairs_are_errors) {
  std::string pem =
      value_of(value_of(crypto::Placeholders::make(test_now))->pem_for({"example.org"}));
  for (std::size_t size = 0; size + 10 < pem.size(); size += 7) {
    error_of(crypto::key_and_certificate_from_pem(pem.substr(0, size)));
  }
  error_of(crypto::key_and_certificate_from_pem(std::string(1 << 20, 'x')));
}
END_TEST

}  // namespace

Suite* self_signed_suite() {
  Suite* suite = suite_create("self_signed");
  TCase* tcase = tcase_create("self_signed");
  tcase_add_test(tcase, a_placeholder_serves_and_says_what_it_is);
  tcase_add_test(tcase, other_certificates_are_no_placeholders);
  tcase_add_test(tcase, an_alpn_certificate_is_that_of_the_rfc);
  tcase_add_test(tcase, an_alpn_certificate_needs_one_name);
  tcase_add_test(tcase, torn_pairs_are_errors);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
