// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says how far something is, if that is a terminal and it takes
// longer than a second; wiped at the end, before which nothing else may be printed. It is painted
// by a thread, so that whoever is kept waiting need not tell anything. tell(): one thread.
#ifndef TLSGUARD_CTL_PROGRESS_H
#define TLSGUARD_CTL_PROGRESS_H

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tlsguard::ctl {

class Progress {
 public:
  explicit Progress(std::string_view subject);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // wipes the line

  // what: empty keeps what was said last.
  void tell(std::string_view what, int connections);
  // So many things of all, each a `what`.
  void tell(std::size_t done, std::size_t all, std::string_view what);

 private:
  void show(std::string text);
  void paint();

  const std::string subject_;
  std::string what_;
  std::mutex mutex_;
  std::condition_variable change_;
  std::string text_ = "at work";
  bool ended_ = false;
  std::thread painter_;  // on a terminal only
};

}  // namespace tlsguard::ctl

#endif
