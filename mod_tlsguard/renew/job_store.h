// SPDX-License-Identifier: Apache-2.0
// The files of domains in agent/domains: job.json and order.json. What is torn or foreign is set
// aside as <file>.bad, said once, and counts as missing. Any thread; one at a time for each domain.
// Blocking (fsync).
#ifndef TLSGUARD_RENEW_JOB_STORE_H
#define TLSGUARD_RENEW_JOB_STORE_H

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log_sink.h"
#include "renew/order_record.h"
#include "renew/state.h"
#include "store/state_file.h"

namespace tlsguard::renew {

class JobStore {
 public:
  // path: of agent/domains, which exists. log: must outlive this.
  JobStore(std::string path, LogSink& log) : path_(std::move(path)), log_(&log) {}

  [[nodiscard]] Result<std::optional<JobState>> read_job(const std::string& identity) const;
  [[nodiscard]] Result<void> write_job(
      const JobState& state, store::Durability durability = store::Durability::synced) const;
  [[nodiscard]] Result<std::optional<OrderRecord>> read_order(const std::string& identity) const;
  // Synced from the first sealed key on: a later file that a power failure empties would take the
  // key with it. Before that nothing of it is worth the wait.
  [[nodiscard]] Result<void> write_order(const OrderRecord& order) const;
  [[nodiscard]] Result<void> remove_order(const std::string& identity) const;
  // A chain that was issued but must not be served, beside job.json; returns its path.
  [[nodiscard]] Result<std::string> keep_rejected(const std::string& identity,
                                                  const std::string& pem) const;
  // Of every domain that has one, declared or not; unreadable ones are left out.
  [[nodiscard]] std::vector<JobState> all_jobs() const;
  [[nodiscard]] bool any_order() const;
  [[nodiscard]] bool has_order(const std::string& identity) const;
  // All files of a domain; nothing to do where it has none.
  [[nodiscard]] Result<void> remove(const std::string& identity) const;

 private:
  template <typename T, typename Parse>
  [[nodiscard]] Result<std::optional<T>> read(const std::string& identity, const char* file,
                                              std::size_t limit, Parse&& parse) const;
  [[nodiscard]] Result<void> write(const std::string& identity, const char* file,
                                   const std::string& content, store::Durability durability) const;

  std::string path_;
  LogSink* log_;
};

}  // namespace tlsguard::renew

#endif
