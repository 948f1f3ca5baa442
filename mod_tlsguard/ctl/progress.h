// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says how far a probe is, if that is a terminal and it takes
// longer than a second. One thread.
#ifndef TLSGUARD_CTL_PROGRESS_H
#define TLSGUARD_CTL_PROGRESS_H

#include <chrono>
#include <string>
#include <string_view>

namespace tlsguard::ctl {

class Progress {
 public:
  explicit Progress(std::string subject);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // wipes the line

  // what: empty keeps what was said last.
  void tell(std::string_view what, int connections);

 private:
  std::string subject_;
  std::string what_;
  std::chrono::steady_clock::time_point next_;
  bool terminal_ = false;
  bool shown_ = false;
};

}  // namespace tlsguard::ctl

#endif
