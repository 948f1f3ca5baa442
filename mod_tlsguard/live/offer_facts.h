// SPDX-License-Identifier: Apache-2.0
// What a client offers, in facts an administrator understands. Pure; thread-safe.
#ifndef TLSGUARD_LIVE_OFFER_FACTS_H
#define TLSGUARD_LIVE_OFFER_FACTS_H

#include <array>
#include <cstdint>
#include <string>

#include "hello/client_hello.h"

namespace tlsguard::live {

struct OfferFacts {
  std::uint16_t highest_version = 0;  // on the wire: 0x0303
  std::uint8_t ciphers = 0;           // how many, without GREASE and signalling values; 255: more
  bool no_aead = false;               // no cipher is one
  bool no_ecdhe = false;              // no cipher has it, and no TLS 1.3
  bool no_x25519 = false;             // supported groups lack it, or there are none
  bool no_ml_kem = false;             // supported groups lack every one with ML-KEM
  bool no_ecdsa = false;    // signature algorithms lack it; where there are none: no such cipher
  bool no_rsa_pss = false;  // signature algorithms lack it
  bool only_sha1 = false;   // TLS 1.2 and every signature algorithm hashes with SHA-1 or MD5
  bool no_server_name = false;
  bool operator==(const OfferFacts&) const = default;
};

// The flags, by what is lacking. The order is that of their bits on the board.
struct OfferFlag {
  const char* lacking;
  bool OfferFacts::*member;
};
inline constexpr std::array<OfferFlag, 8> offer_flags{
    {{"AEAD", &OfferFacts::no_aead},
     {"ECDHE", &OfferFacts::no_ecdhe},
     {"X25519", &OfferFacts::no_x25519},
     {"ML-KEM", &OfferFacts::no_ml_kem},
     {"ECDSA", &OfferFacts::no_ecdsa},
     {"RSA-PSS", &OfferFacts::no_rsa_pss},
     {"SHA-2", &OfferFacts::only_sha1},
     {"server name", &OfferFacts::no_server_name}}};

// Goes through the lists of the hello: some thousand instructions, so only for new entries.
[[nodiscard]] OfferFacts facts_of(const hello::ClientHello& hello);
// "at most TLSv1, 12 ciphers, no AEAD, no ECDHE, no server name"
[[nodiscard]] std::string describe(const OfferFacts& facts);

}  // namespace tlsguard::live

#endif
