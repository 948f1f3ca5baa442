// SPDX-License-Identifier: Apache-2.0
// Keys, base64url, and what is sealed.
#include "suites.h"

#include <openssl/pem.h>

#include <algorithm>
#include <string>

#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/sealing.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using crypto::KeyType;
using crypto::SealingKey;
using crypto::SecretBytes;

constexpr KeyType all_types[] = {KeyType::p256, KeyType::p384, KeyType::rsa2048, KeyType::rsa3072,
                                 KeyType::rsa4096};

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A key of a kind that no CA of ours signs, as PEM of its own format.
std::string foreign_pem(const EVP_PKEY* key) {
  crypto::Bio bio(BIO_new(BIO_s_mem()));
  ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(bio.get(), const_cast<EVP_PKEY*>(key),
                                                        nullptr, nullptr, 0, nullptr, nullptr),
                   1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

START_TEST(key_types_are_known_by_all_their_names) {
  for (KeyType type : all_types) {
    ck_assert(value_of(crypto::parse_key_type(crypto::key_type_name(type))) == type);
  }
  ck_assert(value_of(crypto::parse_key_type("p-256")) == KeyType::p256);
  ck_assert(value_of(crypto::parse_key_type("prime256v1")) == KeyType::p256);
  ck_assert(value_of(crypto::parse_key_type("SECP256R1")) == KeyType::p256);
  ck_assert(value_of(crypto::parse_key_type("secp384r1")) == KeyType::p384);
  ck_assert(value_of(crypto::parse_key_type("RSA")) == KeyType::rsa2048);
  ck_assert(value_of(crypto::parse_key_type("RSA3072")) == KeyType::rsa3072);
  for (const char* wrong : {"", "P-521", "rsa1024", "ed25519", "P-256 "}) {
    auto parsed = crypto::parse_key_type(wrong);
    expect_contains(error_of(parsed), "P-256, P-384, rsa2048, rsa3072, rsa4096");
    ck_assert(parsed.error().next == Next::never);
  }
}
END_TEST

START_TEST(keys_survive_der_and_pem) {
  for (KeyType type : all_types) {
    auto key = value_of(crypto::generate_key(type));
    ck_assert(crypto::key_type_of(key.get()) == type);
    auto der = value_of(crypto::key_to_der(key.get()));
    auto again = value_of(crypto::key_from_der(type, der.bytes()));
    ck_assert_int_eq(EVP_PKEY_eq(key.get(), again.get()), 1);
    auto pem = value_of(crypto::key_to_pem(key.get()));
    ck_assert(pem.text().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    auto third = value_of(crypto::key_from_pem(pem.text()));
    ck_assert_int_eq(EVP_PKEY_eq(key.get(), third.get()), 1);
    // As OpenSSL's older commands write them, with what may stand before.
    auto old = value_of(crypto::key_from_pem("of example.org\n" + foreign_pem(key.get())));
    ck_assert_int_eq(EVP_PKEY_eq(key.get(), old.get()), 1);
  }
}
END_TEST

START_TEST(a_key_is_of_the_type_it_is_read_as) {
  auto key = value_of(crypto::generate_key(KeyType::p256));
  auto der = value_of(crypto::key_to_der(key.get()));
  expect_contains(error_of(crypto::key_from_der(KeyType::p384, der.bytes())), "no P-384 key");
  expect_contains(error_of(crypto::key_from_der(KeyType::rsa2048, der.bytes())), "no rsa2048 key");
  auto rsa = value_of(crypto::key_to_der(value_of(crypto::generate_key(KeyType::rsa2048)).get()));
  expect_contains(error_of(crypto::key_from_der(KeyType::rsa3072, rsa.bytes())), "no rsa3072 key");
  expect_contains(error_of(crypto::key_from_der(KeyType::p256, rsa.bytes())), "no P-256 key");
}
END_TEST

START_TEST(broken_keys_are_errors_that_tell_nothing) {
  auto der = value_of(crypto::key_to_der(value_of(crypto::generate_key(KeyType::p256)).get()));
  for (std::size_t size = 0; size < der.size(); ++size) {
    error_of(crypto::key_from_der(KeyType::p256, der.bytes().first(size)));
  }
  std::string longer(der.text());
  expect_contains(error_of(crypto::key_from_der(KeyType::p256, bytes_of(longer + "x"))),
                  "no P-256 key");
  expect_contains(
      error_of(crypto::key_from_der(KeyType::p256, bytes_of(std::string(1 << 20, '0')))),
      "this size");
  expect_contains(error_of(crypto::key_from_pem("")), "no private key");
  expect_contains(error_of(crypto::key_from_pem(std::string(1 << 20, '-'))), "more than");
  const std::string secret = "MHcCAQEEIBADBADBADBADBADBADBADBADBADBADBADBADBADBADBAD";
  std::string text = error_of(crypto::key_from_pem("-----BEGIN EC PRIVATE KEY-----\n" + secret +
                                                   "\n-----END EC PRIVATE KEY-----\n"));
  ck_assert_msg(text.find("BADBAD") == std::string::npos, "%s", text.c_str());
}
END_TEST

START_TEST(an_encrypted_key_says_so) {
  auto key = value_of(crypto::generate_key(KeyType::p256));
  for (bool pkcs8 : {true, false}) {
    crypto::Bio bio(BIO_new(BIO_s_mem()));
    auto write = pkcs8 ? PEM_write_bio_PKCS8PrivateKey : nullptr;
    int written = write != nullptr
                      ? write(bio.get(), key.get(), EVP_aes_256_cbc(), "abcd", 4, nullptr, nullptr)
                      : PEM_write_bio_PrivateKey_traditional(
                            bio.get(), key.get(), EVP_aes_256_cbc(),
                            reinterpret_cast<const unsigned char*>("abcd"), 4, nullptr, nullptr);
    ck_assert_int_eq(written, 1);
    char* data = nullptr;
    long size = BIO_get_mem_data(bio.get(), &data);
    auto read = crypto::key_from_pem({data, static_cast<std::size_t>(size)});
    expect_contains(error_of(read), "encrypted with a passphrase");
    ck_assert(read.error().next == Next::never);
  }
}
END_TEST

START_TEST(other_keys_have_no_type_of_ours) {
  crypto::Key keys[] = {crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
                        crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp521r1")),
                        crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}))};
  for (const auto& key : keys) {
    ck_assert_ptr_nonnull(key.get());
    ck_assert(!crypto::key_type_of(key.get()).has_value());
  }
  ck_assert(!crypto::key_type_of(nullptr).has_value());
}
END_TEST

// RFC 4648 10, RFC 7515 A.1.1 and C.
START_TEST(base64url_is_that_of_the_rfcs) {
  for (auto [plain, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"f", "Zg"},
           {"fo", "Zm8"},
           {"foo", "Zm9v"},
           {"foob", "Zm9vYg"},
           {"fooba", "Zm9vYmE"},
           {"foobar", "Zm9vYmFy"},
           {"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"},
           {"\x03\xec\xff\xe0\xc1", "A-z_4ME"}}) {
    expect_text(crypto::base64url(plain), text);
    expect_text(value_of(crypto::from_base64url(text)).text(), plain);
  }
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  for (std::size_t size = 0; size <= every.size(); ++size) {
    std::string part = every.substr(0, size);
    expect_text(value_of(crypto::from_base64url(crypto::base64url(part))).text(), part);
  }
}
END_TEST

START_TEST(base64url_is_read_strictly) {
  const std::string nul("Zg\0A", 4);
  for (const std::string& wrong : {std::string("Zg=="), std::string("Zm9="), std::string("Zm9v\n"),
                                   std::string(" Zm9v"), std::string("Zm+v"), std::string("Zm/v"),
                                   nul, std::string("Z\xc3\xa4g"), std::string("Zm9vY")}) {
    std::string text = error_of(crypto::from_base64url(wrong));
    expect_contains(text, "base64url");
    ck_assert_msg(text.find(wrong) == std::string::npos, "%s", text.c_str());
  }
  expect_contains(error_of(crypto::from_base64url("Zh")), "mean nothing");
  expect_contains(error_of(crypto::from_base64url("Zm9")), "mean nothing");
}
END_TEST

START_TEST(digests_are_those_of_fips_180) {
  expect_text(crypto::hex(crypto::sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect_text(crypto::hex(crypto::sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(what_is_sealed_opens_with_key_and_purpose_only) {
  auto key = value_of(SealingKey::generate());
  auto other = value_of(SealingKey::generate());
  const std::string secret(1000, 's');
  std::string sealed = value_of(key.seal(bytes_of(secret), "for a"));
  ck_assert_uint_eq(sealed.size(), secret.size() + 29);
  expect_text(value_of(key.unseal(sealed, "for a")).text(), secret);
  auto copy = value_of(SealingKey::from_bytes(key.bytes()));
  expect_text(value_of(copy.unseal(sealed, "for a")).text(), secret);
  expect_contains(error_of(key.unseal(sealed, "for b")), "another key or for another purpose");
  expect_contains(error_of(key.unseal(sealed, "")), "another key");
  expect_contains(error_of(other.unseal(sealed, "for a")), "another key");
  ck_assert(value_of(key.seal(bytes_of(secret), "for a")) != sealed);
  std::string empty = value_of(key.seal({}, ""));
  ck_assert(value_of(key.unseal(empty, "")).empty());
}
END_TEST

START_TEST(no_byte_of_what_is_sealed_can_change) {
  auto key = value_of(SealingKey::generate());
  const std::string sealed = value_of(key.seal(bytes_of("the key of example.org"), "purpose"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    error_of(key.unseal(changed, "purpose"));
    error_of(key.unseal(sealed.substr(0, i), "purpose"));
  }
  error_of(key.unseal(sealed + "x", "purpose"));
  error_of(key.unseal(std::string(17UL << 20, '\1'), "purpose"));
}
END_TEST

// Made with pyca/cryptography: key 00 01 … 1f, nonce 64 … 6f.
START_TEST(the_sealed_format_is_plain_aes_256_gcm) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(i);
  auto key = value_of(SealingKey::from_bytes(bytes_of(bytes)));
  std::string sealed = from_hex(
      "016465666768696a6b6c6d6e6f3c73bb46128c2fbe51047f8da204078d2ea72865f90b7973d6cf654a23a0538ab9"
      "77a35c84d7");
  expect_text(value_of(key.unseal(sealed, "a purpose")).text(), "the key of example.org");
}
END_TEST

START_TEST(a_sealing_key_has_32_bytes) {
  for (std::size_t size : {0, 16, 31, 33}) {
    auto read = SealingKey::from_bytes(bytes_of(std::string(size, 'k')));
    expect_contains(error_of(read), "has 32 bytes");
    ck_assert(read.error().next == Next::never);
  }
}
END_TEST

}  // namespace

Suite* keys_suite() {
  Suite* suite = suite_create("keys");
  TCase* tcase = tcase_create("keys");
  tcase_set_timeout(tcase, 120);  // RSA keys of 4096 bits
  tcase_add_test(tcase, key_types_are_known_by_all_their_names);
  tcase_add_test(tcase, keys_survive_der_and_pem);
  tcase_add_test(tcase, a_key_is_of_the_type_it_is_read_as);
  tcase_add_test(tcase, broken_keys_are_errors_that_tell_nothing);
  tcase_add_test(tcase, an_encrypted_key_says_so);
  tcase_add_test(tcase, other_keys_have_no_type_of_ours);
  tcase_add_test(tcase, base64url_is_that_of_the_rfcs);
  tcase_add_test(tcase, base64url_is_read_strictly);
  tcase_add_test(tcase, digests_are_those_of_fips_180);
  tcase_add_test(tcase, what_is_sealed_opens_with_key_and_purpose_only);
  tcase_add_test(tcase, no_byte_of_what_is_sealed_can_change);
  tcase_add_test(tcase, the_sealed_format_is_plain_aes_256_gcm);
  tcase_add_test(tcase, a_sealing_key_has_32_bytes);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
