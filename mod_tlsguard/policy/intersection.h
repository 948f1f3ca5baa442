// SPDX-License-Identifier: Apache-2.0
// The intersection of a context's settings and a policy: what tighten() sets. Pure; thread-safe.
#ifndef TLSGUARD_POLICY_INTERSECTION_H
#define TLSGUARD_POLICY_INTERSECTION_H

#include <string>
#include <vector>

#include "core/error.h"
#include "hello/server_settings.h"
#include "policy/library.h"
#include "policy/policy.h"

namespace tlsguard::policy {

struct Intersection {
  // As they will be in force: server_preference and the rest included, keys not.
  hello::ServerSettings settings;
  // Versions that both sides allow and that are off all the same, for want of something in common.
  struct Dropped {
    enum class Cause { cipher, group, signature_algorithm };
    Protocol protocol;
    Cause cause;
  };
  std::vector<Dropped> dropped;
  // ECDHE ciphers dropped because no group is left for TLS 1.2 and below.
  std::vector<std::string> ciphers_without_group;
};

// before: read back at the security level that will be in force. Errors: nothing in common
// (versions, ciphers, groups, signature algorithms), with both sides in the text.
[[nodiscard]] Result<Intersection> intersect(const hello::ServerSettings& before,
                                             const Policy& policy, const Capabilities& can);

// Whether a certificate of this key can be used in TLS 1.3 with this SignatureScheme
// (RFC 8446 4.2.3).
[[nodiscard]] bool signs_in_tls13(std::uint16_t algorithm);

}  // namespace tlsguard::policy

#endif
