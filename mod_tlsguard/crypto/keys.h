// SPDX-License-Identifier: Apache-2.0
// Private keys of certificates and accounts. Thread-safe: no shared state.
#ifndef TLSGUARD_CRYPTO_KEYS_H
#define TLSGUARD_CRYPTO_KEYS_H

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/error.h"
#include "crypto/openssl.h"
#include "crypto/secret_bytes.h"

namespace tlsguard::crypto {

// What TLSGuardKeyTypes takes, and what CAs sign.
enum class KeyType : std::uint8_t { p256, p384, rsa2048, rsa3072, rsa4096 };

// "P-256" … "rsa4096": the spelling of the directive, of state files and of messages.
[[nodiscard]] std::string_view key_type_name(KeyType type);
// Any case; OpenSSL's names (prime256v1, secp384r1), mod_md's (secp256r1, RSA, rsa 3072 as
// "rsa3072") too. The error lists what would be valid.
[[nodiscard]] Result<KeyType> parse_key_type(std::string_view text);
// nullopt: a type that is none of the above (Ed25519, RSA of another size).
[[nodiscard]] std::optional<KeyType> key_type_of(const EVP_PKEY* key);

[[nodiscard]] Result<Key> generate_key(KeyType type);

// Typed DER (RFC 5915, RFC 8017): parsed in a quarter of the time that PEM or PKCS#8 takes.
[[nodiscard]] Result<SecretBytes> key_to_der(const EVP_PKEY* key);
[[nodiscard]] Result<Key> key_from_der(KeyType type, std::span<const std::uint8_t> der);

// PKCS#8 without a passphrase, for export and import. An encrypted key is an error that says so,
// unless its passphrase is given.
[[nodiscard]] Result<SecretBytes> key_to_pem(const EVP_PKEY* key);
[[nodiscard]] Result<Key> key_from_pem(std::string_view pem,
                                       std::span<const std::uint8_t> passphrase = {});

}  // namespace tlsguard::crypto

#endif
