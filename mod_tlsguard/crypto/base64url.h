// SPDX-License-Identifier: Apache-2.0
// Base64url without padding (RFC 4648 5, RFC 7515 2): JWS, JWK, tokens. Pure; thread-safe.
#ifndef TLSGUARD_CRYPTO_BASE64URL_H
#define TLSGUARD_CRYPTO_BASE64URL_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "crypto/secret_bytes.h"

namespace tlsguard::crypto {

[[nodiscard]] std::string base64url(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string base64url(std::string_view bytes);

// Strict: padding, white space, any other character and left-over bits are errors (RFC 8555 6.1).
// What is decoded may be a secret, so it is kept as one, and no error repeats any of it.
[[nodiscard]] Result<SecretBytes> from_base64url(std::string_view text);

}  // namespace tlsguard::crypto

#endif
