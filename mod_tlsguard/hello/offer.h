// SPDX-License-Identifier: Apache-2.0
// A ClientHello to be written: for probing a server with exactly what one wants to know, whatever
// the local OpenSSL supports. Nothing is checked or completed: an offer may be as odd as a test
// needs it. Pure; thread-safe.
#ifndef TLSGUARD_HELLO_OFFER_H
#define TLSGUARD_HELLO_OFFER_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tlsguard::hello {

struct KeyShare {
  std::uint16_t group = 0;
  std::vector<std::uint8_t> key_exchange;
};

// Empty lists and unset optionals leave the extension out; a set optional writes it even if empty.
struct Offer {
  std::uint16_t legacy_version = 0x0303;
  std::array<std::uint8_t, 32> random{};
  std::vector<std::uint8_t> session_id;  // at most 32 bytes
  std::vector<std::uint16_t> cipher_suites;
  std::vector<std::uint8_t> compression_methods{0};
  std::string server_name;                                       // RFC 6066 3; no trailing dot
  std::optional<std::vector<std::uint16_t>> supported_versions;  // RFC 8446 4.2.1
  std::optional<std::vector<std::uint16_t>> supported_groups;    // RFC 8446 4.2.7
  std::optional<std::vector<std::uint8_t>> ec_point_formats;     // RFC 8422 5.1.2
  std::optional<std::vector<std::uint16_t>> signature_algorithms;
  std::optional<std::vector<std::uint16_t>> signature_algorithms_cert;
  std::optional<std::vector<KeyShare>> key_shares;  // empty list: asks for a HelloRetryRequest
  std::vector<std::string> alpn;                    // RFC 7301
  std::optional<std::vector<std::uint8_t>> psk_key_exchange_modes;
  bool extended_master_secret = true;  // RFC 7627
  bool renegotiation_info = true;      // RFC 5746, empty
  bool session_ticket = false;         // RFC 5077, empty
  // Written as they are, last and in this order: {type, content}.
  std::vector<std::pair<std::uint16_t, std::vector<std::uint8_t>>> other_extensions;
};

// The handshake message with its 4-byte header. A list too long for its length field is cut.
[[nodiscard]] std::vector<std::uint8_t> build_client_hello(const Offer& offer);

// A handshake message as records (RFC 8446 5.1) of at most 16384 bytes each, ready to be sent.
// record_version: 0x0301 for a first ClientHello.
[[nodiscard]] std::vector<std::uint8_t> in_records(const std::vector<std::uint8_t>& message,
                                                   std::uint16_t record_version = 0x0301);

// The same offer in the version 2 format (RFC 5246 E.2) with its 2-byte record header; only
// legacy_version, cipher_suites, session_id and random go into it.
[[nodiscard]] std::vector<std::uint8_t> build_version2_hello(const Offer& offer);

}  // namespace tlsguard::hello

#endif
