// SPDX-License-Identifier: Apache-2.0
// A log that tests look into.
#ifndef TLSGUARD_T_UNIT_LIST_LOG_H
#define TLSGUARD_T_UNIT_LIST_LOG_H

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/log_sink.h"

namespace tlsguard::test {

class ListLog : public LogSink {
 public:
  struct Line {
    Severity severity;
    std::string id;
    std::string text;
  };
  void write(Severity severity, std::string_view id, std::string_view text) override {
    std::lock_guard lock(mutex_);
    lines_.push_back({severity, std::string(id), std::string(text)});
  }
  // The texts of this id, one a line; every id where it is empty.
  [[nodiscard]] std::string texts(std::string_view id = {}) const {
    std::lock_guard lock(mutex_);
    std::string all;
    for (const Line& line : lines_) {
      if (id.empty() || line.id == id) all += line.text + "\n";
    }
    return all;
  }
  [[nodiscard]] std::vector<Line> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace tlsguard::test

#endif
