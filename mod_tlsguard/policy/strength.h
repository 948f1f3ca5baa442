// SPDX-License-Identifier: Apache-2.0
// TLSGuardFloor: is one set of settings weaker than a policy, in strength and not by name?
// Pure; thread-safe.
#ifndef TLSGUARD_POLICY_STRENGTH_H
#define TLSGUARD_POLICY_STRENGTH_H

#include <string>
#include <vector>

#include "hello/server_settings.h"
#include "policy/policy.h"

namespace tlsguard::policy {

// The weakest of each kind that a policy, or what is in force, admits. Bits of 0: no demand in a
// policy, none of the kind in settings.
struct Strength {
  Protocol min_protocol = Protocol::tls1_3;
  bool forward_secrecy = true;  // every cipher has it
  bool aead = true;             // every cipher is one
  int cipher_bits = 0;
  int group_bits = 0;
  int rsa_bits = 0;
  int hash_bits = 0;  // SHA-1 where TLS 1.0 or 1.1 is allowed: their signatures have no better one
};
[[nodiscard]] Strength strength_of(const Policy& policy);
[[nodiscard]] Strength strength_of(const hello::ServerSettings& settings);

// In what the settings are weaker than the floor, a sentence each; empty: not weaker.
[[nodiscard]] std::vector<std::string> weaker_than(const hello::ServerSettings& settings,
                                                   const Policy& floor);

}  // namespace tlsguard::policy

#endif
