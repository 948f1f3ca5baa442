// SPDX-License-Identifier: Apache-2.0
// Keys at rest are sealed with AES-256-GCM (NIST SP 800-38D) under one key per store, which only
// root can read. The associated text says what a sealed blob is for, so that one cannot be put in
// the place of another. Thread-safe: immutable.
#ifndef TLSGUARD_CRYPTO_SEALING_H
#define TLSGUARD_CRYPTO_SEALING_H

#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "crypto/secret_bytes.h"

namespace tlsguard::crypto {

class SealingKey {
 public:
  static constexpr std::size_t size = 32;
  [[nodiscard]] static Result<SealingKey> generate();
  // An error unless there are exactly `size` bytes.
  [[nodiscard]] static Result<SealingKey> from_bytes(std::span<const std::uint8_t> bytes);

  // version byte | 12-byte nonce | ciphertext | 16-byte tag.
  [[nodiscard]] Result<std::string> seal(std::span<const std::uint8_t> plain,
                                         std::string_view associated) const;
  // An error where the blob was made with another key, for another text, or was changed.
  [[nodiscard]] Result<SecretBytes> unseal(std::string_view sealed,
                                           std::string_view associated) const;
  // For handing it to the agent over an inherited descriptor, and for the key's file.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return key_.bytes(); }

 private:
  explicit SealingKey(SecretBytes key) : key_(std::move(key)) {}
  SecretBytes key_;
};

}  // namespace tlsguard::crypto

#endif
