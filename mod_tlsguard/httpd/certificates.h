// SPDX-License-Identifier: Apache-2.0
// Which certificate a connection gets: a managed domain's, one that answers tls-alpn-01, or
// mod_ssl's own. Workers; the thread of the connection.
#ifndef TLSGUARD_HTTPD_CERTIFICATES_H
#define TLSGUARD_HTTPD_CERTIFICATES_H

#include <openssl/ssl.h>

#include "hello/client_hello.h"
#include "httpd/includes.h"

namespace tlsguard::httpd {

struct ConnState;

// What the ClientHello asks for: sets in state.shown, which must be there, the certificate that
// answers tls-alpn-01 (RFC 8737: its ALPN list is exactly acme-tls/1, and such a challenge is
// pending for its server name), or the live certificate, or that there is a placeholder only.
// Before the hello is judged; the virtual host is known.
void choose_certificate(ConnState& state, const hello::ClientHello& hello);

extern "C" {
// For SSL_CTX_set_cert_cb on every SSL_CTX: puts on the connection what was chosen. 0: an internal
// error, the handshake ends (alert 80).
int on_certificate(SSL* ssl, void* arg) noexcept;
// httpd's protocol_get hook: what mod_ssl answers to ALPN.
const char* on_protocol_get(const conn_rec* c) noexcept;
}

}  // namespace tlsguard::httpd

#endif
