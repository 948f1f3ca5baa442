// SPDX-License-Identifier: Apache-2.0
// SHA-256, and bytes as hexadecimal text. Pure; thread-safe.
#ifndef TLSGUARD_CRYPTO_DIGEST_H
#define TLSGUARD_CRYPTO_DIGEST_H

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tlsguard::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
[[nodiscard]] Sha256 sha256(std::string_view data);
// Lower case, two digits a byte.
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace tlsguard::crypto

#endif
