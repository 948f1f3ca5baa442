// SPDX-License-Identifier: Apache-2.0
// How a configuration comes by its slots: Keeper::open.
#include "live/keeper.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <unordered_set>

#include "core/descriptor.h"
#include "live/slot_counts.h"

namespace tlsguard::live {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr std::size_t least_capacity = 64;

constexpr std::size_t index(Judge judge) { return static_cast<std::size_t>(judge); }

Result<std::uint64_t> random_seed() {
  std::uint64_t seed = 0;
  while (seed == 0) {
    if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed) && errno != EINTR) {
      return system_failure("no random numbers");
    }
  }
  return seed;
}

std::uint64_t hash_or_none(const std::string& policy) {
  return policy.empty() ? 0 : key_hash(policy);
}

// The ids of the policies a slot belongs to, which has only their hashes; empty: not known.
PolicyIds policies_of(const VirtualHostSlot& slot, const VirtualHostCounts* record,
                      const PolicyIds& now) {
  PolicyIds policies;
  for (Judge judge : all_judges) {
    std::size_t j = index(judge);
    std::uint64_t hash = slot.policies[j].load(relaxed);
    if (hash == 0) continue;
    if (record != nullptr && hash_or_none(record->by(judge).policy) == hash) {
      policies[j] = record->by(judge).policy;
    } else if (hash_or_none(now[j]) == hash) {
      policies[j] = now[j];
    }
  }
  return policies;
}

template <typename Slot>
std::unordered_map<std::uint64_t, Slot*> by_key(std::uint32_t used, auto slot_at) {
  std::unordered_map<std::uint64_t, Slot*> slots;
  for (std::uint32_t i = 0; i < used; ++i) {
    Slot* slot = slot_at(i);
    if (slot != nullptr) slots.try_emplace(slot->key.load(relaxed), slot);
  }
  return slots;
}

std::size_t missing(const auto& slots, const auto& keys) {
  return static_cast<std::size_t>(
      std::count_if(keys.begin(), keys.end(),
                    [&slots](const std::string& key) { return !slots.contains(key_hash(key)); }));
}

std::vector<std::string> bounded_keys(std::span<const CountedHost> hosts) {
  std::vector<std::string> keys;
  for (const CountedHost& host : hosts) keys.push_back(bounded_text(host.key));
  return keys;
}

}  // namespace

Result<Keeper> Keeper::open(BoardAnchor& anchor, const Snapshot& previous,
                            std::span<const CountedHost> hosts, std::span<const std::string> ramps,
                            UnixSeconds now) {
  Keeper keeper(anchor);
  const std::vector<std::string> keys = bounded_keys(hosts);
  if (auto taken = keeper.take_board(previous, keys, ramps); !taken) {
    return tl::unexpected(taken.error());
  }
  if (keeper.noticed_at_ == 0 || keeper.noticed_at_ > now) keeper.noticed_at_ = now;
  keeper.board_.header()->noticed_at = static_cast<std::uint32_t>(keeper.noticed_at_);

  std::unordered_map<std::string_view, const VirtualHostCounts*> records;
  for (const VirtualHostCounts& record : previous.virtual_hosts) {
    records.try_emplace(record.key, &record);
  }
  std::unordered_set<std::string_view> configured;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    auto record = records.find(keys[i]);
    Host host;
    host.key = keys[i];
    host.floor_exception = bounded_text(hosts[i].floor_exception);
    host.shares = !configured.insert(keys[i]).second;
    for (std::size_t j = 0; j < judge_count; ++j) {
      host.policies[j] = bounded_text(hosts[i].policies[j]);
      host.policy_hashes[j] = hash_or_none(host.policies[j]);
    }
    keeper.adopt(std::move(host), record == records.end() ? nullptr : record->second, now);
  }
  for (const VirtualHostCounts& record : previous.virtual_hosts) {
    if (!configured.contains(record.key)) keeper.remember(record);
  }
  for (const std::string& name : ramps) keeper.adopt_ramp(name);
  keeper.outgrown_.clear();
  keeper.outgrown_ramps_.clear();
  return keeper;
}

Result<void> Keeper::take_board(const Snapshot& previous, std::span<const std::string> keys,
                                std::span<const std::string> ramps) {
  auto attached = anchor_->count == 0 ? fail("no board yet") : Board::attach(newest());
  if (attached) {
    board_ = *attached;
    seed_ = board_.header()->seed;
    noticed_at_ = board_.header()->noticed_at;
    const BoardAnchor::Mapping& used = newest();
    slots_ = by_key<VirtualHostSlot>(used.virtual_hosts,
                                     [this](std::uint32_t i) { return board_.virtual_host(i); });
    ramp_slots_ = by_key<RampSlot>(used.ramps, [this](std::uint32_t i) { return board_.ramp(i); });
    if (used.virtual_hosts + missing(slots_, keys) <= used.capacity &&
        used.ramps + missing(ramp_slots_, ramps) <= used.capacity) {
      return {};
    }
  }
  if (std::max(keys.size(), ramps.size()) > Board::max_capacity) {
    return fail(fmt::format("the census has room for {} virtual hosts, not for {}",
                            Board::max_capacity, std::max(keys.size(), ramps.size())));
  }
  // Those just removed move along: workers of the last configuration still count for them.
  std::unordered_set<std::string_view> all(keys.begin(), keys.end());
  for (const VirtualHostCounts& record : previous.virtual_hosts) {
    if (record.configured) all.insert(record.key);
  }
  return make_board(previous, std::max(all.size(), ramps.size()));
}

Result<void> Keeper::make_board(const Snapshot& previous, std::size_t needed) {
  if (seed_ == 0) seed_ = previous.seed;
  if (noticed_at_ == 0) noticed_at_ = previous.noticed_at;
  if (seed_ == 0) {
    auto seed = random_seed();
    if (!seed) return tl::unexpected(seed.error());
    seed_ = *seed;
  }
  std::size_t capacity = std::clamp<std::size_t>(2 * needed, least_capacity, Board::max_capacity);
  auto board = Board::create(*anchor_, static_cast<std::uint32_t>(capacity), seed_);
  if (!board) return tl::unexpected(board.error());
  board_ = *board;
  outgrown_ = std::exchange(slots_, {});
  outgrown_ramps_ = std::exchange(ramp_slots_, {});
  return {};
}

void Keeper::adopt(Host host, const VirtualHostCounts* record, UnixSeconds now) {
  if (record != nullptr) host.past = record->past;
  PolicyIds before;
  const std::uint64_t key = key_hash(host.key);
  if (auto live = slots_.find(key); live != slots_.end()) {
    host.slot = live->second;
    before = policies_of(*host.slot, record, host.policies);
  } else {
    VirtualHostCounts counts;
    counts.began = now;
    if (record != nullptr) counts = *record;
    counts.key = host.key;
    if (auto old = outgrown_.find(key); old != outgrown_.end()) {
      take_counts(*old->second, counts);
      counts.set_policies(policies_of(*old->second, record, host.policies));
    }
    before = counts.policies();
    host.slot = restore(counts);
  }
  if (!host.shares) {
    for (Judge judge : all_judges) set_policy(host, judge, before[index(judge)], now);
  }
  hosts_.push_back(std::move(host));
}

VirtualHostSlot* Keeper::restore(const VirtualHostCounts& counts) {
  // For virtual hosts of this configuration take_board saw to it that there is room.
  auto* slot = new (board_.virtual_host(newest().virtual_hosts++)) VirtualHostSlot;
  slot->began = static_cast<std::uint32_t>(counts.began);
  for (Judge judge : all_judges) {
    std::size_t j = index(judge);
    slot->policies[j] = hash_or_none(counts.by(judge).policy);
    slot->policies_began[j] = static_cast<std::uint32_t>(counts.by(judge).began);
  }
  add_counts(*slot, counts);
  const std::uint64_t key = key_hash(counts.key);
  slot->key = key;
  slots_.try_emplace(key, slot);
  return slot;
}

void Keeper::set_policy(Host& host, Judge judge, const std::string& before, UnixSeconds now) {
  const std::size_t j = index(judge);
  VirtualHostSlot& slot = *host.slot;
  if (slot.policies[j].load(relaxed) == host.policy_hashes[j]) return;
  // From here on workers of the old configuration do not count for this judge.
  slot.policies[j].store(0, std::memory_order_release);
  JudgeCounts old = take_counts(slot, judge);
  clear_judge(slot.offers, judge);
  if (!before.empty() && old.judged.total() != 0) {
    old.judged.policy = before;
    host.past.push_back({judge, std::move(old.judged), std::move(old.traffic)});
  }
  UnixSeconds began = now;
  auto returns = std::find_if(host.past.begin(), host.past.end(), [&](const Past& past) {
    return past.judge == judge && past.judged.policy == host.policies[j];
  });
  if (returns != host.past.end()) {
    began = returns->judged.began;
    add_counts(slot, judge, returns->judged, returns->traffic);
    host.past.erase(returns);
  }
  // The oldest come first.
  if (host.past.size() > max_past) host.past.erase(host.past.begin());
  slot.policies_began[j] = static_cast<std::uint32_t>(began);
  slot.policies[j].store(host.policy_hashes[j], std::memory_order_release);
}

void Keeper::remember(const VirtualHostCounts& record) {
  Gone gone;
  gone.counts = record;
  gone.counts.configured = false;
  const std::uint64_t key = key_hash(record.key);
  if (auto live = slots_.find(key); live != slots_.end()) {
    gone.slot = live->second;
    gone.counts.set_policies(policies_of(*gone.slot, &record, record.policies()));
  } else if (auto old = outgrown_.find(key); old != outgrown_.end() && record.configured) {
    take_counts(*old->second, gone.counts);
    gone.counts.set_policies(policies_of(*old->second, &record, record.policies()));
    if (newest().virtual_hosts < board_.capacity()) gone.slot = restore(gone.counts);
  }
  gone_.push_back(std::move(gone));
}

void Keeper::adopt_ramp(const std::string& server_name) {
  Ramp ramp;
  ramp.key = key_hash(server_name);
  if (auto live = ramp_slots_.find(ramp.key); live != ramp_slots_.end()) {
    ramp.slot = live->second;
  } else {
    ramp.slot = new (board_.ramp(newest().ramps++)) RampSlot;
    if (auto old = outgrown_ramps_.find(ramp.key); old != outgrown_ramps_.end()) {
      ramp.slot->reached = old->second->reached.load(relaxed);
    }
    ramp.slot->key = ramp.key;
    ramp_slots_.try_emplace(ramp.key, ramp.slot);
  }
  ramps_.push_back(ramp);
}

}  // namespace tlsguard::live
