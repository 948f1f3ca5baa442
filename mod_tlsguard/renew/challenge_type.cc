// SPDX-License-Identifier: Apache-2.0
#include "renew/challenge_type.h"

#include <array>
#include <utility>

namespace tlsguard::renew {
namespace {

constexpr std::array<std::pair<ChallengeType, std::string_view>, 5> names{{
    {ChallengeType::http_01, "http-01"},
    {ChallengeType::tls_alpn_01, "tls-alpn-01"},
    {ChallengeType::dns_01, "dns-01"},
    {ChallengeType::dns_account_01, "dns-account-01"},
    {ChallengeType::dns_persist_01, "dns-persist-01"},
}};

}  // namespace

std::string_view challenge_type_name(ChallengeType type) {
  for (const auto& [known, name] : names) {
    if (known == type) return name;
  }
  return "?";
}

std::optional<ChallengeType> challenge_type_of(std::string_view name) {
  for (const auto& [type, known] : names) {
    if (known == name) return type;
  }
  return std::nullopt;
}

}  // namespace tlsguard::renew
