// SPDX-License-Identifier: Apache-2.0
// Looks over everything that may be wrong without anybody noticing: domains that are not checked
// any more, CAs that do not answer, workers that cannot load, certificates of SSLCertificateFile.
// What it finds goes to the AlertKeeper, which decides what is said. One thread.
#ifndef TLSGUARD_RENEW_WATCH_H
#define TLSGUARD_RENEW_WATCH_H

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "renew/alert_keeper.h"
#include "renew/manager.h"
#include "renew/outbox.h"
#include "renew/static_watch.h"

namespace tlsguard::renew {

class Watch {
 public:
  // How many workers cannot load what is live of a domain.
  using FailedLoads = std::function<std::uint32_t(const std::string& identity)>;
  // All outlive this. outbox: null: nobody is told.
  Watch(Manager& manager, AlertKeeper& keeper, FailedLoads failed_loads,
        const Outbox* outbox = nullptr);

  // One look, where the store is ours; else nothing is said. Either is a sign of life. What is
  // wrong now is written for the status page, too.
  void look();
  // A look whenever there are news, and every few seconds; for ever.
  void run();

 private:
  void look_at(const Watched& domain, UnixSeconds now, std::vector<Observation>& findings);
  void look_at_cas(const std::vector<Watched>& domains, UnixSeconds now,
                   std::vector<Observation>& findings);
  void write_report();
  [[nodiscard]] bool is_open(const std::string& subject, AlertKind kind) const;
  void find_unchecked(const Watched& domain, UnixSeconds now, std::vector<Observation>& findings);

  Manager& manager_;
  AlertKeeper& keeper_;
  FailedLoads failed_loads_;
  std::set<std::string> mended_;  // that workers cannot load, and the manager reads again
  // At the beginning of a look: only of these is it said that they are over. With ten thousand
  // domains that do well, words for each would be most of the agent's work.
  std::set<AlertKey> open_;
  const Outbox* outbox_;
  StaticWatch files_;
};

// Seconds without a successful check after which it is said: two days, or a quarter of the lifetime
// where that is less.
[[nodiscard]] std::int64_t longest_unchecked(const std::optional<Validity>& live);
// Whether a look at this domain would have found it in order, and is not overdue.
[[nodiscard]] bool is_checked(const Watched& domain, UnixSeconds now);

}  // namespace tlsguard::renew

#endif
