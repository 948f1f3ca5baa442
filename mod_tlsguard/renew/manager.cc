// SPDX-License-Identifier: Apache-2.0
// What is due when: the scheduling thread's part.
#include "renew/manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "renew/adoption.h"
#include "renew/spread.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t longest_nap = 60;  // seconds
constexpr std::int64_t list_pause = 30;   // where inotify does not help
constexpr std::int64_t look_pause = 60;   // at a store that another agent owns
// Domains whose certificate is there are served without the agent, whose first look decodes all
// that is stored of them: it is spread, so that a server that starts has the machine.
constexpr std::int64_t first_looks = 128;  // per second

std::vector<AccountId> accounts_in_use(const AgentSpec& spec) {
  std::vector<AccountId> ids;
  std::set<const DomainSettings*> seen;
  auto add = [&](const DomainSettings& settings) {
    if (!seen.insert(&settings).second) return;
    for (std::size_t i = 0; i < settings.cas.size(); ++i) {
      if (settings.cas[i].internal()) continue;
      AccountId id = account_id(settings, i);
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(std::move(id));
    }
  };
  for (const DomainSpec& domain : spec.domains) add(*domain.settings);
  for (const ListSpec& list : spec.lists) add(*list.settings);
  return ids;
}

World with_sleep(const World& world, WorkerPool& pool) {
  World changed = world;
  if (!changed.sleep) changed.sleep = [&pool](auto time) { pool.sleep(time); };
  return changed;
}

ManagerSetup metered(ManagerSetup setup, CaMetrics& metrics) {
  setup.http.to_ca = metrics.watched(std::move(setup.http.to_ca));
  return setup;
}

}  // namespace

Result<std::unique_ptr<Manager>> Manager::open(ManagerSetup setup) {
  auto store = OpenStore::open(setup.spec.store_path, setup.sealing);
  if (!store) return tl::unexpected(store.error());
  return std::unique_ptr<Manager>(new Manager(std::move(setup), std::move(*store)));
}

Manager::Manager(ManagerSetup setup, OpenStore store)
    : metrics_(std::make_shared<CaMetrics>(setup.world.now)),
      setup_(metered(std::move(setup), *metrics_)),
      store_(std::move(store)),
      reports_(store_.take_reports(), store_.certificates(), setup_.log),
      suffixes_(PublicSuffixes::load(PublicSuffixes::usual_file)),
      ledger_(suffixes_),
      accounts_(store_.take_accounts(), setup_.sealing, accounts_in_use(setup_.spec), setup_.log),
      internal_(store_.take_ca(), setup_.sealing, setup_.spec.permitted_internal_names),
      jobs_(store_.domains_path(), setup_.log),
      quick_world_(with_sleep(setup_.world, quick_)),
      slow_world_(with_sleep(setup_.world, slow_)),
      lists_(setup_.spec, store_.take_lists(), setup_.log),
      quick_(setup_.quick, setup_.http),
      slow_(setup_.slow, setup_.http) {
  auto shop = [&](const World& world) {
    return Workshop{world,
                    setup_.spec.reach,
                    setup_.sealing,
                    jobs_,
                    store_.certificates(),
                    store_.challenges(),
                    accounts_,
                    ledger_,
                    health_,
                    internal_,
                    setup_.live,
                    reports_,
                    *metrics_,
                    setup_.events,
                    setup_.log};
  };
  quick_shop_.emplace(shop(quick_world_));
  slow_shop_.emplace(shop(slow_world_));
  // What is written in the configuration comes before what is in lists.
  for (const DomainSpec& domain : setup_.spec.domains) {
    declare(std::make_shared<const DomainSpec>(domain), 0);
  }
}

Manager::~Manager() = default;

bool Manager::is_slow(const DomainSettings& settings) {
  return !settings.dns_command.empty() ||
         std::any_of(settings.challenges.begin(), settings.challenges.end(),
                     [](ChallengeType type) { return type >= ChallengeType::dns_01; });
}

void Manager::plan_entry(Entry& entry, UnixSeconds at) {
  unplan(entry);
  entry.next = at;
  if (at != never && entry.declared && !entry.busy) queue_.emplace(at, &entry);
}

void Manager::unplan(Entry& entry) { queue_.erase({entry.next, &entry}); }

Manager::Entry& Manager::declare(std::shared_ptr<const DomainSpec> spec, UnixSeconds at) {
  auto& place = entries_[spec->identity];
  if (!place) place = std::make_unique<Entry>();
  Entry& entry = *place;
  entry.spec = std::move(spec);
  entry.declared = true;
  entry.again = entry.busy;
  if (!entry.busy) plan_entry(entry, at);
  return entry;
}

// The clock has jumped back: moments that were worked out before mean nothing.
void Manager::plan_anew(UnixSeconds now) {
  for (auto& [identity, entry] : entries_) {
    if (entry->busy || !entry->declared) continue;
    bool at_once = entry->hurry || entry->phase == Phase::ordering;
    plan_entry(*entry, at_once ? now : plan(entry->situation, now).next());
  }
}

std::vector<Manager::Entry*> Manager::take_due(UnixSeconds now) {
  std::vector<Entry*> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    Entry* entry = queue_.begin()->second;
    queue_.erase(queue_.begin());
    entry->busy = true;
    due.push_back(entry);
  }
  return due;
}

bool Manager::take_store(UnixSeconds now) {
  if (store_.owned()) return true;
  bool ours = store_.own();
  if (ours) {
    begin(now);
  } else if (now < looked_at_ || now - looked_at_ >= look_pause) {
    look_only(now);
  }
  std::lock_guard lock(mutex_);
  begun_ = true;
  freed_.notify_all();
  if (ours) {
    ++news_count_;
    news_.notify_all();
  }
  return ours;
}

// Once, when the store is ours.
void Manager::begin(UnixSeconds now) {
  if (setup_.owned) setup_.owned(store_.agent().path());
  metrics_->take_over(reports_.read_counts());
  if (auto text = store_.agent().read(ledger_file, max_ledger_file); text && *text) {
    if (auto read = ledger_.read_json(**text, now); !read) {
      setup_.log.write(Severity::warning, "TG0113",
                       fmt::format("store={}: the ledger of orders is made anew: {}",
                                   setup_.spec.store_path, read.error().text));
    }
  }
  // What was put in place for orders that nobody will take up again.
  if (!jobs_.any_order()) {
    if (auto cleared = store_.challenges().clear(); !cleared) {
      setup_.log.write(Severity::warning, "TG0114",
                       fmt::format("store={}: old challenges could not be removed: {}",
                                   setup_.spec.store_path, cleared.error().text));
    }
  }
  std::vector<std::shared_ptr<const DomainSpec>> declared;
  {
    std::lock_guard lock(mutex_);
    for (auto& [identity, entry] : entries_) declared.push_back(entry->spec);
  }
  std::int64_t looks = 0;
  for (const auto& spec : declared) {
    auto current = store_.certificates().current(spec->identity);
    bool is_served = current && *current;
    std::lock_guard lock(mutex_);
    plan_entry(*entries_.at(spec->identity), is_served ? now + looks++ / first_looks : 0);
  }
  adopt(declared);
}

void Manager::adopt(const std::vector<std::shared_ptr<const DomainSpec>>& fresh) {
  std::set<std::string> declared;
  {
    std::lock_guard lock(mutex_);
    for (auto& [identity, entry] : entries_) {
      if (entry->declared) declared.insert(identity);
    }
  }
  adopt_renamed(*quick_shop_, fresh, declared);
}

// Another agent owns the store: what is live there is shown to our workers.
void Manager::look_only(UnixSeconds now) {
  if (looked_at_ == 0) {
    setup_.log.write(Severity::notice, "TG0112",
                     fmt::format("store={}: it belongs to the agent of another server; this one "
                                 "serves from it and orders nothing",
                                 setup_.spec.store_path));
  }
  looked_at_ = now;
  std::vector<std::shared_ptr<const DomainSpec>> specs;
  {
    std::lock_guard lock(mutex_);
    for (auto& [identity, entry] : entries_) specs.push_back(entry->spec);
  }
  HttpClients nobody(setup_.http);
  for (const auto& spec : specs) {
    Outcome outcome = Job(*quick_shop_, nobody, *spec).look();
    std::lock_guard lock(mutex_);
    Entry& entry = *entries_.at(spec->identity);
    entry.situation = outcome.situation;
    entry.phase = outcome.phase;
    entry.reason = outcome.reason;
  }
}

void Manager::look_at_lists() {
  std::lock_guard lock(mutex_);
  lists_changed_ = true;
  woken_ = true;
  wake_.notify_one();
}

void Manager::take_lists(UnixSeconds now) {
  if (setup_.spec.lists.empty()) return;
  {
    std::lock_guard lock(mutex_);
    bool due = lists_changed_ || now < lists_looked_at_ || now - lists_looked_at_ >= list_pause;
    if (!due) return;
    lists_changed_ = false;
    lists_looked_at_ = now;
  }
  auto listed = lists_.changed();
  if (!listed) return;
  std::vector<std::shared_ptr<const DomainSpec>> fresh;
  std::vector<std::shared_ptr<const DomainSpec>> changed;
  std::set<std::string> identities;
  bool room = true;
  for (const ListedDomain& domain : *listed) {
    identities.insert(domain.spec.identity);
    std::shared_ptr<const DomainSpec> known = find(domain.spec.identity);
    if (known && known->names == domain.spec.names && known->settings == domain.spec.settings) {
      continue;
    }
    for (const std::string& name : domain.spec.names) {
      room = setup_.live.put_name(domain.list, name, domain.spec.identity) && room;
    }
    auto spec = std::make_shared<const DomainSpec>(domain.spec);
    (known ? changed : fresh).push_back(spec);
  }
  if (!room) {
    setup_.log.write(Severity::error, "TG0123",
                     "list: there are more names in all lists than there is room for; some are "
                     "not served");
  }
  drop_unlisted(identities);
  if (store_.owned()) adopt(fresh);
  std::lock_guard lock(mutex_);
  for (auto* group : {&fresh, &changed}) {
    for (auto& spec : *group) declare(std::move(spec), now).listed = true;
  }
}

void Manager::drop_unlisted(const std::set<std::string>& listed) {
  std::lock_guard lock(mutex_);
  for (auto& [identity, entry] : entries_) {
    if (!entry->listed || !entry->declared || listed.contains(identity)) continue;
    unplan(*entry);
    entry->declared = false;
    entry->phase = Phase::undeclared;
    if (!entry->busy) show_undeclared(*entry);
  }
}

UnixSeconds Manager::next_wake(UnixSeconds now) const {
  UnixSeconds next = setup_.spec.lists.empty() ? never : lists_looked_at_ + list_pause;
  if (!queue_.empty()) next = std::min(next, queue_.begin()->first);
  if (UnixSeconds at = metrics_->flush_at(); at > 0) next = std::min(next, at);
  for (const auto& [ca_url, at] : health_.probes(now)) {
    if (at < next && !probing_.contains(ca_url) && anybody_waits_for(ca_url)) next = at;
  }
  return next;
}

UnixSeconds Manager::tick() {
  UnixSeconds now = setup_.world.now();
  take_lists(now);
  if (!take_store(now)) return now + 1;
  std::vector<Entry*> due;
  {
    std::lock_guard lock(mutex_);
    if (now < last_tick_) plan_anew(now);
    last_tick_ = now;
    due = take_due(now);
  }
  for (Entry* entry : due) {
    bool slow = is_slow(*entry->spec->settings);
    const Workshop& shop = slow ? *slow_shop_ : *quick_shop_;
    (slow ? slow_ : quick_).submit([this, entry, &shop](HttpClients& clients) {
      work(*entry, clients, shop);
    });
  }
  run_probes(now);
  flush(now);
  std::lock_guard lock(mutex_);
  return next_wake(now);
}

void Manager::run() {
  auto stopping = [&] { return setup_.world.stopping && setup_.world.stopping(); };
  constexpr std::chrono::milliseconds first_tries{50};
  std::int64_t tries = 0;
  while (!stopping()) {
    tick();
    std::unique_lock lock(mutex_);
    UnixSeconds now = setup_.world.now();
    sleeps_until_ = next_wake(now);
    std::chrono::milliseconds nap =
        std::chrono::seconds(std::clamp<std::int64_t>(sleeps_until_ - now, 0, longest_nap));
    // An agent before us ends within moments, another server's does not.
    if (!store_.owned()) nap = ++tries < 100 ? first_tries : std::chrono::seconds(2);
    wake_.wait_for(lock, nap, [&] { return woken_ || stopping(); });
    woken_ = false;
  }
}

void Manager::settle() {
  quick_.wait_idle();
  slow_.wait_idle();
}

}  // namespace tlsguard::renew
