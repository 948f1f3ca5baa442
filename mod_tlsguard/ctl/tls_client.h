// SPDX-License-Identifier: Apache-2.0
// A whole handshake with OpenSSL, for what a server says only under encryption: certificates of
// TLS 1.3, ALPN, session tickets, HTTP. Certificates are not verified here. Blocking with a time
// limit; one thread at a time for each object.
#ifndef TLSGUARD_CTL_TLS_CLIENT_H
#define TLSGUARD_CTL_TLS_CLIENT_H

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/protocol.h"
#include "crypto/openssl.h"
#include "ctl/certificate_facts.h"
#include "ctl/connection.h"

namespace tlsguard::ctl {

// Anything OpenSSL can do is offered unless restricted here.
struct HandshakeOffer {
  Protocol min = Protocol::tls1_0;
  Protocol max = Protocol::tls1_3;
  std::string server_name;           // SNI; empty: none
  std::vector<std::string> alpn;     // empty: no extension
  std::string signature_algorithms;  // OpenSSL's list; empty: its own
};

class TlsClient {
 public:
  // Takes the connection over and completes the handshake. The error is the server's alert or
  // OpenSSL's complaint, in words.
  [[nodiscard]] static Result<TlsClient> handshake(Connection connection,
                                                   const HandshakeOffer& offer, SteadyTime until);

  [[nodiscard]] Protocol version() const;
  [[nodiscard]] std::string alpn() const;  // empty: none was agreed on
  [[nodiscard]] std::vector<Der> chain() const;
  // Tickets received so far; in TLS 1.3 they come with the first data read.
  [[nodiscard]] bool has_ticket() const { return *tickets_ > 0; }

  // Sends text and receives until `complete(received)`, the limit, the end or the time.
  [[nodiscard]] std::string exchange(std::string_view text, bool (*complete)(std::string_view),
                                     std::size_t limit, SteadyTime until);

 private:
  TlsClient(Connection connection, crypto::SslCtx context)
      : connection_(std::move(connection)), context_(std::move(context)) {}
  // Waits for what OpenSSL wants. False: it wants nothing more, or the time is up.
  bool wait_for(int result, SteadyTime until);
  bool write(std::string_view text, SteadyTime until);

  Connection connection_;
  crypto::SslCtx context_;
  std::unique_ptr<int> tickets_ = std::make_unique<int>(0);  // OpenSSL keeps a pointer to it
  crypto::Ssl ssl_;
};

}  // namespace tlsguard::ctl

#endif
