// SPDX-License-Identifier: Apache-2.0
// Small files for the status page, which workers make and which cannot read the agent's own: one of
// each domain, the counts of CAs (ca_counts.h), and what is wrong now (trouble_report.h). In the
// store's reports/, never a secret in them. Replaced whole and only when they change; not synced,
// as they can be made anew at any time. What cannot be written is left as it is: a page that is old
// stops no renewal. Any thread, one at a time for each file. Blocking.
#ifndef TLSGUARD_RENEW_REPORT_FILES_H
#define TLSGUARD_RENEW_REPORT_FILES_H

#include <atomic>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/log_sink.h"
#include "renew/ca_counts.h"
#include "renew/schedule.h"
#include "renew/state.h"
#include "renew/trouble_report.h"
#include "store/certificate_store.h"
#include "store/state_file.h"

namespace tlsguard::renew {

class ReportFiles {
 public:
  // certificates and log outlive this.
  ReportFiles(store::Directory directory, const store::CertificateStore& certificates, LogSink& log)
      : directory_(std::move(directory)), certificates_(certificates), log_(log) {}
  ReportFiles(const ReportFiles&) = delete;
  ReportFiles& operator=(const ReportFiles&) = delete;

  // As domain_report(), and next: renew_at, cause, floor_at, ask_ari_at; served: the serials of the
  // last generations. The history is cut, the newest first.
  void write(const JobState& state, const std::vector<std::string>& names,
             const Situation& situation, UnixSeconds now);
  // Of a domain that is gone.
  void remove(const std::string& identity);

  [[nodiscard]] CaCounts read_counts() const;  // empty where there are none
  void write_counts(const CaCounts& counts);
  void write_troubles(const TroubleReport& report);

 private:
  [[nodiscard]] std::string content_of(const std::string& file, std::size_t limit) const;
  void put(const std::string& file, const std::string& text);

  store::Directory directory_;
  const store::CertificateStore& certificates_;
  LogSink& log_;
  std::atomic<bool> complained_ = false;
};

}  // namespace tlsguard::renew

#endif
