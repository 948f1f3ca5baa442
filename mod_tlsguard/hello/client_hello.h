// SPDX-License-Identifier: Apache-2.0
// What a client offers: a ClientHello, parsed (RFC 8446 4.1.2, RFC 5246 7.4.1.2; the version 2
// format of RFC 5246 E.2). Untrusted bytes: every length is checked, nothing is allocated beyond
// the fixed bounds below, no exception is thrown. Thread-safe: plain values.
#ifndef TLSGUARD_HELLO_CLIENT_HELLO_H
#define TLSGUARD_HELLO_CLIENT_HELLO_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/protocol.h"

namespace tlsguard::hello {

using Bytes = std::span<const std::uint8_t>;

// OpenSSL's bound on a ClientHello: SSL3_RT_MAX_PLAIN_LENGTH * 8 + 4-byte header and change.
inline constexpr std::size_t max_client_hello = 131396;

// A vector of big-endian 16-bit code points inside the message; not owned.
class CodePoints {
 public:
  CodePoints() = default;
  // stride 3 for the version 2 format, whose cipher specs have three bytes (those with a
  // non-zero first byte are SSLv2's own and are skipped by the parser's user via at()).
  explicit CodePoints(Bytes bytes, std::size_t stride = 2) : bytes_(bytes), stride_(stride) {}
  [[nodiscard]] std::size_t size() const { return bytes_.size() / stride_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  // i < size(). An SSLv2 cipher spec that is not a TLS one is given as 0x0000 (NULL_WITH_NULL).
  [[nodiscard]] std::uint16_t at(std::size_t i) const;
  [[nodiscard]] bool contains(std::uint16_t code_point) const;
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t stride_ = 2;
};

// Views into the message: valid as long as its bytes are.
struct ClientHello {
  bool version2_format = false;
  std::uint16_t legacy_version = 0;
  CodePoints cipher_suites;
  bool has_extensions = false;
  std::optional<std::string_view> server_name;  // the first host_name entry, raw bytes; as mod_ssl
                                                // reads it: none when the extension is malformed
  std::optional<CodePoints> supported_versions;         // RFC 8446 4.2.1
  std::optional<CodePoints> supported_groups;           // RFC 8446 4.2.7, RFC 8422 5.1.1
  std::optional<CodePoints> signature_algorithms;       // RFC 8446 4.2.3
  std::optional<CodePoints> signature_algorithms_cert;  // RFC 8446 4.2.3
  std::optional<Bytes> ec_point_formats;                // RFC 8422 5.1.2
  std::optional<Bytes> alpn;                            // RFC 7301, the protocol name list
  bool has_key_share = false;
  bool has_pre_shared_key = false;
  std::optional<Bytes> psk_key_exchange_modes;
  bool has_session_ticket = false;  // RFC 5077, non-empty
  Bytes session_id;
};

// message: the handshake message with its 4-byte header (or, version2_format, the record body as
// OpenSSL hands it to a message callback with content type 0). nullopt: malformed; OpenSSL will
// answer with its own alert, we stay out of its way. Duplicate extensions: the first one counts
// (OpenSSL refuses them). Unknown extensions and GREASE (RFC 8701) are skipped.
[[nodiscard]] std::optional<ClientHello> parse_client_hello(Bytes message, bool version2_format);

// True where the client's only ALPN protocol is the one given.
[[nodiscard]] bool offers_only(const ClientHello& hello, std::string_view alpn_protocol);

}  // namespace tlsguard::hello

#endif
