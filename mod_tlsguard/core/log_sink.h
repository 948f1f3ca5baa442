// SPDX-License-Identifier: Apache-2.0
// Where the library's log lines go: httpd's error log through the parent, stderr for tlsguardctl,
// a list for tests.
#ifndef TLSGUARD_CORE_LOG_SINK_H
#define TLSGUARD_CORE_LOG_SINK_H

#include <cstdint>
#include <string_view>

namespace tlsguard {

enum class Severity : std::uint8_t { error, warning, notice, info, debug };

class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  // id: "TG0100", listed in docs/log-ids.md. text: begins with its subject (`domain=`, `order=`),
  // one line, no secret. Any thread.
  virtual void write(Severity severity, std::string_view id, std::string_view text) = 0;
};

}  // namespace tlsguard

#endif
