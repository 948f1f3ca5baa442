// SPDX-License-Identifier: Apache-2.0
// Log lines to stderr, which is httpd's error log, in its format. Each is one write, so lines of
// several processes do not mix. Thread-safe.
#ifndef TLSGUARD_AGENT_STDERR_LOG_H
#define TLSGUARD_AGENT_STDERR_LOG_H

#include <chrono>
#include <string>

#include "core/log_sink.h"

namespace tlsguard::agent {

// "[Thu Nov 26 14:20:00.123456 2026] [tlsguard:notice] [pid 7] TG0100: text\n", in local time, as
// httpd does. What would break the line, or is no text, is escaped as \xHH.
[[nodiscard]] std::string log_line(std::chrono::system_clock::time_point time, int pid,
                                   Severity severity, std::string_view id, std::string_view text);

class StderrLog : public LogSink {
 public:
  explicit StderrLog(Severity least) : least_(least) {}
  void write(Severity severity, std::string_view id, std::string_view text) override;

 private:
  Severity least_;
};

}  // namespace tlsguard::agent

#endif
