// SPDX-License-Identifier: Apache-2.0
// Certificates that are not ours: those of SSLCertificateFile, as httpd serves them, against the
// clock, and against what is in their files by now. A file that the agent's user may not read is
// judged by what httpd's parent has said of it. One thread; reads files.
#ifndef TLSGUARD_RENEW_STATIC_WATCH_H
#define TLSGUARD_RENEW_STATIC_WATCH_H

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "renew/alert_keeper.h"
#include "renew/spec.h"
#include "renew/trouble_report.h"

namespace tlsguard::renew {

class StaticWatch {
 public:
  explicit StaticWatch(const std::vector<StaticCertificateSpec>& certificates);
  // What is found of all of them now. Files are read once an hour.
  [[nodiscard]] std::vector<Observation> look(UnixSeconds now);
  [[nodiscard]] bool has(const std::string& subject) const { return subjects_.contains(subject); }
  // As they were found by the last look, those first that await a reload.
  void put_files(TroubleReport& report) const;

 private:
  struct File {
    StaticCertificateSpec spec;
    std::string subject;
    std::shared_ptr<const DomainSpec> to;  // its first server name, with its settings
    UnixSeconds read_at = 0;               // 0: never
    UnixSeconds newer_since = 0;           // 0: what is in it is what is served, or not known
    UnixSeconds newer_until = 0;           // not_after of what is in it
    bool known = false;                    // it could be read
  };
  static void read(File& file, UnixSeconds now);
  static Observation expiry_of(const File& file, UnixSeconds now);

  std::vector<File> files_;
  std::set<std::string> subjects_;
};

}  // namespace tlsguard::renew

#endif
