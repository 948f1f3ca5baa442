// SPDX-License-Identifier: Apache-2.0
// A TLS session carries the settings it was made under and what was negotiated (20 bytes of ticket
// application data) and is resumed only where the same settings are in force: else a full
// handshake.
// Without this, SSLSessionTicketKeyFile, a session cache that outlives a restart, or one
// ServerName on two addresses resume below the policy.
#ifndef TLSGUARD_HTTPD_SESSIONS_H
#define TLSGUARD_HTTPD_SESSIONS_H

#include <openssl/ssl.h>

namespace tlsguard::httpd {

struct ConnState;
struct Runtime;

// In a full handshake, once group and signature are known: the session belongs to these settings.
void tag_session(SSL* ssl, const ConnState& state);

// In a resumed one: group (but TLS 1.3 has its own) and signature of the handshake that made it.
void read_session(SSL* ssl, ConnState& state);

// On every SSL_CTX of the server: OpenSSL asks the default virtual host's before the name is
// known to it; the settings come from the connection. post_config.
void guard_sessions(SSL_CTX* ctx, Runtime& runtime);

}  // namespace tlsguard::httpd

#endif
