// SPDX-License-Identifier: Apache-2.0
// Counts of this agent's requests to CAs and of its attempts, kept over its restarts
// (ca_counts.h). Thread-safe.
#ifndef TLSGUARD_RENEW_CA_METRICS_H
#define TLSGUARD_RENEW_CA_METRICS_H

#include <memory>
#include <mutex>
#include <string>

#include "core/unix_time.h"
#include "net/http_client.h"
#include "renew/ca_counts.h"
#include "renew/report_files.h"

namespace tlsguard::renew {

class CaMetrics : public std::enable_shared_from_this<CaMetrics> {
 public:
  explicit CaMetrics(Clock now) : now_(std::move(now)) {}

  // Clients that time every request; they keep this object alive.
  [[nodiscard]] net::HttpClientFactory watched(net::HttpClientFactory inner);

  void attempt(const std::string& cause);
  void success(const std::string& cause);
  void error(const std::string& type);
  void request(const std::string& url, std::int64_t milliseconds, bool answered);

  // Adds what an agent before has counted.
  void take_over(const CaCounts& before);
  // Every two seconds at most, and only where something was counted.
  void flush(ReportFiles& files, UnixSeconds now);
  // When to flush; 0: there is nothing new.
  [[nodiscard]] UnixSeconds flush_at() const;

 private:
  mutable std::mutex mutex_;
  Clock now_;
  CaCounts counts_;
  bool changed_ = false;
  UnixSeconds flushed_at_ = 0;
};

}  // namespace tlsguard::renew

#endif
