// SPDX-License-Identifier: Apache-2.0
// Private keys as JWK (RFC 7517, RFC 7518 6.2 and 6.3), as certbot keeps its accounts'. Pure;
// thread-safe.
#ifndef TLSGUARD_IMPORT_JWK_H
#define TLSGUARD_IMPORT_JWK_H

#include <string_view>

#include "core/error.h"
#include "crypto/openssl.h"

namespace tlsguard::import {

// RSA of 2048 to 4096 bits with its CRT parameters, P-256, P-384. The public half is checked
// against the private one. No error repeats any of it.
[[nodiscard]] Result<crypto::Key> key_from_jwk(std::string_view text);

}  // namespace tlsguard::import

#endif
