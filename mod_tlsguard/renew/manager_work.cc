// SPDX-License-Identifier: Apache-2.0
// What the manager's worker threads do, and what others ask of it.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "renew/activation.h"
#include "renew/manager.h"
#include "renew/spread.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t after_a_fault = 300;  // seconds, of a job that ended in an exception
constexpr std::int64_t ledger_pause = 2;
constexpr std::int64_t back_within = 60;  // domains that waited for a CA do not all come at once

}  // namespace

void Manager::work(Entry& entry, HttpClients& clients, const Workshop& shop) {
  std::shared_ptr<const DomainSpec> spec;
  Known known;
  {
    std::lock_guard lock(mutex_);
    spec = entry.spec;
    known.hurry = std::exchange(entry.hurry, false);
    known.mended = entry.mended;
    entry.again = false;
    if (entry.unsaved) known.unsaved = entry.situation.failure;
  }
  Outcome outcome;
  try {
    outcome = Job(shop, clients, *spec).run(known);
  } catch (const std::exception& fault) {
    setup_.log.write(Severity::error, "TG0190",
                     fmt::format("domain={}: an internal error: {}; please report it",
                                 spec->identity, fault.what()));
    outcome.situation = entry.situation;
    outcome.phase = Phase::own_error;
    outcome.reason = std::string("an internal error: ") + fault.what();
    outcome.next = setup_.world.now() + after_a_fault;
  }
  finished(entry, outcome);
}

void Manager::finished(Entry& entry, const Outcome& outcome) {
  UnixSeconds now = setup_.world.now();
  flush(now);
  std::lock_guard lock(mutex_);
  entry.busy = false;
  // A look that tried nothing (it asked about ARI, say) says nothing about who is waited for.
  const Failure& failure = outcome.situation.failure;
  if (failure.in_row == 0 || !(failure == entry.situation.failure)) {
    entry.waits_for_ca = outcome.waits_for_ca;
  }
  entry.situation = outcome.situation;
  entry.unsaved = outcome.unsaved;
  entry.mended = outcome.mended;
  freed_.notify_all();
  ++news_count_;
  news_.notify_all();
  if (!entry.declared) return show_undeclared(entry);
  entry.phase = outcome.phase;
  entry.reason = outcome.reason;
  plan_entry(entry, entry.again ? now : outcome.next);
  if (entry.next < sleeps_until_) {
    woken_ = true;
    wake_.notify_one();
  }
}

// Served until it expires, with nothing planned.
void Manager::show_undeclared(const Entry& entry) {
  DomainView view;
  view.phase = Phase::undeclared;
  view.errors = entry.situation.failure.in_row;
  if (entry.situation.live) {
    view.not_before = entry.situation.live->not_before;
    view.not_after = entry.situation.live->not_after;
  }
  auto current = store_.certificates().current(entry.spec->identity);
  if (current && *current) view.generation = (*current)->generation;
  setup_.live.publish(entry.spec->identity, view);
}

bool Manager::anybody_waits_for(const std::string& ca_url) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each.second->declared && each.second->waits_for_ca == ca_url;
  });
}

void Manager::run_probes(UnixSeconds now) {
  for (const auto& [ca_url, at] : health_.probes(now)) {
    if (at > now) continue;
    {
      std::lock_guard lock(mutex_);
      if (probing_.contains(ca_url) || !anybody_waits_for(ca_url)) continue;
      probing_.insert(ca_url);
    }
    quick_.submit([this, ca = ca_url](HttpClients& clients) { probe(ca, clients); });
  }
}

void Manager::probe(const std::string& ca_url, HttpClients& clients) {
  bool answered = false;
  std::string why = "nobody uses it";
  if (auto settings = settings_for(ca_url)) {
    auto response = clients.to_ca(*settings).send({.method = "GET", .url = ca_url});
    answered = response && response->status < 500;
    why = response ? fmt::format("HTTP status {}", response->status) : response.error().text;
  }
  UnixSeconds now = setup_.world.now();
  bool back = answered && health_.reachable(ca_url, now);
  if (!answered) health_.unreachable(ca_url, why, now);
  if (back) ca_is_back(ca_url);
  std::lock_guard lock(mutex_);
  probing_.erase(ca_url);
  woken_ = true;
  wake_.notify_one();
}

void Manager::ca_is_back(const std::string& ca_url) {
  setup_.log.write(Severity::notice, "TG0115", fmt::format("ca={}: it answers again", ca_url));
  std::lock_guard lock(mutex_);
  UnixSeconds now = setup_.world.now();
  std::int64_t waiting = std::count_if(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each.second->waits_for_ca == ca_url;
  });
  std::int64_t within = std::min(back_within, waiting / 32);
  for (auto& [identity, entry] : entries_) {
    if (entry->waits_for_ca != ca_url || entry->busy || !entry->declared) continue;
    entry->waits_for_ca.clear();
    entry->hurry = true;
    plan_entry(*entry, now + spread(seed_of(identity), 0, within + 1));
  }
}

std::shared_ptr<const DomainSettings> Manager::settings_for(const std::string& ca_url) const {
  std::lock_guard lock(mutex_);
  for (const auto& [identity, entry] : entries_) {
    const auto& cas = entry->spec->settings->cas;
    bool uses = std::any_of(cas.begin(), cas.end(),
                            [&](const CaSpec& ca) { return ca.directory_url == ca_url; });
    if (uses) return entry->spec->settings;
  }
  return nullptr;
}

void Manager::flush(UnixSeconds now) {
  flush_ledger(now);
  if (store_.owned()) metrics_->flush(reports_, now);
}

void Manager::flush_ledger(UnixSeconds now) {
  std::lock_guard lock(ledger_mutex_);
  if (now >= ledger_flushed_at_ && now - ledger_flushed_at_ < ledger_pause) return;
  if (!ledger_.take_changed()) return;
  ledger_flushed_at_ = now;
  auto written = store_.agent().write(ledger_file, ledger_.to_json(), 0600);
  if (written) return;
  setup_.log.write(Severity::warning, "TG0113",
                   fmt::format("store={}: the ledger of orders could not be written: {}",
                               setup_.spec.store_path, written.error().text));
}

std::vector<DomainStatus> Manager::status() const {
  std::lock_guard lock(mutex_);
  std::vector<DomainStatus> all;
  all.reserve(entries_.size());
  for (const auto& [identity, entry] : entries_) {
    DomainStatus status{identity,
                        entry->spec->names,
                        entry->phase,
                        entry->reason,
                        entry->next,
                        entry->situation.failure.in_row,
                        entry->situation.live};
    if (!entry->declared || entry->next == never) status.next_run = 0;
    if (!store_.owned()) status.phase = Phase::passive;
    all.push_back(std::move(status));
  }
  std::sort(all.begin(), all.end(),
            [](const DomainStatus& a, const DomainStatus& b) { return a.identity < b.identity; });
  return all;
}

std::vector<Watched> Manager::watched() const {
  std::lock_guard lock(mutex_);
  std::vector<Watched> all;
  all.reserve(entries_.size());
  for (const auto& [identity, entry] : entries_) {
    if (!entry->declared) continue;
    all.push_back({entry->spec, entry->situation, entry->phase, entry->next, entry->busy,
                   entry->waits_for_ca});
  }
  return all;
}

std::uint64_t Manager::wait_for_news(std::uint64_t seen, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, patience, [&] { return news_count_ != seen; });
  return news_count_;
}

std::set<std::string> Manager::served(UnixSeconds now) const {
  std::lock_guard lock(mutex_);
  std::set<std::string> identities;
  for (const auto& [identity, entry] : entries_) {
    const auto& live = entry->situation.live;
    if (entry->declared || (live && now < live->not_after)) identities.insert(identity);
  }
  return identities;
}

std::shared_ptr<const DomainSpec> Manager::find(const std::string& identity) const {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(identity);
  if (found == entries_.end() || !found->second->declared) return nullptr;
  return found->second->spec;
}

Result<void> Manager::wait_for_store(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, patience, [&] { return begun_; })) {
    return fail("the agent is still starting: try again in a moment");
  }
  if (!store_.owned()) return fail("another server's agent owns the store: ask that one");
  return {};
}

bool Manager::mend(const std::string& identity) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(identity);
  if (found == entries_.end() || !found->second->declared) return true;
  Entry& entry = *found->second;
  if (entry.busy) return false;
  entry.mended = false;
  plan_entry(entry, setup_.world.now());
  woken_ = true;
  wake_.notify_one();
  return true;
}

Result<void> Manager::with_domain(const std::string& identity, std::chrono::milliseconds patience,
                                  bool hurry, const std::function<Result<void>(JobState&)>& work) {
  if (auto ours = wait_for_store(patience); !ours) return ours;
  std::unique_lock lock(mutex_);
  auto found = entries_.find(identity);
  if (found == entries_.end() || !found->second->declared) {
    return fail_for_good("'" + identity + "' is not a managed domain of this server");
  }
  Entry& entry = *found->second;
  if (!freed_.wait_for(lock, patience, [&] { return !entry.busy; })) {
    return fail("'" + identity + "' is being worked on: try again in a moment");
  }
  unplan(entry);
  entry.busy = true;
  std::shared_ptr<const DomainSpec> spec = entry.spec;
  lock.unlock();

  auto change = [&]() -> Result<void> {
    auto read = jobs_.read_job(identity);
    if (!read) return tl::unexpected(read.error());
    JobState state = *read ? std::move(**read) : JobState{};
    state.identity = identity;
    if (auto looked = look_at_store(*quick_shop_, *spec, state); !looked) return looked;
    JobState before = state;
    auto done = work(state);
    if (state == before) return done;
    auto written = jobs_.write_job(state);
    return done ? written : done;
  };
  auto result = change();

  lock.lock();
  entry.busy = false;
  entry.unsaved = false;
  if (result && hurry) entry.hurry = true;
  plan_entry(entry, setup_.world.now());
  woken_ = true;
  wake_.notify_one();
  freed_.notify_all();
  return result;
}

}  // namespace tlsguard::renew
