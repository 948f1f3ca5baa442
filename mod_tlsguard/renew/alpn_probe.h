// SPDX-License-Identifier: Apache-2.0
// A handshake as a CA makes it for tls-alpn-01 (RFC 8737 3). Blocking, bounded by `patience`; any
// thread.
#ifndef TLSGUARD_RENEW_ALPN_PROBE_H
#define TLSGUARD_RENEW_ALPN_PROBE_H

#include <string>

#include "core/error.h"
#include "crypto/openssl.h"
#include "net/patience.h"
#include "net/socket.h"

namespace tlsguard::renew {

struct AlpnAnswer {
  bool tls = false;                 // somebody spoke, whatever it was; false: closed or silent
  bool alpn = false;                // the handshake succeeded, and acme-tls/1 was agreed on
  crypto::Certificate certificate;  // nullptr: the handshake did not get so far
  std::string text;                 // what went wrong, in words; empty: nothing
};
// An error where OpenSSL itself fails.
[[nodiscard]] Result<AlpnAnswer> probe_alpn(const net::Socket& socket,
                                            const std::string& server_name,
                                            const net::Patience& patience);

}  // namespace tlsguard::renew

#endif
