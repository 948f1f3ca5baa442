// SPDX-License-Identifier: Apache-2.0
#include "renew/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include "core/date.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t overdue = hour;     // of a look that was planned
constexpr std::int64_t ca_silence = hour;  // before it is said
constexpr std::chrono::seconds between_looks{15};
constexpr std::chrono::seconds least_pause{1};
constexpr char ca_prefix[] = "ca=";

using Receivers = std::vector<std::shared_ptr<const DomainSpec>>;

bool uses(const Watched& domain, const std::string& ca_url) {
  const auto& cas = domain.spec->settings->cas;
  return std::any_of(cas.begin(), cas.end(),
                     [&](const CaSpec& ca) { return ca.directory_url == ca_url; });
}

// One domain for each different list of TLSGuardEvent lines, the first by name: nobody is told the
// same twice.
void add_receiver(Receivers& receivers, const std::shared_ptr<const DomainSpec>& domain) {
  const auto& events = domain->settings->events;
  auto known = std::find_if(receivers.begin(), receivers.end(), [&](const auto& each) {
    return each->settings == domain->settings || each->settings->events == events;
  });
  if (known == receivers.end()) {
    receivers.push_back(domain);
  } else if (domain->identity < (*known)->identity) {
    *known = domain;
  }
}

Observation found(const std::string& subject, AlertKind kind, bool wrong, std::string text,
                  Receivers to) {
  return {{subject, kind},
          wrong ? Observation::State::wrong : Observation::State::fine,
          std::move(text),
          std::move(to)};
}

// What is known of one CA, over all domains.
struct CaUse {
  std::size_t waiting = 0;
  bool looked_at = true;  // all its domains have been, so nobody waits unnoticed
  Receivers to_waiting;
  Receivers to_all;
};

}  // namespace

std::int64_t longest_unchecked(const std::optional<Validity>& live) {
  constexpr std::int64_t usual = 48 * hour;
  if (!live || live->not_after <= live->not_before) return usual;
  std::int64_t lifetime = std::min(live->not_after, never / 2) - live->not_before;
  return std::max(5 * minute, std::min(usual, lifetime / 4));
}

bool is_checked(const Watched& domain, UnixSeconds now) {
  const Situation& s = domain.situation;
  bool late = domain.next != never && domain.next < now - overdue;
  bool asked = !s.ask_ari || s.ari.errors == 0;
  return !domain.busy && !late && asked && s.failure.in_row == 0;
}

Watch::Watch(Manager& manager, AlertKeeper& keeper, FailedLoads failed_loads, const Outbox* outbox)
    : manager_(manager),
      keeper_(keeper),
      failed_loads_(std::move(failed_loads)),
      outbox_(outbox),
      files_(manager.spec().static_certificates) {}

bool Watch::is_open(const std::string& subject, AlertKind kind) const {
  return !open_.empty() && open_.contains({subject, kind});
}

void Watch::find_unchecked(const Watched& domain, UnixSeconds now,
                           std::vector<Observation>& findings) {
  const std::string& identity = domain.spec->identity;
  const Situation& s = domain.situation;
  if (is_checked(domain, now)) {
    keeper_.checked(identity);
    if (is_open(identity, AlertKind::unchecked)) {
      findings.push_back(
          found(identity, AlertKind::unchecked, false, "checks go well again", {domain.spec}));
    }
    return;
  }
  UnixSeconds since = keeper_.last_check(identity);
  if (now - since < longest_unchecked(s.live)) return;
  std::string why = s.failure.in_row > 0 ? fmt::format("{} failures in a row", s.failure.in_row)
                    : s.ari.errors > 0
                        ? fmt::format("its CA did not answer {} times in a row", s.ari.errors)
                        : std::string("it is overdue");
  findings.push_back(
      found(identity, AlertKind::unchecked, true,
            fmt::format("no successful check since {}: {}; 'tlsguardctl status {}' says more",
                        format_date(since), why, identity),
            {domain.spec}));
}

void Watch::look_at(const Watched& domain, UnixSeconds now, std::vector<Observation>& findings) {
  const std::string& identity = domain.spec->identity;
  const Situation& s = domain.situation;
  find_unchecked(domain, now, findings);
  // Jobs say when something begins; here is seen when it has ended otherwise than by an order.
  if (s.live && is_open(identity, AlertKind::expiring) && !in_warn_window(s, now)) {
    findings.push_back(
        found(identity, AlertKind::expiring, false,
              "a certificate that is valid until " + format_date(s.live->not_after) + " is live",
              {domain.spec}));
  }
  if (s.failure.in_row == 0 && !domain.busy && is_open(identity, AlertKind::failing)) {
    findings.push_back(
        found(identity, AlertKind::failing, false, "nothing fails any more", {domain.spec}));
  }
  std::uint32_t failed = failed_loads_(identity);
  // Workers that have nothing yet have nothing to go on with.
  if (failed == 0 && !mended_.empty()) mended_.erase(identity);
  if (failed > 0 && !mended_.contains(identity) && manager_.mend(identity)) {
    mended_.insert(identity);
  }
  if (failed == 0 && !is_open(identity, AlertKind::cannot_load)) return;
  findings.push_back(found(
      identity, AlertKind::cannot_load, failed > 0,
      failed > 0 ? std::string("a worker cannot load what is live, and serves on what it had; "
                               "the error log says why")
                 : std::string("all workers serve what is live"),
      {domain.spec}));
}

void Watch::look_at_cas(const std::vector<Watched>& domains, UnixSeconds now,
                        std::vector<Observation>& findings) {
  std::map<std::string, CaUse> cas;
  for (const Watched& domain : domains) {
    for (const CaSpec& ca : domain.spec->settings->cas) {
      if (ca.internal()) continue;
      CaUse& use = cas[ca.directory_url];
      use.looked_at = use.looked_at && domain.phase != Phase::fresh;
      add_receiver(use.to_all, domain.spec);
      if (domain.waits_for_ca != ca.directory_url) continue;
      ++use.waiting;
      add_receiver(use.to_waiting, domain.spec);
    }
  }
  const auto silent = manager_.workshop().health.silent();
  for (auto& [url, use] : cas) {
    auto silence = silent.find(url);
    bool long_enough = silence != silent.end() && now - silence->second.since >= ca_silence;
    if (long_enough && use.waiting > 0) {
      findings.push_back(
          found(ca_prefix + url, AlertKind::ca_silent, true,
                fmt::format("the CA {} has not answered since {} ({}); {} for it", url,
                            format_date(silence->second.since), silence->second.why,
                            use.waiting == 1 ? "one domain waits"
                                             : fmt::format("{} domains wait", use.waiting)),
                std::move(use.to_waiting)));
    } else if (silence == silent.end() && use.waiting == 0 && use.looked_at) {
      findings.push_back(found(ca_prefix + url, AlertKind::ca_silent, false,
                               "the CA " + url + " answers again", std::move(use.to_all)));
    }
  }
}

void Watch::write_report() {
  TroubleReport report;
  keeper_.put_open(report);
  if (outbox_ != nullptr) outbox_->put_undelivered(report);
  files_.put_files(report);
  manager_.workshop().reports.write_troubles(report);
}

void Watch::look() {
  UnixSeconds now = manager_.workshop().world.now();
  manager_.workshop().live.at_work(now);
  if (!manager_.owns_store()) return;
  std::vector<Watched> domains = manager_.watched();
  std::vector<Observation> findings = files_.look(now);
  open_ = keeper_.open_alerts();
  std::unordered_set<std::string_view> identities;
  for (const Watched& domain : domains) {
    identities.insert(domain.spec->identity);
    if (domain.phase != Phase::fresh) look_at(domain, now, findings);
  }
  look_at_cas(domains, now, findings);
  keeper_.judge(findings, now, [&](const std::string& subject) {
    if (identities.contains(subject) || files_.has(subject)) return true;
    if (!subject.starts_with(ca_prefix)) return false;
    std::string url = subject.substr(sizeof(ca_prefix) - 1);
    return std::any_of(domains.begin(), domains.end(),
                       [&](const Watched& domain) { return uses(domain, url); });
  });
  write_report();
}

void Watch::run() {
  std::uint64_t seen = 0;
  // Before it is known whose it is there is nothing to be said.
  static_cast<void>(manager_.wait_for_store(between_looks));
  for (;;) {
    look();
    std::this_thread::sleep_for(least_pause);
    seen = manager_.wait_for_news(seen, between_looks);
  }
}

}  // namespace tlsguard::renew
