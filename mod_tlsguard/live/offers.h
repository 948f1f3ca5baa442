// SPDX-License-Identifier: Apache-2.0
// Kinds of clients that a policy would turn away: what they offer, in facts an administrator
// understands, and a small table of them for each virtual host. Least recently seen is replaced.
// No lock; any thread of any process, and any of them may die at any instruction: each of an
// entry's three words is whole by itself, and facts carry the tag they belong to.
#ifndef TLSGUARD_LIVE_OFFERS_H
#define TLSGUARD_LIVE_OFFERS_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "hello/client_hello.h"
#include "live/board.h"
#include "live/verdicts.h"

namespace tlsguard::live {

struct OfferFacts {
  std::uint16_t highest_version = 0;  // on the wire: 0x0303
  std::uint8_t ciphers = 0;           // how many, GREASE and signalling values left out; 255: more
  bool no_tls13 = false;
  bool no_aead = false;          // no cipher is one
  bool no_ecdhe = false;         // no cipher has it, and no TLS 1.3
  bool no_x25519 = false;        // supported groups lack it (or there are none)
  bool no_post_quantum = false;  // … and every hybrid with ML-KEM
  bool no_ecdsa = false;         // signature algorithms lack it; below TLS 1.2: no ECDSA cipher
  bool no_pss = false;           // signature algorithms lack RSA-PSS
  bool sha1_only = false;        // every signature algorithm hashes with SHA-1 or MD5
  bool no_server_name = false;
  bool operator==(const OfferFacts&) const = default;
};

// Goes through the lists of the hello: a few thousand instructions, so only for new entries.
[[nodiscard]] OfferFacts facts_of(const hello::ClientHello& hello);
// "at most TLSv1, 12 ciphers, no AEAD, no ECDHE, no server name"
[[nodiscard]] std::string describe(const OfferFacts& facts);

// An entry of the table, read.
struct Offer {
  std::uint32_t tag = 0;            // of fingerprint and presence of a server name
  std::optional<OfferFacts> facts;  // none: its counter died before it could say
  Verdicts verdicts;
  std::uint64_t count = 0;  // at most 2^32 - 1, then it stays there
  std::int64_t first_seen = 0;
  std::int64_t last_seen = 0;
  bool operator==(const Offer&) const = default;
};

using OfferTable = std::array<OfferSlot, offer_slots>;

// The tag of an offer; never 0. Two offers of one virtual host share one about once in 2^32.
[[nodiscard]] std::uint32_t offer_tag(std::uint64_t fingerprint, bool server_name);

// Counts an offer that is in the table. False: it is not, or its verdicts have changed; then
// call put_offer.
[[nodiscard]] bool count_known_offer(OfferTable& table, std::uint32_t tag, Verdicts verdicts,
                                     std::uint32_t now) noexcept;
// Counts an offer and says what it is, in place of the least recently seen one if need be.
void put_offer(OfferTable& table, std::uint32_t tag, const OfferFacts& facts, Verdicts verdicts,
               std::uint32_t now) noexcept;

// Parent only.
[[nodiscard]] std::optional<Offer> read_offer(const OfferSlot& slot);
void restore_offer(OfferSlot& slot, const Offer& offer);

}  // namespace tlsguard::live

#endif
