// SPDX-License-Identifier: Apache-2.0
// A small table, one for each virtual host, of the kinds of clients that some judge would turn
// away. The least recently seen one is replaced. No lock; any thread of any process, and any of
// them may die at any instruction: each of an entry's three words is whole by itself, a count can
// only be added to the tag it is meant for (both are one word), and facts carry a proof of the tag
// they belong to.
#ifndef TLSGUARD_LIVE_OFFERS_H
#define TLSGUARD_LIVE_OFFERS_H

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "live/board.h"
#include "live/offer_facts.h"
#include "live/verdicts.h"

namespace tlsguard::live {

// An entry of the table, read.
struct Offer {
  std::uint32_t tag = 0;            // of the fingerprint and whether there is a server name
  std::optional<OfferFacts> facts;  // none: the worker that met it died before it could say
  Verdicts verdicts;                // when last seen
  std::uint64_t count = 0;          // on the board at most 2^32 - 1: there it stays
  std::int64_t first_seen = 0;      // unix seconds
  std::int64_t last_seen = 0;
  bool operator==(const Offer&) const = default;
};

// Never 0. Two offers of one virtual host share a tag about once in 2^32; they are then counted
// as one.
[[nodiscard]] std::uint32_t offer_tag(std::uint64_t fingerprint, bool server_name);

// Counts an offer that is in the table. False: it is not, or its verdicts are others than it
// says; nothing was counted, call put_offer.
[[nodiscard]] bool count_known_offer(OfferTable& table, std::uint32_t tag, Verdicts verdicts,
                                     std::uint32_t now) noexcept;
// Counts an offer and says what it is, in place of the least recently seen one if need be.
void put_offer(OfferTable& table, std::uint32_t tag, const OfferFacts& facts, Verdicts verdicts,
               std::uint32_t now) noexcept;

// Parent only: the entries, most frequent first.
[[nodiscard]] std::vector<Offer> read_offers(const OfferTable& table);
// Parent only: adds all that was counted of an offer elsewhere; what its entry already says
// stands.
void add_offer(OfferTable& table, const Offer& offer);
// Parent only: forgets what this judge said, since its policy has changed.
void clear_judge(OfferTable& table, Judge judge);
// Parent only: empties the table and returns what was in it.
[[nodiscard]] std::vector<Offer> take_offers(OfferTable& table);

}  // namespace tlsguard::live

#endif
