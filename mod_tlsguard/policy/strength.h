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

// The weakest of each kind that a policy admits.
struct Strength {
  Protocol min_protocol = Protocol::tls1_3;
  bool forward_secrecy = true;  // every cipher has it
  bool aead = true;             // every cipher is one
  int cipher_bits = 256;
  int group_bits = 256;
  int rsa_bits = 0;  // 0: no RSA key, or no demand
  int hash_bits = 512;
};
[[nodiscard]] Strength strength_of(const Policy& policy);
[[nodiscard]] Strength strength_of(const hello::ServerSettings& settings);

// In what the settings are weaker than the floor, a sentence each; empty: not weaker.
[[nodiscard]] std::vector<std::string> weaker_than(const hello::ServerSettings& settings,
                                                   const Policy& floor);

}  // namespace tlsguard::policy

#endif
