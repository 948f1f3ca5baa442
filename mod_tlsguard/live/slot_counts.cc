// SPDX-License-Identifier: Apache-2.0
#include "live/slot_counts.h"

#include <algorithm>

namespace tlsguard::live {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

constexpr std::size_t index(Judge judge) { return static_cast<std::size_t>(judge); }

// How a counter is turned into a value: looked at, or emptied.
struct Read {
  std::uint64_t operator()(const std::atomic<std::uint64_t>& word) const {
    return std::min(word.load(relaxed), max_count);
  }
  std::vector<Offer> operator()(const OfferTable& table) const { return read_offers(table); }
};
struct Take {
  std::uint64_t operator()(std::atomic<std::uint64_t>& word) const {
    return std::min(word.exchange(0, relaxed), max_count);
  }
  std::vector<Offer> operator()(OfferTable& table) const { return take_offers(table); }
};

template <typename Get, typename AnyCounter>
Count get(Get how, AnyCounter& counter) {
  Count count;
  count.count = how(counter.count);
  if (count.count != 0) count.last_seen = counter.last_seen.load(relaxed);
  return count;
}

template <typename Get, typename Table>
std::vector<IdCount> get_table(Get how, Table& table) {
  std::vector<IdCount> counts;
  for (auto& counter : table) {
    std::uint32_t id = counter.id.load(relaxed);
    Count count = get(how, counter);
    if (id != 0 && count.count != 0) count_of(counts, static_cast<std::uint16_t>(id)) += count;
  }
  return counts;
}

template <typename Get, typename Slot>
Traffic get_traffic(Get how, Slot& slot) {
  Traffic traffic;
  traffic.full = get(how, slot.full);
  traffic.resumed = get(how, slot.resumed);
  for (std::size_t i = 0; i < traffic.versions.size(); ++i) {
    traffic.versions[i] = get(how, slot.versions[i]);
  }
  traffic.ciphers = get_table(how, slot.ciphers);
  traffic.other_ciphers = get(how, slot.other_cipher);
  traffic.groups = get_table(how, slot.groups);
  traffic.other_groups = get(how, slot.other_group);
  return traffic;
}

template <typename Get, typename Slot>
void get_judged(Get how, Slot& slot, Judge judge, Judged& judged) {
  judged.began = slot.policies_began[index(judge)].load(relaxed);
  for (std::size_t v = 0; v < hello::verdict_count; ++v) {
    judged.verdicts[v] = get(how, slot.verdicts[v][index(judge)]);
    if (index(judge) < slot.noticed.size()) {
      judged.noticed[v] = how(slot.noticed[index(judge)][v]);
    }
  }
}

template <typename Get, typename Slot>
void get_all(Get how, Slot& slot, VirtualHostCounts& counts) {
  counts.began = slot.began.load(relaxed);
  counts.name_missing = get(how, slot.name_missing);
  counts.name_unknown = get(how, slot.name_unknown);
  counts.traffic = get_traffic(how, slot);
  for (Judge judge : all_judges) get_judged(how, slot, judge, counts.by(judge));
  counts.offers = how(slot.offers);
}

void add(Counter& counter, const Count& count) {
  if (count.count == 0) return;
  counter.count.fetch_add(count.count, relaxed);
  auto last = static_cast<std::uint32_t>(count.last_seen);
  if (counter.last_seen.load(relaxed) < last) counter.last_seen.store(last, relaxed);
}

template <std::size_t N>
void add(std::array<Counter, N>& table, Counter& other, const std::vector<IdCount>& counts) {
  for (const IdCount& one : counts) {
    Counter* counter = counter_of(table, one.id);
    add(counter == nullptr ? other : *counter, one.count);
  }
}

void add_traffic(VirtualHostSlot& slot, const Traffic& traffic) {
  add(slot.full, traffic.full);
  add(slot.resumed, traffic.resumed);
  for (std::size_t i = 0; i < traffic.versions.size(); ++i) {
    add(slot.versions[i], traffic.versions[i]);
  }
  add(slot.ciphers, slot.other_cipher, traffic.ciphers);
  add(slot.other_cipher, traffic.other_ciphers);
  add(slot.groups, slot.other_group, traffic.groups);
  add(slot.other_group, traffic.other_groups);
}

void add_judged(VirtualHostSlot& slot, Judge judge, const Judged& judged) {
  for (std::size_t v = 0; v < hello::verdict_count; ++v) {
    add(slot.verdicts[v][index(judge)], judged.verdicts[v]);
    if (index(judge) < slot.noticed.size()) {
      slot.noticed[index(judge)][v].fetch_add(judged.noticed[v], relaxed);
    }
  }
}

}  // namespace

void read_counts(const VirtualHostSlot& slot, VirtualHostCounts& counts) {
  get_all(Read{}, slot, counts);
}

void take_counts(VirtualHostSlot& slot, VirtualHostCounts& counts) {
  get_all(Take{}, slot, counts);
}

void add_counts(VirtualHostSlot& slot, const VirtualHostCounts& counts) {
  add(slot.name_missing, counts.name_missing);
  add(slot.name_unknown, counts.name_unknown);
  add_traffic(slot, counts.traffic);
  for (Judge judge : all_judges) add_judged(slot, judge, counts.by(judge));
  for (const Offer& offer : counts.offers) add_offer(slot.offers, offer);
}

JudgeCounts take_counts(VirtualHostSlot& slot, Judge judge) {
  JudgeCounts counts;
  get_judged(Take{}, slot, judge, counts.judged);
  if (judge == Judge::in_force) counts.traffic = get_traffic(Take{}, slot);
  return counts;
}

void add_counts(VirtualHostSlot& slot, Judge judge, const Judged& judged, const Traffic& traffic) {
  add_judged(slot, judge, judged);
  if (judge == Judge::in_force) add_traffic(slot, traffic);
}

}  // namespace tlsguard::live
