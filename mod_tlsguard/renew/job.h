// SPDX-License-Identifier: Apache-2.0
// One look at a domain: asks the CA when to renew, warns, takes up an order or begins one, as far
// as it is due; and writes down how it went. One thread at a time for each domain. Blocking, for
// minutes at worst.
#ifndef TLSGUARD_RENEW_JOB_H
#define TLSGUARD_RENEW_JOB_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "renew/http_clients.h"
#include "renew/order_record.h"
#include "renew/schedule.h"
#include "renew/state.h"
#include "renew/workshop.h"

namespace tlsguard::renew {

// What the manager has kept of a domain from the look before.
struct Known {
  bool hurry = false;    // the back-off does not count this time, for the CA is back
  bool mended = false;   // what is in the store could be read
  Failure unsaved = {};  // where the state could not be read or written: else a disk that is full
                         // would end every back-off
};

// What the manager keeps of a domain between two looks.
struct Outcome {
  Situation situation;
  Phase phase = Phase::fresh;
  std::string reason;  // of the phase, in words
  UnixSeconds next = never;
  std::string waits_for_ca;  // directory URL of one that does not answer
  bool unsaved = false;      // the failure is known to nobody else
  bool mended = true;        // as in Known
};

// By the error's kind.
[[nodiscard]] Blame blame_of(const Error& error);

class Job {
 public:
  // All of them outlive this.
  Job(const Workshop& shop, HttpClients& http, const DomainSpec& spec)
      : shop_(shop), clients_(http), spec_(spec), settings_(*spec.settings) {}

  // Only reads what is there: at start, and where another server owns the store.
  [[nodiscard]] Outcome look();
  [[nodiscard]] Outcome run(const Known& known);

 private:
  // What has become of an attempt: seconds until another look; 0: done.
  using Attempt = Result<std::int64_t>;

  Result<void> load(const Failure& unsaved = {});
  Situation situation() const;
  void warn_of_lost_clients();
  void warn(UnixSeconds now);
  void ask_ari(UnixSeconds now);
  void attempt(Cause cause);
  void failed(const Error& error);
  void say_failed(const Error& error, bool news);
  void set_phase(Phase phase, std::string reason);
  Outcome finish(bool keep);

  // job_order.cc
  Result<void> settle_order();
  [[nodiscard]] bool order_is_live() const;
  [[nodiscard]] bool became_live_unsaid() const;
  Attempt obtain(Cause cause);
  Result<std::vector<std::size_t>> usable_cas() const;
  Attempt obtain_internal(std::size_t ca_index, Cause cause);
  Attempt obtain_acme(std::size_t ca_index, Cause cause);
  Attempt ask_ca(std::size_t ca_index, Cause cause, WatchedHttp& http);
  Result<void> begin(std::size_t ca_index, Cause cause, const acme::Directory& directory,
                     SolverContext& solver);
  Attempt drive(WatchedHttp& http, acme::Client& client, SolverContext& solver);
  SolverContext solver_for(std::size_t ca_index, const acme::Client& client);
  Result<void> make_live();
  void give_up_order();

  const Workshop& shop_;
  HttpClients& clients_;
  const DomainSpec& spec_;
  const DomainSettings& settings_;
  JobState state_;
  JobState before_;
  std::optional<OrderRecord> order_;
  std::string ca_url_;        // of this attempt's CA
  std::string waits_for_ca_;  // as in Outcome
  bool hurry_ = false;
  bool ended_ = false;  // phase and reason are those of this look's attempt
  std::int64_t order_wait_ = 0;
};

}  // namespace tlsguard::renew

#endif
