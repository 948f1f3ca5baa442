// SPDX-License-Identifier: Apache-2.0
#include "acme/plain_text.h"

#include <cstdint>

namespace tlsguard::acme {
namespace {

constexpr std::string_view ellipsis = "…";

struct Character {
  std::size_t bytes = 1;
  std::uint32_t code = 0;
  bool valid = false;
};

// The first character of a text that is not empty (RFC 3629 3, 4).
Character first_of(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {1, byte(0), true};
  std::size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return {};
  std::uint32_t code = byte(0) & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest[bytes] || code > 0x10ffff || surrogate) return {};
  return {bytes, code, true};
}

bool is_blank(std::uint32_t code) {
  auto within = [code](std::uint32_t low, std::uint32_t high) {
    return code >= low && code <= high;
  };
  return code <= 0x20 || within(0x7f, 0xa0) || within(0x200e, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069);
}

}  // namespace

std::string plain_text(std::string_view text, std::size_t max) {
  std::string plain;
  std::size_t fits = 0;  // where the ellipsis would go
  while (!text.empty()) {
    Character c = first_of(text);
    std::string_view bytes = c.valid ? text.substr(0, c.bytes) : "?";
    text.remove_prefix(c.bytes);
    if (c.valid && is_blank(c.code)) {
      if (plain.empty() || plain.back() == ' ') continue;
      bytes = " ";
    }
    if (plain.size() + bytes.size() > max) {
      plain.resize(fits);
      if (max >= ellipsis.size()) plain += ellipsis;
      return plain;
    }
    plain += bytes;
    if (plain.size() + ellipsis.size() <= max) fits = plain.size();
  }
  if (plain.ends_with(' ')) plain.pop_back();
  return plain;
}

}  // namespace tlsguard::acme
