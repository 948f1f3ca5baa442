// SPDX-License-Identifier: Apache-2.0
// The finer questions behind read_back() of policy/context.h, for tighten() and its notes.
#ifndef TLSGUARD_POLICY_READ_BACK_H
#define TLSGUARD_POLICY_READ_BACK_H

#include <string>
#include <vector>

#include "core/protocol.h"
#include "crypto/openssl.h"

namespace tlsguard::policy {

// Versions that the context's bounds and options (SSL_OP_NO_TLSv1_…) admit, whatever its security
// level says.
[[nodiscard]] ProtocolSet configured_protocols(SSL_CTX* ctx);

// Of these, the versions that a handshake can reach at this level. OpenSSL 3 needs MD5+SHA-1 or
// SHA-1 signatures for TLS 1.0 and 1.1, which it counts below level 1.
[[nodiscard]] ProtocolSet reachable(ProtocolSet configured, int security_level);

// Names of all ciphers in the context's lists, those that its level hides too.
[[nodiscard]] std::vector<std::string> listed_ciphers(const SSL_CTX* ctx);

}  // namespace tlsguard::policy

#endif
