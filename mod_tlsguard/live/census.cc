// SPDX-License-Identifier: Apache-2.0
#include "live/census.h"

namespace tlsguard::live {
namespace {

void count(Counter& counter, std::uint32_t now) noexcept {
  counter.count.fetch_add(1, std::memory_order_relaxed);
  if (counter.last_seen.load(std::memory_order_relaxed) != now) {
    counter.last_seen.store(now, std::memory_order_relaxed);
  }
}

template <std::size_t N>
void count_in(std::array<Counter, N>& table, Counter& other, std::uint16_t id,
              std::uint32_t now) noexcept {
  Counter* counter = counter_of(table, id);
  count(counter == nullptr ? other : *counter, now);
}

}  // namespace

Verdicts VirtualHostCensus::count_verdicts(std::uint32_t now, AskedName name,
                                           Verdicts verdicts) const noexcept {
  if (name == AskedName::missing) count(slot_->name_missing, now);
  if (name == AskedName::unknown) count(slot_->name_unknown, now);
  for (std::size_t j = 0; j < judge_count; ++j) {
    const auto judge = static_cast<Judge>(j);
    auto verdict = verdicts.get(judge);
    if (!verdict) continue;
    if (counts_for(judge)) {
      count(slot_->verdicts[static_cast<std::size_t>(*verdict)][j], now);
    } else {
      verdicts.clear(judge);
    }
  }
  return verdicts;
}

void VirtualHostCensus::count_handshake(UnixSeconds now,
                                        const Negotiated& negotiated) const noexcept {
  if (slot_ == nullptr || !counts_for(Judge::in_force)) return;
  auto when = static_cast<std::uint32_t>(now);
  count(negotiated.resumed ? slot_->resumed : slot_->full, when);
  // An unsigned difference, so that anything below TLS 1.0 is out of range too.
  auto version =
      static_cast<std::size_t>(negotiated.version) - static_cast<std::size_t>(Protocol::tls1_0);
  if (version < slot_->versions.size()) count(slot_->versions[version], when);
  count_in(slot_->ciphers, slot_->other_cipher, negotiated.cipher, when);
  if (negotiated.group != 0) {
    count_in(slot_->groups, slot_->other_group, negotiated.group, when);
  }
}

}  // namespace tlsguard::live
