// SPDX-License-Identifier: Apache-2.0
// Why an intersection is what it is, in the words of the directives: the notes of tighten().
// No state; thread-safe.
#ifndef TLSGUARD_POLICY_NOTES_H
#define TLSGUARD_POLICY_NOTES_H

#include <string>
#include <vector>

#include "policy/context.h"
#include "policy/intersection.h"
#include "policy/library.h"

namespace tlsguard::policy {

// What was asked of the context before it was tightened.
struct Before {
  hello::ServerSettings settings;
  ProtocolSet configured;           // configured_protocols()
  std::vector<std::string> listed;  // listed_ciphers()
};

// The least strength that a security level admits (SSL_CTX_set_security_level(3)).
[[nodiscard]] int bits_of_level(int level);

[[nodiscard]] std::vector<Note> notes_on(const Before& before, const Intersection& both,
                                         const Policy& policy, const SslDirectives& directives,
                                         const Capabilities& can);

// Certificates against what is in force and what the policy expects (certificate_notes.cc).
[[nodiscard]] std::vector<Note> certificate_notes(const hello::ServerSettings& in_force,
                                                  const std::vector<hello::CertificateKey>& keys,
                                                  const Policy& policy);

}  // namespace tlsguard::policy

#endif
