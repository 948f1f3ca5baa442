// SPDX-License-Identifier: Apache-2.0
// A whole agent without a process: a manager on a store in a temporary directory, a pretended CA,
// a clock that tests turn, and lists in place of log, board and events. Sleeping turns the clock.
#ifndef TLSGUARD_T_UNIT_RENEWAL_BENCH_H
#define TLSGUARD_T_UNIT_RENEWAL_BENCH_H

#include "suites.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "list_log.h"
#include "pretend_ca.h"
#include "renew/control.h"
#include "renew/manager.h"
#include "renew/watch.h"
#include "temp_dir.h"

namespace tlsguard::test {

class LogList : public ListLog {
 public:
  [[nodiscard]] int count(std::string_view id) const {
    auto all = lines();
    return static_cast<int>(
        std::count_if(all.begin(), all.end(), [&](const Line& line) { return line.id == id; }));
  }
  [[nodiscard]] bool has(std::string_view part) const {
    return texts().find(part) != std::string::npos;
  }
};

class LiveList : public renew::LiveView {
 public:
  void publish(const std::string& identity, const renew::DomainView& view) override;
  bool put_name(std::uint32_t list, const std::string& name, const std::string& identity) override;
  void at_work(UnixSeconds now) override { seen_at = now; }
  std::atomic<UnixSeconds> seen_at = 0;
  [[nodiscard]] renew::DomainView of(const std::string& identity);
  [[nodiscard]] std::string domain_of(const std::string& name);
  // Called at each publication, under no lock.
  std::function<void(const std::string&, const renew::DomainView&)> watch;

 private:
  std::mutex mutex_;
  std::map<std::string, renew::DomainView> views_;
  std::map<std::string, std::string> names_;
};

class EventList : public renew::EventSink {
 public:
  bool allows(const renew::DomainSpec& domain) override;
  void tell(renew::Event event, const renew::DomainSpec& domain, const std::string& text) override;
  [[nodiscard]] int count(renew::Event event);
  // "event domain: text", one a line.
  [[nodiscard]] std::string texts();
  void clear();
  std::atomic<bool> veto = false;
  std::function<void(renew::Event)> watch;  // called when something has been told, under no lock

 private:
  struct Told {
    renew::Event event;
    std::string domain;
    std::string text;
  };
  std::mutex mutex_;
  std::vector<Told> told_;
};

class RenewalBench {
 public:
  // state_file, host: of the CA.
  explicit RenewalBench(const std::string& state_file = {}, const std::string& host = "ca.example");
  RenewalBench(const RenewalBench&) = delete;
  RenewalBench& operator=(const RenewalBench&) = delete;

  // Settings of a domain at the pretended CA.
  [[nodiscard]] renew::DomainSettings settings() const;
  void add(const std::vector<std::string>& names, const renew::DomainSettings& settings);
  void add(const std::vector<std::string>& names) { add(names, settings()); }

  // Its clock. Sleeping turns the clock.
  [[nodiscard]] renew::World world();
  // A new agent on the same store; the one before is gone.
  void start();
  void stop();
  // All that is due now, and whatever that makes due.
  void work();
  // The clock goes on to this moment, and everything that is due on the way is done.
  void run_until(UnixSeconds end);
  void run_for(std::int64_t seconds) { run_until(now + seconds); }

  [[nodiscard]] renew::Manager& manager() { return *manager_; }
  nlohmann::json ask(const std::string& request);  // the reply
  [[nodiscard]] renew::JobState job(const std::string& identity);
  [[nodiscard]] bool has_order(const std::string& identity) const;
  // The version that is live, checked: it fits its keys and covers the names.
  store::Version live_version(const std::string& identity);
  [[nodiscard]] std::size_t versions(const std::string& identity);
  [[nodiscard]] std::string store_path() const { return directory / "store"; }

  TempDir directory;
  std::atomic<UnixSeconds> now = test_now;
  PretendCa ca;
  PretendCa second_ca;
  crypto::SealingKey sealing;
  LogList log;
  LiveList live;
  EventList events;
  renew::AgentSpec spec;
  std::size_t threads = 8;
  bool watching = false;  // looks over all hourly, too
  std::map<std::string, std::uint32_t> failed_loads;
  net::DnsSettings dns;  // at first: nobody is asked, nothing can be known

 private:
  [[nodiscard]] net::HttpClientFactory clients();
  [[nodiscard]] bool anything_due() const;
  std::unique_ptr<renew::AlertKeeper> keeper_;
  std::unique_ptr<renew::Manager> manager_;
  std::unique_ptr<renew::Watch> watch_;
};

}  // namespace tlsguard::test

#endif
