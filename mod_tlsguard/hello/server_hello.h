// SPDX-License-Identifier: Apache-2.0
// A server's first answer, parsed without decrypting anything: ServerHello, HelloRetryRequest
// (RFC 8446 4.1.3, 4.1.4), alert, and what TLS 1.2 and below send in clear after it: Certificate
// and ServerKeyExchange (RFC 5246 7.4.2, 7.4.3, RFC 8422 5.4). Untrusted bytes: every length is
// checked, no exception is thrown but for lack of memory. Thread-safe: plain values.
#ifndef TLSGUARD_HELLO_SERVER_HELLO_H
#define TLSGUARD_HELLO_SERVER_HELLO_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hello/reader.h"

namespace tlsguard::hello {

struct ServerHello {
  bool retry_request = false;  // a HelloRetryRequest
  std::uint16_t version = 0;   // negotiated: supported_versions, else legacy_version
  std::uint16_t cipher_suite = 0;
  // TLS 1.3: of the key_share, the server's own or the one a HelloRetryRequest asks for. 0: none.
  std::uint16_t group = 0;
  std::uint8_t compression_method = 0;
  bool extended_master_secret = false;  // RFC 7627
  bool secure_renegotiation = false;    // RFC 5746
  bool session_ticket = false;          // RFC 5077
  std::string alpn;                     // RFC 7301; in TLS 1.3 it is encrypted and stays empty
};

struct Alert {
  std::uint8_t level = 0;
  std::uint8_t description = 0;
};

// The parameters of an ephemeral key exchange, TLS 1.2 and below.
struct ServerKeyExchange {
  std::uint16_t group = 0;                // ECDHE: the named curve
  int dh_bits = 0;                        // DHE: size of the prime; 0 with ECDHE
  std::uint16_t signature_algorithm = 0;  // SignatureScheme; 0 below TLS 1.2
};

struct ServerAnswer {
  std::optional<ServerHello> hello;
  std::optional<Alert> alert;                           // a fatal one, or close_notify
  std::vector<std::vector<std::uint8_t>> certificates;  // DER, end entity first; TLS 1.2 and below
  std::optional<ServerKeyExchange> key_exchange;        // TLS 1.2 and below
  bool hello_done = false;                              // TLS 1.2 and below
};

// Takes a server's records as they arrive and says when it has seen all that is sent in clear.
class AnswerParser {
 public:
  enum class State : std::uint8_t {
    more,       // feed it more
    done,       // alert, HelloRetryRequest, ServerHello of TLS 1.3, or ServerHelloDone
    malformed,  // not TLS, or more than the bound
  };
  // At most this much is kept.
  static constexpr std::size_t max_answer = 262144;

  State feed(Bytes bytes);
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const ServerAnswer& answer() const { return answer_; }

 private:
  State records();
  State messages();
  State message(std::uint8_t type, Bytes body);

  std::vector<std::uint8_t> input_;      // records not yet complete
  std::vector<std::uint8_t> handshake_;  // handshake bytes not yet a whole message
  std::size_t seen_ = 0;
  State state_ = State::more;
  ServerAnswer answer_;
};

// One message each; body without the 4-byte header. nullopt: malformed.
[[nodiscard]] std::optional<ServerHello> parse_server_hello(Bytes body);
[[nodiscard]] std::optional<std::vector<std::vector<std::uint8_t>>> parse_certificate(Bytes body);
// hello: of the same handshake, for version and cipher. ephemeral_dh: the cipher is a DHE one and
// not an ECDHE one, which the message itself does not say.
[[nodiscard]] std::optional<ServerKeyExchange> parse_server_key_exchange(Bytes body,
                                                                         std::uint16_t version,
                                                                         bool ephemeral_dh);

}  // namespace tlsguard::hello

#endif
