// SPDX-License-Identifier: Apache-2.0
// The handshake: from the first ClientHello to Finished. One ConnState a connection, in its pool,
// used by the one thread that works on the connection.
//
// The message callback sees the ClientHello whole, before OpenSSL negotiates a version, resumes a
// session or runs mod_ssl's ClientHello callback. It acts on the first one only: a client may
// send another after a HelloRetryRequest (RFC 8446 4.1.4), with another server name.
#ifndef TLSGUARD_HTTPD_CONNECTION_H
#define TLSGUARD_HTTPD_CONNECTION_H

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>

#include "crypto/self_signed.h"
#include "hello/client_hello.h"
#include "hello/verdict.h"
#include "httpd/address_index.h"
#include "httpd/includes.h"
#include "live/credentials.h"
#include "live/verdicts.h"

namespace tlsguard::httpd {

struct Runtime;

// What a connection shows in place of mod_ssl's certificate.
struct Shown {
  live::LivePtr live;  // the managed certificate; null: mod_ssl's own
  std::unique_ptr<const crypto::KeyAndCertificate> challenge;  // tls-alpn-01; null: none
  bool placeholder = false;                                    // nothing else was there to serve
  bool certificate_set = false;                                // by us, or left to mod_ssl
};

enum class ServerName : std::uint8_t { known, unknown, missing };

// Of a resumed session that does not say: in nobody's lists.
inline constexpr std::uint16_t unknown_code_point = 0xffff;

struct ConnState {
  conn_rec* connection = nullptr;
  const Runtime* runtime = nullptr;
  const AddressIndex* index = nullptr;
  const Target* target = nullptr;  // null until the ClientHello, then never
  // What was negotiated; valid once finished.
  std::uint16_t version = 0;
  std::uint16_t cipher = 0;     // IANA
  std::uint16_t group = 0;      // 0: the key exchange has none (static RSA, DHE)
  std::uint16_t signature = 0;  // SignatureScheme of the server's; 0: none, or below TLS 1.2
  bool resumed = false;
  bool hello_seen = false;
  bool finished = false;
  bool failed = false;      // no request may be served
  bool refuse_sni = false;  // TLSGuardStrictSNI
  ServerName server_name = ServerName::missing;
  live::Verdicts verdicts;
  bool may_renegotiate = false;  // TLS 1.2 and below
  const SSL_CIPHER* handshake_cipher = nullptr;
  SSL* ssl = nullptr;  // mod_ssl's; lives as long as the connection
  // TLSGUARD_…, copied to every request of the connection. Null until finished, and where the
  // engine is off.
  const apr_table_t* environment = nullptr;
  Shown* shown = nullptr;  // null: nothing is managed on this server
  // The last other virtual host this connection was found to satisfy.
  const VirtualHost* satisfied = nullptr;

  [[nodiscard]] const VirtualHost* host() const {
    return target != nullptr ? target->host : nullptr;
  }
  [[nodiscard]] bool is_challenge() const {
    return shown != nullptr && shown->challenge != nullptr;
  }
};

// Of the connection, or of the one an HTTP/2 stream runs on. Null where the module does not look.
[[nodiscard]] inline ConnState* state_of(const conn_rec* c) {
  const conn_rec* connection = c->master != nullptr ? c->master : c;
  return static_cast<ConnState*>(ap_get_module_config(connection->conn_config, &tlsguard_module));
}
[[nodiscard]] ConnState* state_of(const SSL* ssl);

// Whether what was negotiated is within the settings of a virtual host that enforces.
[[nodiscard]] bool satisfies(const ConnState& state, const VirtualHost& host);

extern "C" {
int on_pre_handshake(conn_rec* c, SSL* ssl, int is_proxy) noexcept;
int on_process_connection(conn_rec* c) noexcept;
// For SSL_CTX_set_tlsext_servername_callback on the default virtual host of a strict address.
int on_server_name(SSL* ssl, int* alert, void* arg) noexcept;
}

}  // namespace tlsguard::httpd

#endif
