// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration, collected and logged with file and line, so that one run
// of `httpd -t` shows all of it. Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_COMPLAINTS_H
#define TLSGUARD_HTTPD_COMPLAINTS_H

#include <set>
#include <string>

#include "httpd/server_conf.h"

namespace tlsguard::httpd {

class Complaints {
 public:
  // quiet: warnings were said already by an earlier pass over the same files.
  explicit Complaints(bool quiet) : quiet_(quiet) {}
  // Ends the start, or the test. Text begins with the directive's name.
  void error(const Place& place, const std::string& text);
  void warning(const Place& place, const std::string& text);
  [[nodiscard]] bool any_error() const { return any_error_; }
  [[nodiscard]] bool quiet() const { return quiet_; }

 private:
  [[nodiscard]] bool first_time(const Place& place, const std::string& text);
  bool quiet_;
  bool any_error_ = false;
  std::set<std::string> said_;
};

}  // namespace tlsguard::httpd

#endif
