// SPDX-License-Identifier: Apache-2.0
#include "live/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "live/slot_counts.h"

namespace tlsguard::live {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr UnixSeconds day = 86400;

constexpr std::size_t index(Judge judge) { return static_cast<std::size_t>(judge); }

}  // namespace

VirtualHostCensus Keeper::census(std::size_t host) const {
  return {hosts_.at(host).slot, hosts_.at(host).policy_hashes};
}

const std::vector<Past>& Keeper::past(std::size_t host) const { return hosts_.at(host).past; }

const RampSlot* Keeper::ramp(std::size_t ramp) const { return ramps_.at(ramp).slot; }

void Keeper::publish_ramp(std::size_t which, std::uint64_t reached) {
  Ramp& ramp = ramps_.at(which);
  ramp.slot->reached.store(reached, relaxed);
  if (ramp.published == reached) return;
  ramp.published = reached;
  for (std::uint32_t m = 0; m + 1 < anchor_->count; ++m) {
    auto old = Board::attach(anchor_->mappings[m]);
    for (std::uint32_t i = 0; old && i < anchor_->mappings[m].ramps; ++i) {
      RampSlot* slot = old->ramp(i);
      if (slot != nullptr && slot->key.load(relaxed) == ramp.key) slot->reached = reached;
    }
  }
}

void Keeper::fold_old_boards() {
  for (std::uint32_t m = 0; m + 1 < anchor_->count; ++m) {
    auto board = Board::attach(anchor_->mappings[m]);
    for (std::uint32_t i = 0; board && i < anchor_->mappings[m].virtual_hosts; ++i) {
      VirtualHostSlot* old = board->virtual_host(i);
      auto target = old == nullptr ? slots_.end() : slots_.find(old->key.load(relaxed));
      if (target == slots_.end()) continue;
      VirtualHostCounts late;
      take_counts(*old, late);
      for (Judge judge : all_judges) {
        std::size_t j = index(judge);
        if (old->policies[j].load(relaxed) == target->second->policies[j].load(relaxed)) continue;
        late.forget(judge);
        for (Offer& offer : late.offers) offer.verdicts.clear(judge);
      }
      add_counts(*target->second, late);
    }
  }
}

Snapshot Keeper::collect(UnixSeconds now) {
  // What the board says of itself may have been overwritten; what is known here stands.
  for (const Host& host : hosts_) {
    if (host.shares) continue;
    host.slot->key.store(key_hash(host.key), relaxed);
    for (std::size_t j = 0; j < judge_count; ++j) {
      host.slot->policies[j].store(host.policy_hashes[j], relaxed);
    }
  }
  fold_old_boards();
  Snapshot snapshot;
  snapshot.seed = seed_;
  snapshot.written = now;
  snapshot.noticed_at = noticed_at_;
  for (const Host& host : hosts_) {
    if (host.shares) continue;
    VirtualHostCounts counts;
    read_counts(*host.slot, counts);
    counts.key = host.key;
    counts.configured = true;
    counts.floor_exception = host.floor_exception;
    counts.past = host.past;
    counts.set_policies(host.policies);
    snapshot.virtual_hosts.push_back(std::move(counts));
  }
  for (Gone& gone : gone_) {
    if (gone.slot != nullptr) {
      auto policies = gone.counts.policies();
      read_counts(*gone.slot, gone.counts);
      gone.counts.set_policies(policies);
    }
    if (now - std::max(gone.counts.last_seen(), gone.counts.began) > keep_unseen) continue;
    if (snapshot.virtual_hosts.size() == Board::max_capacity) break;
    snapshot.virtual_hosts.push_back(gone.counts);
  }
  return snapshot;
}

Result<void> Keeper::save(const store::Directory& directory, UnixSeconds now) {
  Snapshot snapshot = collect(now);
  if (saved_) {
    saved_->written = now;
    if (*saved_ == snapshot) return {};
  }
  std::string text = to_json(snapshot);
  if (text.size() > max_snapshot) {
    return fail(fmt::format("the census of {} virtual hosts does not fit into {} bytes",
                            snapshot.virtual_hosts.size(), max_snapshot));
  }
  auto written = directory.write(snapshot_file_name, text, 0600);
  if (written) saved_ = std::move(snapshot);
  return written;
}

std::uint64_t DailyNotice::refused() const {
  return std::accumulate(verdicts.begin(), verdicts.end(), std::uint64_t{0});
}

std::vector<DailyNotice> Keeper::take_daily_notices(UnixSeconds now) {
  std::vector<DailyNotice> notices;
  // A clock set back must not silence it for longer than a day.
  const UnixSeconds since = std::min(noticed_at_, now);
  if (noticed_at_ <= now && now - since < day) return notices;
  noticed_at_ = now;
  board_.header()->noticed_at = static_cast<std::uint32_t>(now);
  for (const Host& host : hosts_) {
    if (host.shares) continue;
    for (Judge judge : {Judge::in_force, Judge::report}) {
      DailyNotice notice{host.key, judge, {}, since};
      for (hello::Verdict verdict : hello::all_verdicts) {
        auto v = static_cast<std::size_t>(verdict);
        std::uint64_t total = host.slot->verdicts[v][index(judge)].count.load(relaxed);
        std::uint64_t told = host.slot->noticed[index(judge)][v].exchange(total, relaxed);
        if (verdict != hello::Verdict::ok && total > told) notice.verdicts[v] = total - told;
      }
      if (notice.refused() != 0) notices.push_back(std::move(notice));
    }
  }
  return notices;
}

LoadedSnapshot load_snapshot(const store::Directory& directory) {
  auto text = directory.read(snapshot_file_name, max_snapshot);
  if (text && !*text) return {};
  auto snapshot = text ? parse_snapshot(**text) : tl::unexpected(text.error());
  if (snapshot) return {std::move(*snapshot), {}};
  Error error = snapshot.error().within(directory.path() + "/" + snapshot_file_name);
  // Out of the way of the next save(), which would replace it.
  auto aside = directory.set_aside(snapshot_file_name);
  error.text +=
      aside ? fmt::format("; it is {}.bad now, and counting begins anew", snapshot_file_name)
            : "; " + aside.error().text;
  return {{}, std::move(error)};
}

Snapshot read_board(std::span<const ShownHost> hosts, UnixSeconds now) {
  Snapshot snapshot;
  snapshot.written = now;
  std::unordered_set<const VirtualHostSlot*> listed;
  for (const ShownHost& host : hosts) {
    const VirtualHostSlot* slot = host.census.slot();
    // Of virtual hosts that are counted as one the first gives the policies.
    if (slot == nullptr || !listed.insert(slot).second) continue;
    VirtualHostCounts counts;
    read_counts(*slot, counts);
    counts.key = bounded_text(host.counted->key);
    counts.configured = true;
    counts.floor_exception = bounded_text(host.counted->floor_exception);
    counts.past.assign(host.past.begin(), host.past.end());
    PolicyIds policies;
    std::transform(host.counted->policies.begin(), host.counted->policies.end(), policies.begin(),
                   bounded_text);
    counts.set_policies(policies);
    snapshot.virtual_hosts.push_back(std::move(counts));
  }
  return snapshot;
}

}  // namespace tlsguard::live
