// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"

namespace tlsguard::crypto {
namespace {

constexpr std::size_t max_key_pem = 64UL * 1024;
constexpr std::size_t max_key_der = 16UL * 1024;

struct Row {
  KeyType type;
  std::string_view name;
  const char* curve;  // nullptr: RSA
  unsigned bits;      // of RSA
};
constexpr std::array rows{Row{KeyType::p256, "P-256", "prime256v1", 0},
                          Row{KeyType::p384, "P-384", "secp384r1", 0},
                          Row{KeyType::rsa2048, "rsa2048", nullptr, 2048},
                          Row{KeyType::rsa3072, "rsa3072", nullptr, 3072},
                          Row{KeyType::rsa4096, "rsa4096", nullptr, 4096}};

struct Alias {
  std::string_view name;
  KeyType type;
};
// RSA alone: mod_md's MDPrivateKeys means 2048 bits by it.
constexpr std::array aliases{Alias{"prime256v1", KeyType::p256}, Alias{"secp256r1", KeyType::p256},
                             Alias{"secp384r1", KeyType::p384}, Alias{"RSA", KeyType::rsa2048}};

const Row& row_of(KeyType type) {
  return *std::find_if(rows.begin(), rows.end(), [type](const Row& r) { return r.type == type; });
}

struct Passphrase {
  std::span<const std::uint8_t> bytes;
  bool asked = false;
};

// OpenSSL asks for the passphrase of an encrypted key.
extern "C" int give_passphrase(char* buffer, int size, int /*writing*/, void* state) {
  auto* passphrase = static_cast<Passphrase*>(state);
  passphrase->asked = true;
  if (passphrase->bytes.empty() || passphrase->bytes.size() > static_cast<std::size_t>(size)) {
    return -1;
  }
  std::copy(passphrase->bytes.begin(), passphrase->bytes.end(), buffer);
  return static_cast<int>(passphrase->bytes.size());
}

}  // namespace

std::string_view key_type_name(KeyType type) { return row_of(type).name; }

Result<KeyType> parse_key_type(std::string_view text) {
  for (const Row& row : rows) {
    if (equal_ignoring_case(row.name, text)) return row.type;
  }
  for (const Alias& alias : aliases) {
    if (equal_ignoring_case(alias.name, text)) return alias.type;
  }
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return fail_for_good(fmt::format("'{}' is no key type: choose from {}", text, join(names, ", ")));
}

std::optional<KeyType> key_type_of(const EVP_PKEY* key) {
  if (key == nullptr) return std::nullopt;
  std::array<char, 80> curve{};
  bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  if (!rsa && (EVP_PKEY_is_a(key, "EC") != 1 ||
               EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) != 1)) {
    return std::nullopt;
  }
  for (const Row& row : rows) {
    if (rsa ? row.curve == nullptr && EVP_PKEY_get_bits(key) == static_cast<int>(row.bits)
            : row.curve != nullptr && std::string_view(curve.data()) == row.curve) {
      return row.type;
    }
  }
  return std::nullopt;
}

Result<Key> generate_key(KeyType type) {
  const Row& row = row_of(type);
  Key key(row.curve != nullptr
              ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", row.curve)
              : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(row.bits)));
  if (!key) return fail(fmt::format("cannot make a {} key: {}", row.name, drain_errors()));
  return key;
}

Result<SecretBytes> key_to_der(const EVP_PKEY* key) {
  int size = i2d_PrivateKey(key, nullptr);
  if (size <= 0) return fail("a key cannot be written as DER: " + drain_errors());
  SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.bytes().data();
  if (i2d_PrivateKey(key, &at) != size) {
    return fail("a key cannot be written as DER: " + drain_errors());
  }
  return der;
}

Result<Key> key_from_der(KeyType type, std::span<const std::uint8_t> der) {
  const Row& row = row_of(type);
  if (der.size() > max_key_der) return fail("a key of this size is not read");
  const unsigned char* at = der.data();
  int family = row.curve != nullptr ? EVP_PKEY_EC : EVP_PKEY_RSA;
  Key key(d2i_PrivateKey(family, nullptr, &at, static_cast<long>(der.size())));
  if (!key) return fail(fmt::format("this is no {} key: {}", row.name, drain_errors()));
  if (at != der.data() + der.size() || key_type_of(key.get()) != type) {
    return fail(fmt::format("this is no {} key", row.name));
  }
  return key;
}

Result<SecretBytes> key_to_pem(const EVP_PKEY* key) {
  // A memory BIO wipes what it held when it goes, and when it grows.
  Bio bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail("a key cannot be written as PEM: " + drain_errors());
  }
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return SecretBytes(std::string_view(data, static_cast<std::size_t>(size)));
}

Result<Key> key_from_pem(std::string_view pem, std::span<const std::uint8_t> passphrase) {
  if (pem.size() > max_key_pem) {
    return fail(fmt::format("a key of more than {} bytes is not read", max_key_pem));
  }
  Passphrase state{passphrase, false};
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &state) : nullptr);
  if (!key && state.asked) {
    ERR_clear_error();
    return fail_for_good(
        passphrase.empty()
            ? "the key is encrypted with a passphrase: write it without one (openssl pkey -in FILE "
              "-out FILE2) and use that"
            : "the key is encrypted with another passphrase");
  }
  if (!key) return fail_for_good("this is no private key in PEM: " + drain_errors());
  ERR_clear_error();
  return key;
}

}  // namespace tlsguard::crypto
