// SPDX-License-Identifier: Apache-2.0
#include "scripted_ca.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <set>

#include "acme/jws.h"
#include "acme/nonce_pool.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

std::shared_ptr<const acme::Signer> signer(crypto::KeyType type, crypto::Key* copy = nullptr) {
  auto key = value_of(crypto::generate_key(type));
  if (copy != nullptr) {
    EVP_PKEY_up_ref(key.get());
    copy->reset(key.get());
  }
  return value_of(acme::Signer::make(std::move(key)));
}

START_TEST(each_key_type_signs_in_its_way) {
  for (auto [type, algorithm, key_kind, size] :
       {std::tuple{crypto::KeyType::p256, "ES256", "EC", 64UL},
        std::tuple{crypto::KeyType::p384, "ES384", "EC", 96UL},
        std::tuple{crypto::KeyType::rsa2048, "RS256", "RSA", 256UL}}) {
    crypto::Key key;
    auto with = signer(type, &key);
    std::string jws = value_of(with->sign({"", "n", "https://ca.example/a?b=\"c\""}, "{\"a\":1}"));
    ck_assert(jws_is_signed_by(jws, key.get()));
    json header = jws_header(jws);
    ck_assert(header == (json{{"alg", algorithm},
                              {"jwk", json::parse(with->jwk())},
                              {"nonce", "n"},
                              {"url", "https://ca.example/a?b=\"c\""}}));
    expect_text(header["jwk"]["kty"].get<std::string>(), key_kind);
    expect_text(jws_payload(jws), "{\"a\":1}");
    auto signature = json::parse(jws).at("signature").get<std::string>();
    ck_assert_uint_eq(value_of(crypto::from_base64url(signature)).size(), size);
    // Another key's is none.
    ck_assert(!jws_is_signed_by(value_of(signer(type)->sign({"", "n", "u"}, "")), key.get()));
  }
}
END_TEST

START_TEST(short_numbers_keep_their_length) {
  crypto::Key key;
  auto with = signer(crypto::KeyType::p256, &key);
  for (int i = 0; i < 600; ++i) {  // one in 128 has a number that begins with a zero byte
    std::string jws = value_of(with->sign({"kid", "n", "u"}, std::to_string(i)));
    auto signature = json::parse(jws).at("signature").get<std::string>();
    ck_assert_uint_eq(signature.size(), 86);
    if (i % 50 == 0) ck_assert(jws_is_signed_by(jws, key.get()));
  }
  for (int i = 0; i < 300; ++i) {
    json jwk = json::parse(signer(crypto::KeyType::p256)->jwk());
    ck_assert_uint_eq(jwk.at("x").get<std::string>().size(), 43);
    ck_assert_uint_eq(jwk.at("y").get<std::string>().size(), 43);
  }
}
END_TEST

START_TEST(an_account_is_named_instead_of_its_key) {
  std::string jws =
      value_of(signer(crypto::KeyType::p256)->sign({ca_account, "n", "https://ca.example/x"}, ""));
  ck_assert(
      jws_header(jws) ==
      (json{
          {"alg", "ES256"}, {"kid", ca_account}, {"nonce", "n"}, {"url", "https://ca.example/x"}}));
  expect_text(jws_payload(jws), "");
}
END_TEST

START_TEST(thumbprints_are_of_the_bare_key) {
  auto with = signer(crypto::KeyType::p384);
  json jwk = json::parse(with->jwk());
  ck_assert_uint_eq(jwk.size(), 4);
  // RFC 7638 3: members by name, no white space.
  std::string canonical = R"({"crv":"P-384","kty":"EC","x":")" + jwk["x"].get<std::string>() +
                          R"(","y":")" + jwk["y"].get<std::string>() + "\"}";
  expect_text(with->jwk(), canonical);
  expect_text(with->thumbprint(), crypto::base64url(crypto::sha256(canonical)));
  json rsa = json::parse(signer(crypto::KeyType::rsa2048)->jwk());
  ck_assert_uint_eq(rsa.size(), 3);
  expect_text(rsa["e"].get<std::string>(), "AQAB");
  ck_assert_uint_eq(value_of(crypto::from_base64url(rsa["n"].get<std::string>())).size(), 256);
}
END_TEST

// The key of RFC 7638 3.1, from n in base64url.
crypto::Key rsa_key(std::string_view modulus) {
  auto n = value_of(crypto::from_base64url(modulus));
  BIGNUM* number = BN_bin2bn(n.bytes().data(), static_cast<int>(n.size()), nullptr);
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  ck_assert_int_eq(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, number), 1);
  ck_assert_int_eq(OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, 65537), 1);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  ck_assert_int_eq(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(number);
  return crypto::Key(key);
}

START_TEST(the_thumbprint_is_that_of_the_rfc) {
  auto with = value_of(acme::Signer::make(
      rsa_key("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS"
              "oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65"
              "YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr"
              "dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
              "nqDKgw")));
  expect_text(with->thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
END_TEST

START_TEST(other_keys_are_refused) {
  crypto::Key ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  auto made = acme::Signer::make(std::move(ed25519));
  ck_assert(!made && made.error().next == Next::never);
  ck_assert(!acme::Signer::make(nullptr));
}
END_TEST

START_TEST(external_accounts_sign_with_hmac) {
  for (auto [algorithm, digest, size] :
       {std::tuple{"HS256", EVP_sha256(), 32UL}, std::tuple{"HS384", EVP_sha384(), 48UL},
        std::tuple{"HS512", EVP_sha512(), 64UL}}) {
    std::vector<std::uint8_t> key(size, 7);
    std::string jws =
        value_of(acme::sign_with_hmac(key, algorithm, {"kid-1", "", "https://ca.example/n"}, "p"));
    json header{{"alg", algorithm}, {"kid", "kid-1"}, {"url", "https://ca.example/n"}};
    ck_assert(jws_header(jws) == header);
    json parts = json::parse(jws);
    std::string input =
        parts["protected"].get<std::string>() + "." + parts["payload"].get<std::string>();
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &mac_size);
    expect_text(parts["signature"].get<std::string>(),
                crypto::base64url(std::span<const std::uint8_t>(mac, mac_size)));
  }
  std::vector<std::uint8_t> short_key(47, 7);
  for (const char* algorithm : {"HS384", "HS512", "HS1", "none", "ES256", ""}) {
    ck_assert(!acme::sign_with_hmac(short_key, algorithm, {"kid", "", "u"}, "p"));
  }
  ck_assert(acme::sign_with_hmac(short_key, "HS256", {"kid", "", "u"}, "p").has_value());
  ck_assert(!acme::sign_with_hmac(short_key, "HS256", {"", "", "u"}, "p"));
  ck_assert(!acme::sign_with_hmac({}, "HS256", {"kid", "", "u"}, "p"));
}
END_TEST

START_TEST(nonces_are_given_once_and_the_newest_first) {
  acme::NoncePool pool;
  ck_assert(!pool.take());
  pool.put("a");
  pool.put("b");
  expect_text(*pool.take(), "b");
  expect_text(*pool.take(), "a");
  ck_assert(!pool.take());
}
END_TEST

START_TEST(the_oldest_nonces_go) {
  acme::NoncePool pool;
  for (std::size_t i = 0; i < 2 * pool.max_nonces; ++i) pool.put(std::to_string(i));
  std::set<std::string> left;
  while (auto nonce = pool.take()) left.insert(*nonce);
  ck_assert_uint_eq(left.size(), pool.max_nonces);
  ck_assert(left.contains(std::to_string(2 * pool.max_nonces - 1)));
  ck_assert(!left.contains("0"));
}
END_TEST

START_TEST(what_is_no_nonce) {
  auto nonce = [](const std::string& value) {
    return acme::nonce_of({200, {{"replay-nonce", value}}, ""});
  };
  expect_text(*nonce("Ab0-_"), "Ab0-_");
  ck_assert(!acme::nonce_of({}));
  for (const char* value : {"", "a=", "a b", "a\"b", "a,b", "a+b", "a/b", "\xc3\xa4"}) {
    ck_assert_msg(!nonce(value), "%s", value);
  }
  ck_assert(nonce(std::string(512, 'a')).has_value());
  ck_assert(!nonce(std::string(513, 'a')));
}
END_TEST

}  // namespace

Suite* jws_suite() {
  Suite* suite = suite_create("jws");
  TCase* tcase = tcase_create("jws");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, each_key_type_signs_in_its_way);
  tcase_add_test(tcase, short_numbers_keep_their_length);
  tcase_add_test(tcase, an_account_is_named_instead_of_its_key);
  tcase_add_test(tcase, thumbprints_are_of_the_bare_key);
  tcase_add_test(tcase, the_thumbprint_is_that_of_the_rfc);
  tcase_add_test(tcase, other_keys_are_refused);
  tcase_add_test(tcase, external_accounts_sign_with_hmac);
  tcase_add_test(tcase, nonces_are_given_once_and_the_newest_first);
  tcase_add_test(tcase, the_oldest_nonces_go);
  tcase_add_test(tcase, what_is_no_nonce);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
