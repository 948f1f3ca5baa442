// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>

#include <array>
#include <new>

#include "policy/context.h"

namespace tlsguard::policy {
namespace {

// A fixed text of the settings: numbers from registries, never names or bits that an OpenSSL
// release may change.
std::string canonical(const hello::ServerSettings& settings) {
  std::string text = "tlsguard settings 1";
  auto number = [&](unsigned value) { text += ' ' + std::to_string(value); };
  auto list = [&](char kind, const auto& values, auto id) {
    text += std::string("\n") + kind;
    for (const auto& value : values) number(id(value));
  };
  auto own = [](std::uint16_t id) { return unsigned{id}; };
  auto cipher = [](const hello::Cipher& each) { return unsigned{each.id}; };
  auto version = [&](Protocol protocol) {
    return settings.protocols.has(protocol) ? static_cast<unsigned>(protocol) : 0U;
  };
  list('v', all_protocols, version);
  list('c', settings.ciphers, cipher);
  list('s', settings.suites, cipher);
  list('g', settings.groups, own);
  list('a', settings.signature_algorithms, own);
  text += "\no";
  number(static_cast<unsigned>(settings.security_level));
  number(settings.server_preference ? 1 : 0);
  number(settings.allow_dhe ? 1 : 0);
  number(static_cast<unsigned>(settings.dh_security_bits));
  number(settings.require_extended_master_secret ? 1 : 0);
  return text;
}

}  // namespace

std::string settings_digest(const hello::ServerSettings& settings) {
  constexpr std::size_t used_bytes = 16;
  constexpr char digits[] = "0123456789abcdef";
  const std::string text = canonical(settings);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();  // SHA-256 fails for no other reason
  }
  std::string hex;
  for (std::size_t i = 0; i < used_bytes; ++i) {
    hex += digits[hash[i] >> 4];
    hex += digits[hash[i] & 0x0f];
  }
  return hex;
}

}  // namespace tlsguard::policy
