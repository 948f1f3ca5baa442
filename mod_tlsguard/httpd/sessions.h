// SPDX-License-Identifier: Apache-2.0
// A TLS session carries the settings it was made under (a tag of 16 bytes in its ticket
// application data) and is resumed only where the same are in force: else a full handshake.
// Without this, SSLSessionTicketKeyFile, a session cache that outlives a restart, or one
// ServerName on two addresses resume below the policy.
#ifndef TLSGUARD_HTTPD_SESSIONS_H
#define TLSGUARD_HTTPD_SESSIONS_H

#include <openssl/ssl.h>

namespace tlsguard::httpd {

struct ConnState;
struct Runtime;

// When the ServerHello is written: the session now belongs to these settings.
void tag_session(SSL* ssl, const ConnState& state);

// On every SSL_CTX of the server: OpenSSL asks the default virtual host's before the name is
// known to it; the settings come from the connection. post_config.
void guard_sessions(SSL_CTX* ctx, Runtime& runtime);

}  // namespace tlsguard::httpd

#endif
