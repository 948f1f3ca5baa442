// SPDX-License-Identifier: Apache-2.0
// Which CAs do not answer at all. While one does not, nobody asks it but one probe at a time, with
// growing pauses, so that thousands of domains that wait for it are no storm; when it is back they
// all go on, spread over a moment. Not kept over restarts. Thread-safe.
#ifndef TLSGUARD_RENEW_CA_HEALTH_H
#define TLSGUARD_RENEW_CA_HEALTH_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/unix_time.h"

namespace tlsguard::renew {

class CaHealth {
 public:
  // Nobody answered, or only with an error of the server's own.
  void unreachable(const std::string& directory_url, const std::string& why, UnixSeconds now);
  // It answered. true: it had not, before.
  bool reachable(const std::string& directory_url, UnixSeconds now);

  // Why not; empty: it may be asked.
  [[nodiscard]] std::string trouble(const std::string& directory_url) const;
  // Since when each that does not answer has not, and why.
  struct Silence {
    UnixSeconds since = 0;
    std::string why;
  };
  [[nodiscard]] std::map<std::string, Silence> silent() const;
  // Those that do not answer, and when each is to be asked whether it does again.
  [[nodiscard]] std::map<std::string, UnixSeconds> probes(UnixSeconds now) const;

 private:
  struct Record {
    bool down = false;
    std::uint32_t failures = 0;  // kept for a while after it is back: it may go again at once
    UnixSeconds since = 0;       // of the first failure, or of its being back
    UnixSeconds failed_at = 0;
    UnixSeconds probe_at = 0;
    std::string why;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Record> records_;
};

}  // namespace tlsguard::renew

#endif
