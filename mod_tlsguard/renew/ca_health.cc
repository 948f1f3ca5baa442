// SPDX-License-Identifier: Apache-2.0
#include "renew/ca_health.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/date.h"
#include "renew/backoff.h"
#include "renew/spread.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t steady_after = 600;  // seconds without a failure

}  // namespace

void CaHealth::unreachable(const std::string& directory_url, const std::string& why,
                           UnixSeconds now) {
  std::lock_guard lock(mutex_);
  Record& record = records_[directory_url];
  // Jobs that were under way when it went fail together: that is one failure.
  if (record.down && now < record.probe_at && now >= record.failed_at) return;
  if (!record.down) {
    bool soon_again = now >= record.since && now - record.since < steady_after;
    if (!soon_again) record.failures = 0;
    record.down = true;
    record.since = now;
  }
  record.failures = std::min(record.failures + 1, 1000U);
  record.failed_at = now;
  record.why = why;
  record.probe_at =
      now + backoff_delay(record.failures, seed_of(directory_url), {.first = 10, .most = 900});
}

bool CaHealth::reachable(const std::string& directory_url, UnixSeconds now) {
  std::lock_guard lock(mutex_);
  auto found = records_.find(directory_url);
  if (found == records_.end() || !found->second.down) return false;
  found->second.down = false;
  found->second.since = now;
  return true;
}

std::string CaHealth::trouble(const std::string& directory_url) const {
  std::lock_guard lock(mutex_);
  auto found = records_.find(directory_url);
  if (found == records_.end() || !found->second.down) return {};
  return fmt::format("the CA has not answered since {} ({})", format_date(found->second.since),
                     found->second.why);
}

std::map<std::string, CaHealth::Silence> CaHealth::silent() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, Silence> all;
  for (const auto& [ca, record] : records_) {
    if (record.down) all[ca] = {record.since, record.why};
  }
  return all;
}

std::map<std::string, UnixSeconds> CaHealth::probes(UnixSeconds now) const {
  std::lock_guard lock(mutex_);
  std::map<std::string, UnixSeconds> moments;
  for (const auto& [ca, record] : records_) {
    // A clock that has jumped back must not keep us waiting.
    if (record.down) moments[ca] = now < record.failed_at ? now : record.probe_at;
  }
  return moments;
}

}  // namespace tlsguard::renew
