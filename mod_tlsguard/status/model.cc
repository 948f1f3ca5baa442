// SPDX-License-Identifier: Apache-2.0
#include "status/model.h"

#include <tuple>

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

bool is_expiring(const Domain& domain, UnixSeconds now) {
  if (domain.warn_from > 0) return now >= domain.warn_from;
  // As TLSGuardWarnWindow is by default.
  bool dated = domain.not_before > 0 && domain.not_before < domain.not_after;
  UnixSeconds window =
      dated ? std::min(two_weeks, (domain.not_after - domain.not_before) / 4) : two_weeks;
  return domain.not_after - now < window;
}

bool matches_search(const Domain& domain, const std::string& search) {
  if (search.empty() || domain.identity.find(search) != std::string::npos) return true;
  return std::any_of(domain.names.begin(), domain.names.end(),
                     [&](const auto& name) { return name.find(search) != std::string::npos; });
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

bool agent_is_missing(const Model& model) {
  if (!model.managing) return false;
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
