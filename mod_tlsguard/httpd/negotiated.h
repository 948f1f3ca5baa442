// SPDX-License-Identifier: Apache-2.0
// What a handshake came to: in words, and counted on the board.
#ifndef TLSGUARD_HTTPD_NEGOTIATED_H
#define TLSGUARD_HTTPD_NEGOTIATED_H

#include <cstdint>
#include <string>

#include "hello/client_hello.h"

namespace tlsguard::httpd {

struct ConnState;

// "TLSv1.3 TLS_AES_256_GCM_SHA384 X25519"
[[nodiscard]] std::string describe_negotiated(const ConnState& state);

// The ClientHello has been judged.
void count_offer(const ConnState& state, const hello::ClientHello& hello,
                 std::uint64_t fingerprint);
// The handshake is complete.
void count_handshake(const ConnState& state);

}  // namespace tlsguard::httpd

#endif
