// SPDX-License-Identifier: Apache-2.0
// What is wrong now, which events nobody got, and what became of the certificate files that are
// watched: a file in the store's reports/, for the status page and the metrics. Of a webhook it has
// scheme and host alone. Plain values; the JSON is pure, and takes any bytes.
#ifndef TLSGUARD_RENEW_TROUBLE_REPORT_H
#define TLSGUARD_RENEW_TROUBLE_REPORT_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"

namespace tlsguard::renew {

// No domain's report has this name (store::directory_of).
inline constexpr char trouble_report_file[] = "_troubles.json";
inline constexpr std::size_t max_trouble_report = 1024UL * 1024;

struct TroubleReport {
  static constexpr std::size_t most_alerts_of_kind = 20;
  static constexpr std::size_t most_kinds = 16;
  static constexpr std::size_t most_letters = 100;
  static constexpr std::size_t most_files = 1000;

  struct OpenAlert {
    std::string kind;     // alert_name()
    std::string subject;  // AlertKey's
    UnixSeconds since = 0;
    std::string text;         // as it was said: a moment named in it may have passed
    UnixSeconds said_at = 0;  // the last time
    bool operator==(const OpenAlert&) const = default;
  };
  struct Letter {
    UnixSeconds at = 0;       // when it happened
    UnixSeconds died_at = 0;  // when it was given up
    std::string event;
    std::string domain;
    std::string to;  // receiver_of()
    std::string error;
    std::uint32_t tries = 0;
    bool operator==(const Letter&) const = default;
  };
  // Beside what httpd knows of it by itself.
  struct File {
    std::string file;
    std::string serial;           // of what httpd serves
    bool readable = false;        // for the agent's user
    UnixSeconds newer_since = 0;  // since when a newer one has been seen in it; 0: there is none
    UnixSeconds newer_until = 0;  // until when that one is valid
    bool operator==(const File&) const = default;
  };

  std::map<std::string, std::uint64_t> counts;  // of all alerts, by kind
  std::vector<OpenAlert> alerts;                // of each kind the newest, the newest first
  std::vector<Letter> dead_letters;             // the newest first
  std::uint64_t waiting = 0;                    // events on their way
  UnixSeconds waiting_since = 0;                // when the oldest of them happened; 0: none waits
  std::vector<File> files;
  bool operator==(const TroubleReport&) const = default;
};

// Texts are cut, and the ends of lists are left out, until the size is kept.
[[nodiscard]] std::string to_json(TroubleReport report);
[[nodiscard]] Result<TroubleReport> trouble_report_from_json(std::string_view text);

}  // namespace tlsguard::renew

#endif
