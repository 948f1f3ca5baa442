// SPDX-License-Identifier: Apache-2.0
// Which chain is taken, and by which id a certificate's renewal is asked about.
#include "scripted_ca.h"

#include <openssl/x509v3.h>

#include "crypto/base64url.h"
#include "expect.h"
#include "issued.h"

namespace tlsguard::test {
namespace {

// One leaf under three roots, as CAs with alternates have it.
struct Chains {
  Issuer first = make_issuer("First Root", nullptr);
  Issuer second = make_issuer("Second Root", nullptr);
  Issuer third = make_issuer("Third Root", nullptr);
  crypto::Key key = value_of(crypto::generate_key(crypto::KeyType::p256));

  [[nodiscard]] std::string pem(const Issuer& issuer) const {
    return chain_pem_for({"a.example"}, key.get(), issuer);
  }
};

net::HttpResponse chain_response(const std::string& pem, const std::string& links = "") {
  net::HttpResponse response{200, {{"content-type", "application/pem-certificate-chain"}}, pem};
  if (!links.empty()) response.fields.emplace_back("link", links);
  return response;
}

const std::string two_links =
    "<https://ca.example/alt/1>;rel=\"alternate\", <https://ca.example/alt/2>;rel=\"alternate\"";

START_TEST(the_first_chain_is_taken_where_none_is_preferred) {
  Chains chains;
  ScriptedCa ca;
  auto client = make_client();
  std::string first = chains.pem(chains.first);
  ca.on(ca_url("cert"), chain_response(first, two_links));
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "")), first);
  ck_assert_int_eq(ca.count(ca_url("alt/1")), 0);
}
END_TEST

START_TEST(the_preferred_chain_is_looked_for) {
  Chains chains;
  ScriptedCa ca;
  auto client = make_client();
  std::string first = chains.pem(chains.first);
  std::string second = chains.pem(chains.second);
  std::string third = chains.pem(chains.third);
  ca.on(ca_url("cert"), chain_response(first, two_links));
  ca.on(ca_url("alt/1"), chain_response(second));
  ca.on(ca_url("alt/2"), chain_response(third));
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "First Root")), first);
  ck_assert_int_eq(ca.count(ca_url("alt/1")), 0);
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "second root")), second);
  ck_assert_int_eq(ca.count(ca_url("alt/2")), 0);
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "Third Root")), third);
  // No match.
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "Third")), first);
  ck_assert_int_eq(ca.count(ca_url("alt/2")), 2);
}
END_TEST

START_TEST(alternates_that_cannot_be_had_are_passed_over) {
  Chains chains;
  ScriptedCa ca;
  auto client = make_client();
  std::string first = chains.pem(chains.first);
  std::string third = chains.pem(chains.third);
  ca.on(ca_url("cert"),
        chain_response(first, "<http://ca.example/alt/0>;rel=alternate, <alt/0>;rel=alternate," +
                                  two_links + ",<https://ca.example/alt/3>;rel=alternate"));
  ca.on(ca_url("alt/1"), net::HttpResponse{404, {}, ""});
  ca.on(ca_url("alt/1"), fail("lost"));
  ca.on(ca_url("alt/1"), chain_response("<html>"));
  ca.on(ca_url("alt/1"), chain_response("-----BEGIN CERTIFICATE-----\ntorn"));
  ca.on(ca_url("alt/2"), chain_response(third));
  for (int i = 0; i < 4; ++i) {
    expect_text(value_of(client.certificate(ca, ca_url("cert"), "Third Root")), third);
  }
  ck_assert_int_eq(ca.count(ca_url("alt/3")), 0);
}
END_TEST

START_TEST(at_most_eight_alternates_are_looked_at) {
  Chains chains;
  ScriptedCa ca;
  auto client = make_client();
  std::string links;
  for (int i = 0; i < 5000; ++i) {
    std::string url = ca_url("alt/" + std::to_string(i));
    if (i < 20) ca.on(url, chain_response(chains.pem(chains.second)));
    links += "<" + url + ">;rel=alternate,";
  }
  ca.on(ca_url("cert"), chain_response(chains.pem(chains.first), links));
  ck_assert(client.certificate(ca, ca_url("cert"), "Third Root").has_value());
  ck_assert_int_eq(ca.count(ca_url("alt/7")), 1);
  ck_assert_int_eq(ca.count(ca_url("alt/8")), 0);
}
END_TEST

START_TEST(what_is_no_chain_is_told) {
  for (auto [body, told] :
       {std::pair{"", "empty"}, std::pair{" \n", "empty"}, std::pair{"<html>", "HTML"},
        std::pair{"{}", "no PEM"}, std::pair{"MIIB", "no PEM"}}) {
    ScriptedCa ca;
    auto client = make_client();
    ca.on(ca_url("cert"), chain_response(body));
    expect_contains(error_of(client.certificate(ca, ca_url("cert"), "")), told);
  }
  // What it holds is for the caller to verify, who must see it all.
  ScriptedCa ca;
  auto client = make_client();
  std::string with_key = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
  ca.on(ca_url("cert"), chain_response(with_key));
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "")), with_key);
  expect_text(value_of(client.certificate(ca, ca_url("cert"), "Root")), with_key);
  ck_assert_uint_eq(ca.requests.back().max_bytes, crypto::max_chain_pem);
}
END_TEST

void add_authority(X509* certificate, const char* hex) {
  AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
  long size = 0;
  unsigned char* bytes = OPENSSL_hexstr2buf(hex, &size);
  id->keyid = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(id->keyid, bytes, static_cast<int>(size));
  OPENSSL_free(bytes);
  X509_add1_ext_i2d(certificate, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT);
  AUTHORITY_KEYID_free(id);
}

// With this serial number and this authority key id.
crypto::Certificate certificate(const char* serial, const char* authority) {
  crypto::Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), one_day);
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, serial);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  if (authority != nullptr) add_authority(made.get(), authority);
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  ck_assert_int_eq(X509_set_pubkey(made.get(), key.get()), 1);
  ck_assert_int_gt(X509_sign(made.get(), key.get(), EVP_sha256()), 0);
  // Read anew, as from a CA.
  unsigned char* der = nullptr;
  int length = i2d_X509(made.get(), &der);
  ck_assert_int_gt(length, 0);
  const unsigned char* at = der;
  made.reset(d2i_X509(nullptr, &at, length));
  OPENSSL_free(der);
  return made;
}

START_TEST(the_renewal_id_is_that_of_the_rfc) {
  // RFC 9773 4.1: the serial number keeps its leading zero.
  auto example = certificate("0087654321", "69885B6B87464041E1B37B847BA0AE2CDE01C8D4");
  expect_text(value_of(acme::renewal_id(example.get())), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  auto small = certificate("01", "FF");
  expect_text(value_of(acme::renewal_id(small.get())), "_w.AQ");
  auto zero = certificate("00", "FF");
  expect_text(value_of(acme::renewal_id(zero.get())), "_w.AA");
  auto longest = certificate("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "01");
  expect_text(value_of(acme::renewal_id(longest.get())), "AQ.f_________________________8");
}
END_TEST

START_TEST(some_certificates_have_no_renewal_id) {
  auto without = certificate("01", nullptr);
  expect_contains(error_of(acme::renewal_id(without.get())), "no authority key identifier");
  auto empty = certificate("01", "");
  ck_assert(!acme::renewal_id(empty.get()));
  ck_assert(!acme::renewal_id(nullptr));
}
END_TEST

}  // namespace

Suite* acme_chain_suite() {
  Suite* suite = suite_create("acme_chain");
  TCase* tcase = tcase_create("acme_chain");
  tcase_add_test(tcase, the_first_chain_is_taken_where_none_is_preferred);
  tcase_add_test(tcase, the_preferred_chain_is_looked_for);
  tcase_add_test(tcase, alternates_that_cannot_be_had_are_passed_over);
  tcase_add_test(tcase, at_most_eight_alternates_are_looked_at);
  tcase_add_test(tcase, what_is_no_chain_is_told);
  tcase_add_test(tcase, the_renewal_id_is_that_of_the_rfc);
  tcase_add_test(tcase, some_certificates_have_no_renewal_id);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
