// SPDX-License-Identifier: Apache-2.0
#include "live/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

namespace tlsguard::live {

Count& Count::operator+=(const Count& other) {
  count = std::min(count + other.count, max_count);
  last_seen = std::max(last_seen, other.last_seen);
  return *this;
}

std::uint64_t Judged::total() const {
  Count sum;
  for (const Count& count : verdicts) sum += count;
  return sum.count;
}

std::uint64_t Judged::refused() const {
  Count sum;
  for (hello::Verdict verdict : hello::all_verdicts) {
    if (verdict != hello::Verdict::ok) sum += verdicts[static_cast<std::size_t>(verdict)];
  }
  return sum.count;
}

UnixSeconds VirtualHostCounts::last_seen() const {
  // Every handshake has a server name or not, and a verdict by at least one judge.
  UnixSeconds last = std::max(name_missing.last_seen, name_unknown.last_seen);
  for (const Judged& one : judged) {
    for (const Count& count : one.verdicts) last = std::max(last, count.last_seen);
  }
  for (const Past& one : past) {
    for (const Count& count : one.judged.verdicts) last = std::max(last, count.last_seen);
  }
  return last;
}

PolicyIds VirtualHostCounts::policies() const {
  PolicyIds ids;
  for (std::size_t j = 0; j < judge_count; ++j) ids[j] = judged[j].policy;
  return ids;
}

void VirtualHostCounts::set_policies(const PolicyIds& policies) {
  for (Judge judge : all_judges) {
    by(judge).policy = policies[static_cast<std::size_t>(judge)];
    if (by(judge).policy.empty()) forget(judge);
  }
}

void VirtualHostCounts::forget(Judge judge) {
  by(judge) = {};
  if (judge == Judge::in_force) traffic = {};
}

std::string bounded_text(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c >= ' ' && c <= '~') {
      safe += c;
    } else {
      safe += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (safe.size() <= max_key) return safe;
  std::string proof = fmt::format("#{:016x}", key_hash(safe));
  safe.resize(max_key - proof.size());
  return safe + proof;
}

Count& count_of(std::vector<IdCount>& counts, std::uint16_t id) {
  auto place = std::lower_bound(counts.begin(), counts.end(), id,
                                [](const IdCount& one, std::uint16_t key) { return one.id < key; });
  if (place == counts.end() || place->id != id) place = counts.insert(place, {id, {}});
  return place->count;
}

}  // namespace tlsguard::live
