// SPDX-License-Identifier: Apache-2.0
#include "live/offers.h"

#include <algorithm>
#include <limits>

#include "live/mix.h"

namespace tlsguard::live {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr std::uint64_t low_half = 0xffffffff;

constexpr std::uint32_t upper(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
constexpr std::uint32_t lower(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
constexpr std::uint64_t halves(std::uint32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

constexpr std::uint32_t saturated(std::uint64_t count) {
  return static_cast<std::uint32_t>(std::min(count, low_half));
}

// The word of facts: verdicts, highest version, ciphers, flags, and 16 bits of the tag as proof.
static_assert(Verdicts::bits == 15);
constexpr unsigned version_shift = 15;
constexpr unsigned ciphers_shift = 31;
constexpr unsigned flags_shift = 39;
constexpr unsigned proof_shift = 48;
constexpr std::uint64_t verdicts_mask = (1U << Verdicts::bits) - 1;

static_assert(flags_shift + offer_flags.size() <= proof_shift);

std::uint64_t pack(std::uint32_t tag, const OfferFacts& facts, Verdicts verdicts) {
  std::uint64_t word = verdicts.packed();
  word |= static_cast<std::uint64_t>(facts.highest_version) << version_shift;
  word |= static_cast<std::uint64_t>(facts.ciphers) << ciphers_shift;
  for (std::size_t i = 0; i < offer_flags.size(); ++i) {
    word |= static_cast<std::uint64_t>(facts.*offer_flags[i].member ? 1 : 0) << (flags_shift + i);
  }
  return word | static_cast<std::uint64_t>(tag) << proof_shift;
}

OfferFacts unpack_facts(std::uint64_t word) {
  OfferFacts facts;
  facts.highest_version = static_cast<std::uint16_t>(word >> version_shift);
  facts.ciphers = static_cast<std::uint8_t>(word >> ciphers_shift);
  for (std::size_t i = 0; i < offer_flags.size(); ++i) {
    facts.*offer_flags[i].member = (word >> (flags_shift + i) & 1) != 0;
  }
  return facts;
}

constexpr bool belongs(std::uint64_t facts, std::uint32_t tag) {
  return facts >> proof_shift == (tag & 0xffff);
}
Verdicts unpack_verdicts(std::uint64_t word) {
  return Verdicts::from_packed(static_cast<std::uint16_t>(word & verdicts_mask));
}

OfferSlot* find(OfferTable& table, std::uint32_t tag) {
  for (std::size_t i = 0; i < offer_slots; ++i) {
    OfferSlot& slot = table[(tag + i) % offer_slots];
    if (upper(slot.tag_and_count.load(relaxed)) == tag) return &slot;
  }
  return nullptr;
}

// So many more, unless the entry has become another offer's meanwhile.
bool add_count(OfferSlot& slot, std::uint32_t tag, std::uint64_t count) {
  std::uint64_t word = slot.tag_and_count.load(relaxed);
  std::uint64_t sum = 0;
  do {
    if (upper(word) != tag) return false;
    sum = halves(tag, saturated(lower(word) + count));
  } while (!slot.tag_and_count.compare_exchange_weak(word, sum, relaxed));
  return true;
}

OfferSlot& least_recently_seen(OfferTable& table, std::uint32_t tag) {
  OfferSlot* oldest = nullptr;
  std::uint32_t oldest_time = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = 0; i < offer_slots; ++i) {
    OfferSlot& slot = table[(tag + i) % offer_slots];
    if (slot.tag_and_count.load(relaxed) == 0) return slot;
    std::uint32_t time = lower(slot.seen.load(relaxed));
    if (oldest == nullptr || time < oldest_time) {
      oldest = &slot;
      oldest_time = time;
    }
  }
  return *oldest;
}

struct Claimed {
  OfferSlot* slot = nullptr;  // none: too many others wanted entries at once
  bool fresh = false;         // facts and times are not this offer's yet
};

// The entry of this offer with so many counted.
Claimed claim(OfferTable& table, std::uint32_t tag, std::uint64_t count) {
  // Bounded, so that no flood of strange hellos keeps a worker here.
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (OfferSlot* known = find(table, tag); known != nullptr) {
      if (!add_count(*known, tag, count)) continue;
      // Whoever made the entry may have died before it could say what it is.
      return {known, !belongs(known->facts.load(std::memory_order_acquire), tag)};
    }
    OfferSlot& victim = least_recently_seen(table, tag);
    std::uint64_t word = victim.tag_and_count.load(relaxed);
    if (upper(word) == tag) continue;
    if (victim.tag_and_count.compare_exchange_strong(word, halves(tag, saturated(count)),
                                                     relaxed)) {
      return {&victim, true};
    }
  }
  return {};
}

void widen_times(OfferSlot& slot, std::uint32_t first, std::uint32_t last) {
  std::uint64_t seen = slot.seen.load(relaxed);
  slot.seen.compare_exchange_strong(
      seen, halves(std::min(upper(seen), first), std::max(lower(seen), last)), relaxed);
}

// Two workers that met an offer for the first time at once may have made two entries of it.
void merge(std::vector<Offer>& offers, const Offer& offer) {
  auto same = std::find_if(offers.begin(), offers.end(),
                           [&offer](const Offer& other) { return other.tag == offer.tag; });
  if (same == offers.end()) {
    offers.push_back(offer);
    return;
  }
  Offer newer = same->last_seen < offer.last_seen && offer.facts ? offer : *same;
  newer.count = same->count + offer.count;
  newer.first_seen = std::min(same->first_seen, offer.first_seen);
  newer.last_seen = std::max(same->last_seen, offer.last_seen);
  *same = newer;
}

void sort_by_count(std::vector<Offer>& offers) {
  std::sort(offers.begin(), offers.end(), [](const Offer& a, const Offer& b) {
    return a.count != b.count ? a.count > b.count : a.tag < b.tag;
  });
}

Offer unpack(std::uint64_t tag_and_count, std::uint64_t facts, std::uint64_t seen) {
  Offer offer;
  offer.tag = upper(tag_and_count);
  offer.count = lower(tag_and_count);
  if (belongs(facts, offer.tag)) {
    offer.facts = unpack_facts(facts);
    offer.verdicts = unpack_verdicts(facts);
  }
  offer.first_seen = upper(seen);
  offer.last_seen = lower(seen);
  return offer;
}

}  // namespace

std::uint32_t offer_tag(std::uint64_t fingerprint, bool server_name) {
  auto tag = upper(mix(server_name ? fingerprint : ~fingerprint));
  return tag == 0 ? 1 : tag;
}

bool count_known_offer(OfferTable& table, std::uint32_t tag, Verdicts verdicts,
                       std::uint32_t now) noexcept {
  OfferSlot* slot = find(table, tag);
  if (slot == nullptr) return false;
  std::uint64_t facts = slot->facts.load(std::memory_order_acquire);
  if (!belongs(facts, tag) || unpack_verdicts(facts) != verdicts) return false;
  // Read before the tag is proved by adding: if the entry is replaced in between, the exchange
  // below fails and the newcomer's times stand.
  std::uint64_t seen = slot->seen.load(relaxed);
  if (!add_count(*slot, tag, 1)) return false;
  if (lower(seen) < now) {
    slot->seen.compare_exchange_strong(seen, halves(upper(seen), now), relaxed);
  }
  return true;
}

void put_offer(OfferTable& table, std::uint32_t tag, const OfferFacts& facts, Verdicts verdicts,
               std::uint32_t now) noexcept {
  auto [slot, fresh] = claim(table, tag, 1);
  if (slot == nullptr) return;
  if (fresh) {
    slot->seen.store(halves(now, now), relaxed);
  } else {
    widen_times(*slot, now, now);
  }
  slot->facts.store(pack(tag, facts, verdicts), std::memory_order_release);
}

void add_offer(OfferTable& table, const Offer& offer) {
  if (offer.tag == 0 || offer.count == 0) return;
  auto [slot, fresh] = claim(table, offer.tag, offer.count);
  if (slot == nullptr) return;
  auto first = static_cast<std::uint32_t>(offer.first_seen);
  auto last = static_cast<std::uint32_t>(offer.last_seen);
  if (!fresh) {
    widen_times(*slot, first, last);
    return;
  }
  slot->seen.store(halves(first, last), relaxed);
  auto word = offer.facts ? pack(offer.tag, *offer.facts, offer.verdicts)
                          : static_cast<std::uint64_t>(~offer.tag) << proof_shift;
  slot->facts.store(word, std::memory_order_release);
}

std::vector<Offer> read_offers(const OfferTable& table) {
  std::vector<Offer> offers;
  for (const OfferSlot& slot : table) {
    std::uint64_t word = slot.tag_and_count.load(relaxed);
    if (upper(word) == 0) continue;
    std::uint64_t facts = slot.facts.load(std::memory_order_acquire);
    merge(offers, unpack(word, facts, slot.seen.load(relaxed)));
  }
  sort_by_count(offers);
  return offers;
}

std::vector<Offer> take_offers(OfferTable& table) {
  std::vector<Offer> offers;
  for (OfferSlot& slot : table) {
    // Facts and times first: once the word is empty the next worker writes its own.
    std::uint64_t facts = slot.facts.load(std::memory_order_acquire);
    std::uint64_t seen = slot.seen.load(relaxed);
    std::uint64_t word = slot.tag_and_count.exchange(0, relaxed);
    if (upper(word) != 0) merge(offers, unpack(word, facts, seen));
  }
  sort_by_count(offers);
  return offers;
}

void clear_judge(OfferTable& table, Judge judge) {
  for (OfferSlot& slot : table) {
    std::uint64_t word = slot.facts.load(relaxed);
    std::uint64_t cleared = 0;
    do {
      Verdicts verdicts = unpack_verdicts(word);
      verdicts.clear(judge);
      cleared = (word & ~verdicts_mask) | verdicts.packed();
    } while (!slot.facts.compare_exchange_weak(word, cleared, relaxed));
  }
}

}  // namespace tlsguard::live
