// SPDX-License-Identifier: Apache-2.0
// The names of challenge types, in ACME and in TLSGuardChallenges. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_CHALLENGE_TYPE_H
#define TLSGUARD_RENEW_CHALLENGE_TYPE_H

#include <optional>
#include <string_view>

#include "renew/spec.h"

namespace tlsguard::renew {

[[nodiscard]] std::string_view challenge_type_name(ChallengeType type);
// Exactly as written above. nullopt: none of ours.
[[nodiscard]] std::optional<ChallengeType> challenge_type_of(std::string_view name);

// Proven by a record in DNS.
[[nodiscard]] constexpr bool is_dns_challenge(ChallengeType type) {
  return type != ChallengeType::http_01 && type != ChallengeType::tls_alpn_01;
}

}  // namespace tlsguard::renew

#endif
