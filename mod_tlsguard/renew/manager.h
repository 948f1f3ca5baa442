// SPDX-License-Identifier: Apache-2.0
// All managed domains of one store: who is due when, and threads that do it. One thread calls
// tick(), or run(), which does nothing else; every other function may be called by any thread.
// A domain is worked on by one thread at a time. The store belongs to one agent at a time: where
// another has it, domains are published as they are there, and nothing is ordered.
#ifndef TLSGUARD_RENEW_MANAGER_H
#define TLSGUARD_RENEW_MANAGER_H

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "renew/ca_metrics.h"
#include "renew/job.h"
#include "renew/list_keeper.h"
#include "renew/open_store.h"
#include "renew/report_files.h"
#include "renew/spec.h"
#include "renew/worker_pool.h"
#include "renew/workshop.h"

namespace tlsguard::renew {

struct ManagerSetup {
  AgentSpec spec;
  const crypto::SealingKey& sealing;  // these outlive the manager
  LiveView& live;
  EventSink& events;
  LogSink& log;
  HttpFactories http;
  World world;  // sleep: empty for the usual one
  // Called once, when the store has become ours: whatever else is kept in the agent's directory.
  std::function<void(const std::string& agent_directory)> owned = {};
  WorkerPool::Limits quick = {};
  WorkerPool::Limits slow = {};  // domains that prove themselves by DNS, which takes minutes
};

// Of a domain, for status.
struct DomainStatus {
  std::string identity;
  std::vector<std::string> names;
  Phase phase = Phase::fresh;
  std::string reason;        // of the phase, in words
  UnixSeconds next_run = 0;  // 0: none is planned
  std::uint32_t errors = 0;
  std::optional<Validity> live;
};

// Of a declared domain, for who watches over all of them.
struct Watched {
  std::shared_ptr<const DomainSpec> spec;
  Situation situation;
  Phase phase = Phase::fresh;  // fresh: it has not been looked at yet
  UnixSeconds next = never;
  bool busy = false;
  std::string waits_for_ca;  // directory URL of one that does not answer
};

class Manager {
 public:
  // An error where the store cannot be used at all.
  [[nodiscard]] static Result<std::unique_ptr<Manager>> open(ManagerSetup setup);
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager();

  // Until world.stopping().
  void run();
  // Begins what is due; returns when to call again, at the latest (and earlier where the clock
  // may jump).
  UnixSeconds tick();
  // Until nothing is under way.
  void settle();
  // Files of lists may have changed: they are looked at with the next tick, which is now.
  void look_at_lists();

  [[nodiscard]] std::vector<DomainStatus> status() const;
  [[nodiscard]] std::vector<Watched> watched() const;
  // Until something has become of a domain since `seen`, or the time is up; what to pass next time.
  [[nodiscard]] std::uint64_t wait_for_news(std::uint64_t seen, std::chrono::milliseconds patience);
  // Domains that are declared, or no longer in their list but served until they expire.
  [[nodiscard]] std::set<std::string> served(UnixSeconds now) const;
  [[nodiscard]] std::shared_ptr<const DomainSpec> find(const std::string& identity) const;
  // What is live in the store is read again, as at the start: what is torn is replaced by an older
  // version, or obtained anew. false: the domain is being worked on; ask again.
  bool mend(const std::string& identity);
  // Reads or changes a domain's state while nobody works on it; what was changed is kept, and the
  // domain is looked at again: at once, without back-off, with `hurry`. An error where somebody
  // works on it for longer than `patience`.
  [[nodiscard]] Result<void> with_domain(const std::string& identity,
                                         std::chrono::milliseconds patience, bool hurry,
                                         const std::function<Result<void>(JobState&)>& work);
  [[nodiscard]] const Workshop& workshop() const { return *quick_shop_; }
  [[nodiscard]] const HttpFactories& http() const { return setup_.http; }
  // Settings of some domain that uses this CA; nullptr: none does.
  [[nodiscard]] std::shared_ptr<const DomainSettings> settings_for(const std::string& ca_url) const;
  [[nodiscard]] const AgentSpec& spec() const { return setup_.spec; }
  [[nodiscard]] std::string agent_directory() const { return store_.agent().path(); }
  [[nodiscard]] bool owns_store() const { return store_.owned(); }
  // Until it is known whose store it is; an error where it is another agent's.
  [[nodiscard]] Result<void> wait_for_store(std::chrono::milliseconds patience);

 private:
  struct Entry {
    std::shared_ptr<const DomainSpec> spec;
    Situation situation;
    Phase phase = Phase::fresh;
    std::string reason;
    UnixSeconds next = 0;
    std::string waits_for_ca;
    bool listed = false;  // by a TLSGuardDomainList
    bool declared = true;
    bool busy = false;
    bool hurry = false;
    bool unsaved = false;  // situation.failure is newer than job.json
    bool mended = false;   // as in Known
    bool again = false;    // changed while somebody worked on it
  };
  using Queue = std::set<std::pair<UnixSeconds, Entry*>>;

  Manager(ManagerSetup setup, OpenStore store);
  bool take_store(UnixSeconds now);
  void begin(UnixSeconds now);
  void look_only(UnixSeconds now);
  void take_lists(UnixSeconds now);
  void drop_unlisted(const std::set<std::string>& listed);
  void adopt(const std::vector<std::shared_ptr<const DomainSpec>>& fresh);
  void run_probes(UnixSeconds now);
  void probe(const std::string& ca_url, HttpClients& clients);
  void ca_is_back(const std::string& ca_url);
  void work(Entry& entry, HttpClients& clients, const Workshop& shop);
  void finished(Entry& entry, const Outcome& outcome);
  void show_undeclared(const Entry& entry);
  void flush(UnixSeconds now);
  void flush_ledger(UnixSeconds now);
  [[nodiscard]] static bool is_slow(const DomainSettings& settings);

  // Under the mutex:
  Entry& declare(std::shared_ptr<const DomainSpec> spec, UnixSeconds at);
  void plan_entry(Entry& entry, UnixSeconds at);
  void unplan(Entry& entry);
  void plan_anew(UnixSeconds now);
  [[nodiscard]] std::vector<Entry*> take_due(UnixSeconds now);
  [[nodiscard]] bool anybody_waits_for(const std::string& ca_url) const;
  [[nodiscard]] UnixSeconds next_wake(UnixSeconds now) const;

  std::shared_ptr<CaMetrics> metrics_;
  ManagerSetup setup_;
  OpenStore store_;
  ReportFiles reports_;
  PublicSuffixes suffixes_;
  Ledger ledger_;
  CaHealth health_;
  Accounts accounts_;
  InternalIssuer internal_;
  JobStore jobs_;
  World quick_world_;
  World slow_world_;
  std::optional<Workshop> quick_shop_;
  std::optional<Workshop> slow_shop_;
  ListKeeper lists_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;   // the scheduling thread
  std::condition_variable freed_;  // a domain is no longer busy; begun_
  std::condition_variable news_;
  std::uint64_t news_count_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  Queue queue_;
  bool woken_ = false;
  bool begun_ = false;  // it is known whose store it is
  bool lists_changed_ = true;
  UnixSeconds lists_looked_at_ = 0;
  UnixSeconds last_tick_ = 0;
  UnixSeconds looked_at_ = 0;  // without owning the store
  UnixSeconds sleeps_until_ = 0;
  std::set<std::string> probing_;
  std::mutex ledger_mutex_;  // of its file
  UnixSeconds ledger_flushed_at_ = 0;

  // Last: their threads use all of the above.
  WorkerPool quick_;
  WorkerPool slow_;
};

}  // namespace tlsguard::renew

#endif
