// SPDX-License-Identifier: Apache-2.0
#include "renew/challenge_records.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <span>

#include "crypto/base64url.h"
#include "crypto/digest.h"

namespace tlsguard::renew {
namespace {

// RFC 4648 6, in lower case and without padding: whole groups of five bytes only.
std::string base32(std::span<const std::uint8_t, 10> bytes) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (std::uint8_t byte : bytes) {
    buffer = buffer << 8U | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[buffer >> (bits - 5) & 31U];
  }
  return text;
}

std::string account_label(std::string_view account_url) {
  auto digest = crypto::sha256(account_url);
  return "_" + base32(std::span(digest).first<10>());
}

}  // namespace

std::string without_wildcard(std::string_view name) {
  return std::string(name.starts_with("*.") ? name.substr(2) : name);
}

Result<std::string> record_name(ChallengeType type, std::string_view name,
                                std::string_view account_url) {
  std::string base = without_wildcard(name);
  switch (type) {
    case ChallengeType::dns_01:
      return "_acme-challenge." + base;
    case ChallengeType::dns_account_01:
      if (account_url.empty()) return fail("dns-account-01 needs an account at the CA first");
      return fmt::format("{}._acme-challenge.{}", account_label(account_url), base);
    case ChallengeType::dns_persist_01:
      return "_validation-persist." + base;
    case ChallengeType::http_01:
    case ChallengeType::tls_alpn_01:
      break;
  }
  return fail_for_good("this challenge has no record in DNS");
}

std::string record_value(std::string_view key_authorization) {
  return crypto::base64url(crypto::sha256(key_authorization));
}

std::string alpn_server_name(std::string_view identifier) {
  std::string text(identifier);
  std::array<std::uint8_t, 16> address{};
  std::string name;
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) {
    for (int i = 3; i >= 0; --i) {
      name += fmt::format("{}.", address.at(static_cast<std::size_t>(i)));
    }
    return name + "in-addr.arpa";
  }
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) {
    for (auto byte = address.rbegin(); byte != address.rend(); ++byte) {
      name += fmt::format("{:x}.{:x}.", *byte & 15U, *byte >> 4U);
    }
    return name + "ip6.arpa";
  }
  return text;
}

}  // namespace tlsguard::renew
