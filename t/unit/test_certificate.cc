// SPDX-License-Identifier: Apache-2.0
// Certificates read and judged; requests for them.
#include "suites.h"

#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "crypto/general_names.h"
#include "crypto/keys.h"
#include "expect.h"
#include "issued.h"

namespace tlsguard::test {
namespace {

using crypto::CertificateFacts;
using crypto::Chain;
using crypto::KeyType;
using Names = std::vector<std::string>;

// A leaf with its key, issued by an intermediate of a root.
struct Fixture {
  Issuer root = make_issuer("Test Root", nullptr);
  Issuer intermediate = make_issuer("Test Intermediate", &root);
  crypto::Key key = value_of(crypto::generate_key(KeyType::p256));

  Chain chain(const Names& names, const LeafOptions& options = {}) const {
    return value_of(crypto::parse_chain(chain_pem_for(names, key.get(), intermediate, options)));
  }
};

START_TEST(a_chain_survives_pem) {
  Fixture f;
  std::string pem = chain_pem_for({"example.org"}, f.key.get(), f.intermediate);
  Chain chain = value_of(crypto::parse_chain(pem));
  ck_assert_uint_eq(chain.size(), 2);
  expect_text(value_of(crypto::chain_to_pem(chain)), pem);
  // Windows line ends and explanations between the blocks are common in files made by hand.
  std::string noisy = "Subject: example.org\r\n";
  for (char c : pem) noisy += c == '\n' ? std::string("\r\n") : std::string(1, c);
  ck_assert_uint_eq(value_of(crypto::parse_chain(noisy + "\n# the end\n")).size(), 2);
}
END_TEST

START_TEST(whatever_else_is_in_a_chain_is_refused) {
  Fixture f;
  std::string pem = chain_pem_for({"example.org"}, f.key.get(), f.intermediate);
  std::string key(value_of(crypto::key_to_pem(f.key.get())).text());
  for (const std::string& text :
       {pem + key, key + pem, pem + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        pem + "-----BEGIN TRUSTED CERTIFICATE-----\n", pem + "-----BEGIN "}) {
    std::string error = error_of(crypto::parse_chain(text));
    expect_contains(error, "something else than certificates");
    ck_assert(error.find("BEGIN") == std::string::npos);
  }
  expect_contains(error_of(crypto::parse_chain("")), "no certificate");
  expect_contains(error_of(crypto::parse_chain("<html>404</html>")), "no certificate");
  expect_contains(error_of(crypto::parse_chain(std::string(crypto::max_chain_pem + 1, ' '))),
                  "more than 262144 bytes");
  std::string many;
  for (int i = 0; i < 6; ++i) many += pem;
  expect_contains(error_of(crypto::parse_chain(many)), "more than 10 certificates");
  error_of(crypto::parse_chain(pem.substr(0, pem.size() - 40)));
  error_of(crypto::parse_chain("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"));
  error_of(crypto::parse_chain("-----BEGIN CERTIFICATE-----\nnot base64!\n"));
}
END_TEST

START_TEST(facts_are_what_the_certificate_says) {
  Fixture f;
  Chain chain = f.chain({"Example.org", "*.Example.org", "192.0.2.7", "2001:DB8:0:0::1"});
  CertificateFacts facts = value_of(crypto::facts_of(chain[0].get()));
  ck_assert(facts.dns_names == Names({"example.org", "*.example.org"}));
  ck_assert(facts.ip_addresses == Names({"192.0.2.7", "2001:db8::1"}));
  expect_text(facts.issuer, "Test Intermediate");
  ck_assert_int_eq(facts.not_before, test_now - one_day);
  ck_assert_int_eq(facts.not_after, test_now + 90 * one_day);
  expect_text(facts.key_type, "P-256");
  ck_assert(!facts.has_ocsp);
  ck_assert_uint_eq(facts.serial.size(), 32);
  unsigned char* der = nullptr;
  int size = i2d_X509(chain[0].get(), &der);
  expect_text(
      facts.sha256,
      crypto::hex(crypto::sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)})));
  OPENSSL_free(der);
  ck_assert(value_of(crypto::facts_of(chain[0].get())) == facts);
  error_of(crypto::facts_of(nullptr));
}
END_TEST

START_TEST(facts_of_unusual_certificates) {
  crypto::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
  crypto::CertificateBuilder builder(key.get(), nullptr);
  builder.subject("A\nB", "").valid(0, 4'102'444'800);
  builder.extension(NID_info_access, "OCSP;URI:http://ocsp.example/");
  auto certificate = value_of(builder.sign(key.get()));
  ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 0x0abc), 1);
  CertificateFacts facts = value_of(crypto::facts_of(certificate.get()));
  expect_text(facts.key_type, "RSA1024");
  expect_text(facts.serial, "abc");
  ck_assert(facts.has_ocsp);
  ck_assert_int_eq(facts.not_before, 0);
  ck_assert_int_eq(facts.not_after, 4'102'444'800);
  ck_assert(facts.dns_names.empty());
  expect_contains(facts.issuer, "O=A");
  ck_assert(facts.issuer.find('\n') == std::string::npos);
}
END_TEST

// RFC 6125 6.4.3.
START_TEST(a_wildcard_covers_one_label) {
  CertificateFacts facts;
  facts.dns_names = {"example.org", "*.example.org", "*.deep.example.net"};
  facts.ip_addresses = {"192.0.2.7", "2001:db8::1"};
  for (const char* name : {"example.org", "www.example.org", "*.example.org", "a.deep.example.net",
                           "192.0.2.7", "2001:db8::1", "2001:DB8:0::1"}) {
    ck_assert_msg(facts.covers(name), "%s", name);
  }
  for (const char* name :
       {"", ".example.org", "a.b.example.org", "deep.example.net", "*.www.example.org",
        "example.net", "org", "xexample.org", "192.0.2.8", "2001:db8::2", "[2001:db8::1]"}) {
    ck_assert_msg(!facts.covers(name), "%s", name);
  }
  // An address is never matched by a DNS name.
  facts.dns_names = {"192.0.2.9", "*.0.2.9"};
  ck_assert(!facts.covers("192.0.2.9"));
}
END_TEST

START_TEST(a_good_chain_may_be_served) {
  Fixture f;
  for (KeyType type : {KeyType::p256, KeyType::p384, KeyType::rsa2048}) {
    f.key = value_of(crypto::generate_key(type));
    Chain chain = f.chain({"example.org", "*.example.org", "192.0.2.7"});
    Names names{"example.org", "any.example.org", "192.0.2.7"};
    value_of(crypto::check_servable(chain, f.key.get(), names, test_now).map([] { return true; }));
    ck_assert(crypto::check_servable(chain, f.key.get(), {}, test_now - one_day).has_value());
    ck_assert(crypto::check_servable(chain, f.key.get(), {}, test_now + 90 * one_day).has_value());
  }
  ck_assert(
      crypto::check_servable(f.chain({"a.example"}, {.usage = "anyExtendedKeyUsage,serverAuth"}),
                             f.key.get(), {"a.example"}, test_now)
          .has_value());
}
END_TEST

START_TEST(what_must_not_be_served_is_told_apart) {
  Fixture f;
  auto other = value_of(crypto::generate_key(KeyType::p256));
  auto judged = [&](const Chain& chain, const EVP_PKEY* key, const Names& names,
                    UnixSeconds now = test_now) {
    return error_of(crypto::check_servable(chain, key, names, now));
  };
  Chain chain = f.chain({"example.org"});
  expect_contains(judged(chain, other.get(), {"example.org"}), "key does not belong");
  expect_contains(judged(chain, nullptr, {"example.org"}), "key does not belong");
  expect_contains(judged({}, f.key.get(), {"example.org"}), "no certificate");
  expect_contains(judged(chain, f.key.get(), {"example.org", "a.example", "192.0.2.1"}),
                  "not for a.example, 192.0.2.1");
  expect_contains(judged(chain, f.key.get(), {}, test_now - one_day - 1), "valid only from");
  expect_contains(judged(chain, f.key.get(), {}, test_now + 90 * one_day + 1), "expired at");
  expect_contains(judged(f.chain({"example.org"}, {.usage = "clientAuth"}), f.key.get(), {}),
                  "TLS servers");
  // Names in the CN alone do not count (RFC 6125 6.4.4).
  expect_contains(judged(f.chain({}), f.key.get(), {"example.org"}), "not for example.org");
}
END_TEST

START_TEST(each_certificate_is_signed_by_the_next) {
  Fixture f;
  Issuer same_name = make_issuer("Test Intermediate", &f.root);
  for (const Issuer* wrong : {&f.root, &same_name}) {
    Chain chain = f.chain({"example.org"});
    X509_up_ref(wrong->certificate.get());
    chain[1].reset(wrong->certificate.get());
    expect_contains(error_of(crypto::check_servable(chain, f.key.get(), {}, test_now)),
                    "certificate 1 of the chain is not signed by the next");
  }
  Chain longer = f.chain({"example.org"});
  X509_up_ref(f.root.certificate.get());
  longer.emplace_back(f.root.certificate.get());
  ck_assert(crypto::check_servable(longer, f.key.get(), {}, test_now).has_value());
  std::swap(longer[1], longer[2]);
  error_of(crypto::check_servable(longer, f.key.get(), {}, test_now));
}
END_TEST

crypto::Key weak_key() {
  return crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
}

Chain signed_with_sha1(const Chain& chain, std::size_t i, const Issuer& issuer) {
  X509* certificate = chain[i].get();
  ck_assert_int_gt(X509_sign(certificate, issuer.key.get(), EVP_sha1()), 0);
  return value_of(crypto::parse_chain(value_of(crypto::chain_to_pem(chain))));
}

START_TEST(weak_keys_and_signatures_are_refused) {
  Fixture f;
  auto judged = [](const Chain& chain, const EVP_PKEY* key) {
    return error_of(crypto::check_servable(chain, key, {"example.org"}, test_now));
  };
  Fixture leaf;
  leaf.key = weak_key();
  expect_contains(judged(leaf.chain({"example.org"}), leaf.key.get()),
                  "the key of certificate 1 of the chain is too weak: 80 bits of security, 112");
  Fixture above;
  above.intermediate.key = weak_key();
  crypto::CertificateBuilder builder(above.intermediate.key.get(), above.root.certificate.get());
  builder.subject("", "Test Intermediate").valid(test_now - one_day, test_now + 90 * one_day);
  builder.extension(NID_subject_key_identifier, "hash");
  above.intermediate.certificate = value_of(builder.sign(above.root.key.get()));
  expect_contains(judged(above.chain({"example.org"}), above.key.get()), "key of certificate 2");

  expect_contains(
      judged(signed_with_sha1(f.chain({"example.org"}), 0, f.intermediate), f.key.get()),
      "certificate 1 of the chain has a signature that is too weak");
  expect_contains(judged(signed_with_sha1(f.chain({"example.org"}), 1, f.root), f.key.get()),
                  "certificate 2 of the chain has a signature that is too weak");
  // Nobody relies on how a root has signed itself.
  Chain longer = f.chain({"example.org"});
  X509_up_ref(f.root.certificate.get());
  longer.emplace_back(f.root.certificate.get());
  Chain with_root = signed_with_sha1(longer, 2, f.root);
  ck_assert(crypto::check_servable(with_root, f.key.get(), {"example.org"}, test_now).has_value());
}
END_TEST

struct ReadRequest {
  std::string common_name;
  CertificateFacts names;  // only the names are read
};

ReadRequest read_request(const std::string& der, const EVP_PKEY* key) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()));
  ck_assert_ptr_nonnull(request);
  ck_assert_int_eq(X509_REQ_verify(request, const_cast<EVP_PKEY*>(key)), 1);
  ck_assert_int_eq(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), key), 1);
  // Into a certificate, for facts_of to read.
  crypto::CertificateBuilder builder(key, nullptr);
  builder.valid(0, 1);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  ck_assert_int_eq(sk_X509_EXTENSION_num(extensions), 1);
  auto* names = static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  builder.names(names, false);
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  ReadRequest read;
  char common_name[100] = "";
  if (X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, common_name,
                                sizeof common_name) > 0) {
    read.common_name = common_name;
  }
  ck_assert_int_le(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 1);
  X509_REQ_free(request);
  read.names = value_of(crypto::facts_of(value_of(builder.sign(key)).get()));
  return read;
}

// RFC 8555 7.4: the names as SAN; nginx-acme and others met CAs that refuse a CN of over 64.
START_TEST(a_request_asks_for_exactly_the_names) {
  auto ec = value_of(crypto::generate_key(KeyType::p256));
  auto rsa = value_of(crypto::generate_key(KeyType::rsa2048));
  for (const auto* key : {ec.get(), rsa.get()}) {
    auto read =
        read_request(value_of(crypto::make_csr_der(
                         {"*.example.org", "example.org", "192.0.2.7", "2001:db8::1"}, key)),
                     key);
    expect_text(read.common_name, "*.example.org");
    ck_assert(read.names.dns_names == Names({"*.example.org", "example.org"}));
    ck_assert(read.names.ip_addresses == Names({"192.0.2.7", "2001:db8::1"}));
  }
  auto address = read_request(
      value_of(crypto::make_csr_der({"192.0.2.7", "example.org"}, ec.get())), ec.get());
  expect_text(address.common_name, "");
  const std::string suffix = ".example.org";
  const std::string fits = std::string(64 - suffix.size(), 'a') + suffix;
  expect_text(read_request(value_of(crypto::make_csr_der({fits}, ec.get())), ec.get()).common_name,
              fits);
  const std::string longer = "b." + fits;
  auto none =
      read_request(value_of(crypto::make_csr_der({longer, "b.example"}, ec.get())), ec.get());
  expect_text(none.common_name, "");
  ck_assert(none.names.dns_names == Names({longer, "b.example"}));
}
END_TEST

START_TEST(no_request_is_made_for_what_is_no_name) {
  auto key = value_of(crypto::generate_key(KeyType::p256));
  const std::string nul("a\0.example", 10);
  for (const std::string& wrong :
       {std::string(), std::string("a b.example"), std::string("m\xc3\xbcller.example"), nul,
        std::string("a..example"), std::string(".example"), std::string("example."),
        std::string("a.*.example"), std::string("*"), std::string(64, 'a') + ".example",
        std::string("[2001:db8::1]"), std::string("2001:db8::1%eth0"), std::string("a.example:443"),
        std::string("a\r\nb.example")}) {
    auto made = crypto::make_csr_der({"example.org", wrong}, key.get());
    expect_contains(error_of(made), "neither a host name nor an IP address");
    ck_assert(made.error().next == Next::never);
  }
  std::string long_name;
  for (int i = 0; i < 64; ++i) long_name += "abc.";
  error_of(crypto::make_csr_der({long_name + "x"}, key.get()));
  expect_contains(error_of(crypto::make_csr_der({}, key.get())), "one name at least");
}
END_TEST

}  // namespace

Suite* certificate_suite() {
  Suite* suite = suite_create("certificate");
  TCase* tcase = tcase_create("certificate");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, a_chain_survives_pem);
  tcase_add_test(tcase, whatever_else_is_in_a_chain_is_refused);
  tcase_add_test(tcase, facts_are_what_the_certificate_says);
  tcase_add_test(tcase, facts_of_unusual_certificates);
  tcase_add_test(tcase, a_wildcard_covers_one_label);
  tcase_add_test(tcase, a_good_chain_may_be_served);
  tcase_add_test(tcase, what_must_not_be_served_is_told_apart);
  tcase_add_test(tcase, each_certificate_is_signed_by_the_next);
  tcase_add_test(tcase, weak_keys_and_signatures_are_refused);
  tcase_add_test(tcase, a_request_asks_for_exactly_the_names);
  tcase_add_test(tcase, no_request_is_made_for_what_is_no_name);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
