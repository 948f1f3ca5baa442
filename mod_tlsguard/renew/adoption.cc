// SPDX-License-Identifier: Apache-2.0
#include "renew/adoption.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tlsguard::renew {
namespace {

std::size_t in_common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return static_cast<std::size_t>(std::count_if(a.begin(), a.end(), [&](const std::string& name) {
    return std::find(b.begin(), b.end(), name) != b.end();
  }));
}

bool has_nothing(const Workshop& shop, const DomainSpec& spec) {
  auto current = shop.certificates.current(spec.identity);
  if (!current || *current) return false;
  auto job = shop.jobs.read_job(spec.identity);
  return job && !*job;
}

Result<void> adopt(const Workshop& shop, const DomainSpec& spec, JobState old) {
  auto version = shop.certificates.load(old.identity, old.live->version);
  if (!version) return tl::unexpected(version.error());
  auto number = shop.certificates.put(spec.identity, *version);
  if (!number) return tl::unexpected(number.error());
  auto current = shop.certificates.activate(spec.identity, *number);
  if (!current) return tl::unexpected(current.error());
  std::string text = fmt::format("goes on from '{}', which had most of its names", old.identity);
  shop.log.write(Severity::notice, "TG0103", fmt::format("domain={}: {}", spec.identity, text));
  old.identity = spec.identity;
  old.live->version = current->version;
  old.live->generation = current->generation;
  old.revoked.clear();  // numbers of the old domain
  old.remember(shop.world.now(), "adopted", text);
  return shop.jobs.write_job(old);
}

}  // namespace

void adopt_renamed(const Workshop& shop,
                   const std::vector<std::shared_ptr<const DomainSpec>>& fresh,
                   const std::set<std::string>& declared) {
  std::vector<std::shared_ptr<const DomainSpec>> empty;
  for (const auto& spec : fresh) {
    if (has_nothing(shop, *spec)) empty.push_back(spec);
  }
  if (empty.empty()) return;
  std::vector<JobState> left = shop.jobs.all_jobs();
  std::erase_if(left,
                [&](const JobState& job) { return !job.live || declared.contains(job.identity); });
  for (const auto& spec : empty) {
    auto best = std::max_element(left.begin(), left.end(), [&](const auto& a, const auto& b) {
      return in_common(spec->names, a.live->names) < in_common(spec->names, b.live->names);
    });
    if (best == left.end()) return;
    std::size_t common = in_common(spec->names, best->live->names);
    if (2 * common <= std::max(spec->names.size(), best->live->names.size())) continue;
    auto adopted = adopt(shop, *spec, *best);
    if (!adopted) {
      shop.log.write(Severity::warning, "TG0104",
                     fmt::format("domain={}: what '{}' has could not be taken over: {}",
                                 spec->identity, best->identity, adopted.error().text));
    }
    left.erase(best);
  }
}

}  // namespace tlsguard::renew
