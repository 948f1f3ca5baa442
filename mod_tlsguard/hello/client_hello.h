// SPDX-License-Identifier: Apache-2.0
// What a client offers: a ClientHello, parsed (RFC 8446 4.1.2, RFC 5246 7.4.1.2; the version 2
// format of RFC 5246 E.2). Untrusted bytes: every length is checked, nothing is allocated, no
// exception is thrown. Thread-safe: plain values.
//
// The parser is as lenient as OpenSSL's server, never stricter: whoever finds a hello that we do
// not parse and OpenSSL accepts would have found a way around the policy.
#ifndef TLSGUARD_HELLO_CLIENT_HELLO_H
#define TLSGUARD_HELLO_CLIENT_HELLO_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/protocol.h"
#include "hello/reader.h"

namespace tlsguard::hello {

// OpenSSL's bound on a ClientHello: SSL3_RT_MAX_PLAIN_LENGTH * 8 + 4-byte header and change.
inline constexpr std::size_t max_client_hello = 131396;

// A vector of big-endian 16-bit code points inside the message; not owned.
class CodePoints {
 public:
  CodePoints() = default;
  // stride 3: the cipher specs of the version 2 format, which have three bytes.
  explicit CodePoints(Bytes bytes, std::size_t stride = 2) : bytes_(bytes), stride_(stride) {}
  [[nodiscard]] std::size_t size() const { return bytes_.size() / stride_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  // i < size(). A cipher spec that is SSLv2's own (first byte not zero) is given as 0x0000, a
  // cipher (NULL_WITH_NULL) that no server has.
  [[nodiscard]] std::uint16_t at(std::size_t i) const {
    const std::uint8_t* p = bytes_.data() + i * stride_;
    if (stride_ == 3 && *p++ != 0) return 0;
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
  }
  [[nodiscard]] bool contains(std::uint16_t code_point) const {
    for (std::size_t i = 0, n = size(); i < n; ++i) {
      if (at(i) == code_point) return true;
    }
    return false;
  }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t stride_ = 2;
};

// GREASE (RFC 8701): 0x0a0a, 0x1a1a, … 0xfafa.
[[nodiscard]] constexpr bool is_grease(std::uint16_t code_point) {
  return (code_point & 0x0f0f) == 0x0a0a && (code_point >> 8) == (code_point & 0xff);
}

// Views into the message: valid as long as its bytes are. An extension whose content is malformed
// counts as absent here and is noted in malformed_for.
struct ClientHello {
  bool version2_format = false;
  std::uint16_t legacy_version = 0;
  Bytes session_id;
  CodePoints cipher_suites;
  bool has_extensions = false;
  // As mod_ssl reads it: the one host_name of the list, up to the first NUL byte; none where the
  // extension has another form.
  std::optional<std::string_view> server_name;          // RFC 6066 3
  std::optional<CodePoints> supported_versions;         // RFC 8446 4.2.1
  std::optional<CodePoints> supported_groups;           // RFC 8446 4.2.7, RFC 8422 5.1.1
  std::optional<CodePoints> signature_algorithms;       // RFC 8446 4.2.3
  std::optional<CodePoints> signature_algorithms_cert;  // RFC 8446 4.2.3
  std::optional<Bytes> ec_point_formats;                // RFC 8422 5.1.2
  std::optional<Bytes> alpn;                            // RFC 7301, the protocol name list
  bool has_key_share = false;                           // RFC 8446 4.2.8
  Bytes key_shares;                                     // its entries
  bool has_pre_shared_key = false;                      // RFC 8446 4.2.11
  std::optional<Bytes> psk_key_exchange_modes;          // RFC 8446 4.2.9
  bool has_session_ticket = false;                      // RFC 5077, non-empty
  bool has_extended_master_secret = false;              // RFC 7627
  // Versions for which OpenSSL refuses this hello for its syntax, whatever the settings, in a
  // full handshake: it looks into an extension only where the negotiated version has it.
  ProtocolSet malformed_for;
};

// message: the handshake message with its 4-byte header (or, version2_format, the record body as
// OpenSSL hands it to a message callback with content type 0). nullopt: no server built on
// OpenSSL completes a handshake after this, not even a resumed one; it answers with an alert of
// its own. Unknown extensions and GREASE (RFC 8701) are skipped.
[[nodiscard]] std::optional<ClientHello> parse_client_hello(Bytes message, bool version2_format);

// True where the client's only ALPN protocol is the one given.
[[nodiscard]] bool offers_only(const ClientHello& hello, std::string_view alpn_protocol);

}  // namespace tlsguard::hello

#endif
