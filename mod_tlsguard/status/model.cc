// SPDX-License-Identifier: Apache-2.0
#include "status/model.h"

#include <map>
#include <tuple>
#include <utility>

#include "core/text.h"

namespace tlsguard::status {
namespace {

using renew::Phase;

constexpr UnixSeconds two_weeks = 14LL * 86400;

bool is_failing(const Domain& domain) {
  if (domain.errors > 0) return true;
  if (!domain.phase) return false;
  switch (*domain.phase) {
    case Phase::preflight_failed:
    case Phase::ca_error:
    case Phase::own_error:
    case Phase::action_needed:
    case Phase::terms_not_agreed:
      return true;
    default:
      return false;
  }
}

bool is_paused(const Domain& domain) {
  return domain.phase == Phase::manual || domain.phase == Phase::held ||
         domain.phase == Phase::vetoed || domain.phase == Phase::undeclared;
}

// As TLSGuardWarnWindow is by default.
bool is_expiring(UnixSeconds not_before, UnixSeconds not_after, UnixSeconds now) {
  bool dated = not_before > 0 && not_before < not_after;
  UnixSeconds window = dated ? std::min(two_weeks, (not_after - not_before) / 4) : two_weeks;
  return not_after - now < window;
}

bool is_expiring(const Domain& domain, UnixSeconds now) {
  if (domain.warn_from > 0) return now >= domain.warn_from;
  return is_expiring(domain.not_before, domain.not_after, now);
}

bool matches_search(const Domain& domain, const std::string& search) {
  if (search.empty() || domain.identity.find(search) != std::string::npos) return true;
  return std::any_of(domain.names.begin(), domain.names.end(),
                     [&](const auto& name) { return name.find(search) != std::string::npos; });
}

bool matches_search(const CertificateFile& file, const std::string& search) {
  auto has = [&](const std::string& text) {
    return to_lower(text).find(search) != std::string::npos;
  };
  return search.empty() || has(file.file) ||
         std::any_of(file.names.begin(), file.names.end(), has) ||
         std::any_of(file.hosts.begin(), file.hosts.end(), has);
}

bool is_attention(Health health) { return health <= Health::missing; }

bool matches_state(std::optional<Phase> phase, Health health, std::string_view state) {
  if (state.empty()) return true;
  if (state == "attention") return is_attention(health);
  if (state == health_name(health)) return true;
  return phase && state == renew::phase_name(*phase);
}

void count(DomainTally& tally, const Domain& domain, Health health) {
  ++tally.total;
  ++tally.by_health.at(static_cast<std::size_t>(health));
  if (domain.phase) ++tally.by_phase.at(static_cast<std::size_t>(*domain.phase));
  auto earliest = [](UnixSeconds& first, UnixSeconds at) {
    if (at > 0 && (first == 0 || at < first)) first = at;
  };
  if (domain.generation > 0) earliest(tally.first_expiry, domain.not_after);
  earliest(tally.next_run, domain.next_run);
}

}  // namespace

std::string_view health_name(Health health) {
  constexpr std::array<std::string_view, health_count> names{"expired",  "failing", "missing",
                                                             "expiring", "paused",  "good"};
  return names.at(static_cast<std::size_t>(health));
}

Health health_of(const Domain& domain, UnixSeconds now) {
  if (domain.generation > 0 && domain.not_after <= now) return Health::expired;
  if (is_failing(domain)) return Health::failing;
  if (domain.generation == 0) return Health::missing;
  if (is_expiring(domain, now)) return Health::expiring;
  return is_paused(domain) ? Health::paused : Health::good;
}

Health health_of(const CertificateFile& file, UnixSeconds now) {
  if (file.not_after <= now) return Health::expired;
  return is_expiring(file.not_before, file.not_after, now) ? Health::expiring : Health::good;
}

Handshakes handshakes_of(const live::Snapshot& census) {
  Handshakes sum;
  for (const live::VirtualHostCounts& host : census.virtual_hosts) {
    sum.full += host.traffic.full.count;
    sum.resumed += host.traffic.resumed.count;
    sum.judged += host.by(live::Judge::in_force).total();
    sum.refused += host.by(live::Judge::in_force).refused();
  }
  return sum;
}

bool agent_is_missing(const Model& model) {
  if (model.passive || (!model.managing && !model.watching)) return false;
  // A clock that has jumped back is no reason to cry.
  return model.now - std::max(model.agent_seen, model.started) > agent_silence;
}

bool lists_all_copies(std::size_t domains, std::size_t workers) {
  constexpr std::size_t most = 10000;
  return domains * workers <= most;
}

std::size_t DomainTally::attention() const {
  return of(Health::expired) + of(Health::failing) + of(Health::missing);
}

Page page_of(std::size_t size, std::size_t matched, std::size_t wanted) {
  Page page{size, matched, 1};
  page.number = std::clamp<std::size_t>(wanted, 1, page.pages());
  return page;
}

void DomainChoice::look_at(const Domain& domain) {
  Health health = health_of(domain, now_);
  count(tally_, domain, health);
  bool matches =
      matches_search(domain, query_.search) && matches_state(domain.phase, health, query_.state);
  if (!matches) return;
  matches_.push_back({health, domain.position, names_.size(), domain.identity.size()});
  names_ += domain.identity;
}

std::vector<std::uint32_t> DomainChoice::chosen() {
  page_ = page_of(domains_shown, matches_.size(), query_.page);
  auto before = [&](const Match& a, const Match& b) {
    if (a.health != b.health) return a.health < b.health;
    return name_of(a) < name_of(b);
  };
  auto end = matches_.begin() + static_cast<std::ptrdiff_t>(page_.end());
  std::partial_sort(matches_.begin(), end, matches_.end(), before);
  std::vector<std::uint32_t> positions;
  for (std::size_t i = page_.begin(); i < page_.end(); ++i) {
    positions.push_back(matches_[i].position);
  }
  return positions;
}

void choose_domains(Model& model, std::vector<Domain> all) {
  DomainChoice choice(model.now, model.query);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].position = static_cast<std::uint32_t>(i);
    choice.look_at(all[i]);
  }
  for (std::uint32_t position : choice.chosen()) {
    Domain& domain = all.at(position);
    domain.health = health_of(domain, model.now);
    model.domains.push_back(std::move(domain));
  }
  model.domain_page = choice.page();
  model.tally = choice.tally();
}

void choose_files(Model& model, const std::vector<CertificateFile>& all, std::size_t most) {
  std::vector<const CertificateFile*> matched;
  for (const CertificateFile& file : all) {
    if (model.first_file_expiry == 0 || file.not_after < model.first_file_expiry) {
      model.first_file_expiry = file.not_after;
    }
    if (matches_search(file, model.query.search)) matched.push_back(&file);
  }
  std::sort(matched.begin(), matched.end(), [](const auto* a, const auto* b) {
    return std::tie(a->not_after, a->file) < std::tie(b->not_after, b->file);
  });
  model.files_matched = matched.size();
  matched.resize(std::min(matched.size(), most));
  for (const CertificateFile* file : matched) {
    if (matched.size() <= files_shown) {
      model.files.push_back(*file);
      continue;
    }
    // Of all, for metrics: with ten thousand, names and hosts would be a million strings.
    CertificateFile& brief = model.files.emplace_back();
    brief.file = file->file;
    if (!file->names.empty()) brief.names = {file->names.front()};
    brief.not_after = file->not_after;
  }
  if (!model.troubles) return;
  // What the agent says is of the certificate that an agent before this configuration knew,
  // perhaps.
  std::map<std::pair<std::string_view, std::string_view>, const renew::TroubleReport::File*> known;
  for (const auto& file : model.troubles->files) known[{file.file, file.serial}] = &file;
  for (CertificateFile& file : model.files) {
    auto found = known.find({file.file, file.serial});
    if (found == known.end()) continue;
    file.readable = found->second->readable;
    file.newer_since = found->second->newer_since;
    file.newer_until = found->second->newer_until;
  }
}

std::vector<std::size_t> choose_hosts(Model& model) {
  std::vector<std::size_t> matched;
  for (std::size_t i = 0; i < model.hosts.size(); ++i) {
    const std::string& search = model.query.search;
    if (to_lower(model.hosts[i].name).find(search) != std::string::npos) matched.push_back(i);
  }
  std::sort(matched.begin(), matched.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(model.hosts[a].name, a) < std::tie(model.hosts[b].name, b);
  });
  model.host_page = page_of(hosts_shown, matched.size(), model.query.host_page);
  auto begin = matched.begin();
  return {begin + static_cast<std::ptrdiff_t>(model.host_page.begin()),
          begin + static_cast<std::ptrdiff_t>(model.host_page.end())};
}

}  // namespace tlsguard::status
