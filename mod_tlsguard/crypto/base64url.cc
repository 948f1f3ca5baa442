// SPDX-License-Identifier: Apache-2.0
#include "crypto/base64url.h"

#include <array>
#include <cstddef>
#include <utility>

namespace tlsguard::crypto {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t foreign = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(foreign);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

}  // namespace

std::string base64url(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (std::uint8_t byte : bytes) {
    pending = (pending << 8) | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(pending >> (bits - 6)) & 0x3f];
  }
  if (bits > 0) text += alphabet[(pending << (6 - bits)) & 0x3f];
  return text;
}

std::string base64url(std::string_view bytes) {
  return base64url(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

Result<SecretBytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return fail("this is not base64url: a character is missing");
  SecretBytes decoded(text.size() * 3 / 4);
  std::size_t size = 0;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (char c : text) {
    std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == foreign) {
      return fail(
          "this is not base64url: only letters, digits, '-' and '_' may be in it, with no '=' at "
          "the end");
    }
    pending = (pending << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      decoded.bytes()[size++] = static_cast<std::uint8_t>(pending >> bits);
    }
  }
  if ((pending & ((1U << bits) - 1)) != 0) {
    return fail("this is not base64url: its last character has bits that mean nothing");
  }
  return decoded;
}

}  // namespace tlsguard::crypto
