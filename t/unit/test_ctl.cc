// SPDX-License-Identifier: Apache-2.0
// The small parts of tlsguardctl: what it reads from the network and what it prints.
#include "expect.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/text.h"
#include "ctl/certificate_facts.h"
#include "ctl/connection.h"
#include "ctl/http_answer.h"
#include "ctl/offers.h"
#include "ctl/output.h"
#include "ctl/suite_table.h"
#include "policy/library.h"

namespace tlsguard::test {
namespace {

using hello::Authentication;
using hello::KeyExchange;

// --- the table of suites
// --------------------------------------------------------------------------

START_TEST(the_table_agrees_with_openssl) {
  policy::Capabilities openssl = value_of(policy::capabilities());
  std::size_t compared = 0;
  for (const hello::Cipher& theirs : openssl.ciphers) {
    const ctl::Suite* ours = ctl::find_suite(theirs.id);
    ck_assert_msg(ours != nullptr, "%s is not in the table", theirs.name.c_str());
    expect_text(ours->name, theirs.name);
    ck_assert_msg(ours->min == theirs.min || theirs.min == Protocol::tls1_0, "%s begins elsewhere",
                  ours->name);
    ck_assert_msg(ours->max == theirs.max, "%s ends elsewhere", ours->name);
    ck_assert_msg(ours->key_exchange == theirs.key_exchange, "%s: key exchange", ours->name);
    ck_assert_msg(ours->authentication == theirs.authentication, "%s: certificate", ours->name);
    ck_assert_msg(ours->aead == theirs.aead, "%s: AEAD", ours->name);
    // OpenSSL 3.2 counts a short tag (CCM8) as 64 bits, 3.0 as what the key has.
    bool short_tag = theirs.name.ends_with("CCM8");
    ck_assert_msg(short_tag || ours->bits == theirs.bits, "%s: %d bits", ours->name, theirs.bits);
    ++compared;
  }
  ck_assert_uint_gt(compared, 40);
  for (const std::string& name : openssl.suites) {
    const ctl::Suite* ours = ctl::find_suite(name);
    ck_assert_msg(ours != nullptr && ours->min == Protocol::tls1_3, "%s", name.c_str());
  }
}
END_TEST

START_TEST(suites_are_found_by_id_and_by_name) {
  for (const ctl::Suite& suite : ctl::all_suites()) {
    ck_assert(ctl::find_suite(suite.id) == &suite);
    ck_assert(ctl::find_suite(std::string_view(suite.name)) == &suite);
    ck_assert(suite.min <= suite.max);
  }
  expect_text(ctl::find_suite("EDH-RSA-DES-CBC3-SHA")->name, "DHE-RSA-DES-CBC3-SHA");
  ck_assert(ctl::find_suite("NO-SUCH") == nullptr);
  ck_assert(ctl::find_suite(0xffff) == nullptr);
  expect_text(ctl::suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
  expect_text(ctl::suite_name(0x00f1), "0x00f1");
}
END_TEST

START_TEST(each_version_has_suites_of_its_own) {
  auto has = [](Protocol protocol, const char* name) {
    auto ids = ctl::suites_of(protocol);
    return std::find(ids.begin(), ids.end(), ctl::find_suite(name)->id) != ids.end();
  };
  ck_assert(has(Protocol::ssl3, "RC4-SHA") && !has(Protocol::ssl3, "ECDHE-RSA-AES128-SHA"));
  ck_assert(has(Protocol::tls1_0, "EXP-RC4-MD5") && !has(Protocol::tls1_1, "EXP-RC4-MD5"));
  ck_assert(has(Protocol::tls1_1, "DES-CBC-SHA") && !has(Protocol::tls1_2, "DES-CBC-SHA"));
  ck_assert(has(Protocol::tls1_2, "AES128-GCM-SHA256"));
  ck_assert(!has(Protocol::tls1_1, "AES128-GCM-SHA256"));
  ck_assert(has(Protocol::tls1_3, "TLS_AES_128_CCM_8_SHA256"));
  ck_assert(!has(Protocol::tls1_3, "ECDHE-RSA-AES128-GCM-SHA256"));
}
END_TEST

// --- arguments
// ------------------------------------------------------------------------------------

START_TEST(endpoints) {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  for (const Case& each :
       {Case{"example.org", "example.org", 443}, Case{"example.org:8443", "example.org", 8443},
        Case{"192.0.2.1:1", "192.0.2.1", 1}, Case{"[2001:db8::1]:65535", "2001:db8::1", 65535},
        Case{"[2001:db8::1]", "2001:db8::1", 443}, Case{"2001:db8::1", "2001:db8::1", 443},
        Case{"*:443", "*", 443}}) {
    ctl::Endpoint endpoint = value_of(ctl::parse_endpoint(each.text));
    expect_text(endpoint.host, each.host);
    ck_assert_int_eq(endpoint.port, each.port);
  }
  for (const char* text : {"", ":443", "a:", "a:0", "a:65536", "a:-1", "a:1x", "a: 1", "[::1",
                           "[::1]x", "[]:1", "https://example.org", "a b", "user@host"}) {
    (void)error_of(ctl::parse_endpoint(text));
  }
  expect_text(ctl::to_text({"example.org", 443}), "example.org:443");
  expect_text(ctl::to_text({"2001:db8::1", 443}), "[2001:db8::1]:443");
}
END_TEST

// --- HTTP
// -----------------------------------------------------------------------------------------

START_TEST(http_answers) {
  auto facts = ctl::parse_http_answer(
      "HTTP/1.1 301 Moved\r\nLOCATION: https://x/\r\nStrict-Transport-Security:  max-age=1 \r\n"
      "strict-transport-security: max-age=2\r\nX: Strict-Transport-Security: no\r\n\r\n"
      "Strict-Transport-Security: in the body\r\n");
  ck_assert(facts.has_value());
  ck_assert_int_eq(facts->status, 301);
  expect_text(facts->location, "https://x/");
  expect_text(join(facts->hsts, "|"), "max-age=1|max-age=2");
  ck_assert(ctl::parse_http_answer("HTTP/1.0 200\r\n\r\n").has_value());
  ck_assert(ctl::parse_http_answer("HTTP/1.1 200 OK\n\n").has_value());
  for (const char* text : {"", "HTTP/1.1 200 OK", "HTTP/2 200\r\n\r\n", "220 smtp\r\n",
                           "HTTP/1.1 20\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1200\r\n"}) {
    ck_assert_msg(!ctl::parse_http_answer(text).has_value(), "%s", text);
  }
}
END_TEST

START_TEST(the_number_of_fields_kept_is_bounded) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i) text += "Strict-Transport-Security: max-age=1\r\n";
  ck_assert_uint_eq(ctl::parse_http_answer(text)->hsts.size(), 16);
}
END_TEST

START_TEST(the_end_of_a_header) {
  ck_assert(!ctl::http_header_ends(""));
  ck_assert(!ctl::http_header_ends("HTT"));
  ck_assert(!ctl::http_header_ends("HTTP/1.1 200 OK\r\nA: b\r\n"));
  ck_assert(ctl::http_header_ends("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"));
  ck_assert(ctl::http_header_ends("SSH-2.0"));
  ck_assert(ctl::http_header_ends("HTTP/1.1 " + std::string(ctl::max_http_header, 'x')));
}
END_TEST

START_TEST(hsts_fields_by_the_grammar_of_rfc6797) {
  using Field = ctl::HstsField;
  auto read = [](const char* text) { return value_of(ctl::parse_hsts_field(text)); };
  ck_assert(read("max-age=31536000") == (Field{31536000, false, false}));
  ck_assert(read("MAX-AGE=1;INCLUDESUBDOMAINS;Preload") == (Field{1, true, true}));
  ck_assert(read(" ; max-age = \"10\" ;; includeSubDomains ; other=\"a;b\\\"c\" ;") ==
            (Field{10, true, false}));
  ck_assert(read("max-age=99999999999999999999999").max_age > 1ULL << 62);
  for (const char* text :
       {"", ";", "includeSubDomains", "max-age", "max-age=", "max-age=-1", "max-age=1.5",
        "max-age=100, max-age=200", "max-age=100; max-age=200", "max-age=1; includeSubDomains=x",
        "max-age=1; includeSubDomains; includeSubDomains", "max-age=\"1", "max-age=1 x", "=1",
        "max-age=1; \"x\"", "max-age==1", "max-age=1;x=\"\\"}) {
    ck_assert_msg(!ctl::parse_hsts_field(text).has_value(), "%s", text);
  }
}
END_TEST

// --- certificates
// ---------------------------------------------------------------------------------

// A certificate for `name`, valid from the epoch's first day for ten days, signed by its own key.
ctl::Der make_certificate(const std::string& name, const std::string& subject, int rsa_bits) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-384"),
      EVP_PKEY_free);
  crypto::Certificate certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 0x1234);
  ASN1_TIME_set(X509_getm_notBefore(x), 0);
  ASN1_TIME_set(X509_getm_notAfter(x), 864000);
  X509_set_pubkey(x, key.get());
  const auto* bytes = reinterpret_cast<const unsigned char*>(subject.data());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, bytes,
                             static_cast<int>(subject.size()), -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  if (!name.empty()) {
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                ("DNS:" + name + ",IP:192.0.2.1").c_str());
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
  }
  X509_sign(x, key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  int size = i2d_X509(x, &der);
  ctl::Der result(der, der + size);
  OPENSSL_free(der);
  return result;
}

START_TEST(certificates_say_what_they_are) {
  auto der = make_certificate("www.example.org", "Zürich", 2048);
  auto facts = value_of(ctl::certificate_facts({der}, "www.example.org", 1000));
  ck_assert(facts.type == hello::KeyType::rsa);
  expect_text(facts.key, "RSA");
  ck_assert_int_eq(facts.bits, 2048);
  expect_text(facts.subject, "CN=Zürich");
  expect_text(facts.issuer, "CN=Zürich");
  expect_text(facts.serial, "1234");
  expect_text(facts.signature, "sha256WithRSAEncryption");
  expect_text(facts.not_before, "1970-01-01T00:00:00Z");
  expect_text(facts.not_after, "1970-01-11T00:00:00Z");
  ck_assert(!facts.expired && !facts.not_yet_valid && facts.self_signed);
  expect_text(join(facts.names, " "), "www.example.org 192.0.2.1");
  ck_assert(facts.name_fits == true);
  expect_contains(facts.trust, "self");
}
END_TEST

START_TEST(certificates_in_time_and_for_names) {
  auto der = make_certificate("*.example.org", "x", 0);
  auto at = [&der](const char* name, std::int64_t now) {
    return value_of(ctl::certificate_facts({der}, name, now));
  };
  ck_assert(at("", 0).name_fits == std::nullopt);
  ck_assert(at("a.example.org", 0).name_fits == true);
  ck_assert(at("a.b.example.org", 0).name_fits == false);
  ck_assert(at("192.0.2.1", 0).name_fits == true);
  ck_assert(at("192.0.2.2", 0).name_fits == false);
  ck_assert(at("", -1).not_yet_valid && !at("", 0).not_yet_valid);
  ck_assert(at("", 864001).expired && !at("", 864000).expired);
  expect_text(at("", 0).key, "ECDSA P-384");
  ck_assert_uint_eq(at("", 0).curve, 0x0018);
}
END_TEST

START_TEST(chains_are_bounded_and_may_be_rubbish) {
  auto der = make_certificate("", "leaf", 0);
  std::vector<ctl::Der> chain(100, der);
  chain[1] = {0x30, 0x03, 0x02, 0x01, 0x01};
  auto facts = value_of(ctl::certificate_facts(chain, "", 0));
  ck_assert_uint_eq(facts.chain.size(), 15);
  expect_text(facts.chain[0], "unreadable");
  expect_text(facts.chain[1], "CN=leaf");
  ck_assert(facts.names.empty());
  (void)error_of(ctl::certificate_facts({}, "", 0));
  (void)error_of(ctl::certificate_facts({{}}, "", 0));
  for (std::size_t cut = 1; cut < der.size(); cut += 5) {
    (void)error_of(ctl::certificate_facts({{der.begin(), der.end() - cut}}, "", 0));
  }
}
END_TEST

// --- printing
// -------------------------------------------------------------------------------------

START_TEST(nothing_from_outside_reaches_the_terminal_raw) {
  expect_text(ctl::printable("plain ~ Zürich 漢字 😀"), "plain ~ Zürich 漢字 😀");
  expect_text(ctl::printable("\x1b[31m\r\n\t\x7f"), "\\x1b[31m\\x0d\\x0a\\x09\\x7f");
  expect_text(ctl::printable(std::string_view("a\0b", 3)), "a\\x00b");
  expect_text(ctl::printable("\xc2\x9b"
                             "31m"),
              "\\xc2\\x9b31m");  // C1: CSI
  expect_text(ctl::printable("\xe2\x80\xae"
                             "x"),
              "\\xe2\\x80\\xaex");                                 // right-to-left override
  expect_text(ctl::printable("\xef\xbb\xbf"), "\\xef\\xbb\\xbf");  // byte order mark
  expect_text(ctl::printable("\xff\xc3"), "\\xff\\xc3");           // not UTF-8
  expect_text(ctl::printable("\xc0\x8a\xe0\x80\x8a"), "\\xc0\\x8a\\xe0\\x80\\x8a");  // overlong
  expect_text(ctl::printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");                    // a surrogate
  expect_text(ctl::printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
}
END_TEST

START_TEST(long_lines_are_wrapped_at_spaces) {
  expect_text(ctl::wrapped(""), "");
  expect_text(ctl::wrapped("a b\n\nc\n"), "a b\n\nc\n");
  std::string word(40, 'x');
  expect_text(ctl::wrapped(word + " " + word + " y"), word + "\n" + word + " y");
  std::string shorter(39, 'x');
  expect_text(ctl::wrapped(word + " " + shorter + " y"), word + " " + shorter + "\ny");
  std::string longer(100, 'x');
  expect_text(ctl::wrapped("a " + longer + " b"), "a\n" + longer + "\nb");
}
END_TEST

START_TEST(tables_are_aligned) {
  ctl::Table table({"NAME", "N"});
  table.add({"Zürich", "1"});
  table.add({"x", "", "third"});
  expect_text(table.text("  "), "  NAME    N\n  Zürich  1\n  x          third\n");
}
END_TEST

// --- hellos
// ---------------------------------------------------------------------------------------

START_TEST(offers_hold_one_version_each) {
  for (Protocol version : {Protocol::tls1_0, Protocol::tls1_1, Protocol::tls1_2}) {
    hello::Offer offer = ctl::offer_all(version, "example.org");
    ck_assert_uint_eq(offer.legacy_version, static_cast<unsigned>(version));
    ck_assert(!offer.supported_versions && !offer.key_shares);
    ck_assert(offer.signature_algorithms.has_value() == (version == Protocol::tls1_2));
    for (std::uint16_t group : *offer.supported_groups) ck_assert_uint_lt(group, 0x0100);
  }
  hello::Offer newest = ctl::offer_all(Protocol::tls1_3, "example.org");
  ck_assert_uint_eq(newest.legacy_version, 0x0303);
  ck_assert(newest.supported_versions == std::vector<std::uint16_t>{0x0304});
  ck_assert(newest.key_shares && newest.key_shares->empty());
  expect_text(newest.server_name, "example.org");
  hello::Offer oldest = ctl::offer_all(Protocol::ssl3, "example.org");
  ck_assert(oldest.server_name.empty() && !oldest.supported_groups);
  ck_assert_uint_eq(oldest.cipher_suites.back(), 0x00ff);
  ck_assert(ctl::offer_all(Protocol::tls1_2, "192.0.2.1").server_name.empty());
}
END_TEST

}  // namespace

Suite* ctl_suite() {
  Suite* suite = suite_create("ctl");
  TCase* tests = tcase_create("ctl");
  tcase_add_test(tests, the_table_agrees_with_openssl);
  tcase_add_test(tests, suites_are_found_by_id_and_by_name);
  tcase_add_test(tests, each_version_has_suites_of_its_own);
  tcase_add_test(tests, endpoints);
  tcase_add_test(tests, http_answers);
  tcase_add_test(tests, the_number_of_fields_kept_is_bounded);
  tcase_add_test(tests, the_end_of_a_header);
  tcase_add_test(tests, hsts_fields_by_the_grammar_of_rfc6797);
  tcase_add_test(tests, certificates_say_what_they_are);
  tcase_add_test(tests, certificates_in_time_and_for_names);
  tcase_add_test(tests, chains_are_bounded_and_may_be_rubbish);
  tcase_add_test(tests, nothing_from_outside_reaches_the_terminal_raw);
  tcase_add_test(tests, long_lines_are_wrapped_at_spaces);
  tcase_add_test(tests, tables_are_aligned);
  tcase_add_test(tests, offers_hold_one_version_each);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
