// SPDX-License-Identifier: Apache-2.0
// What a check found out, as a report for people and as JSON. Pure; thread-safe.
#ifndef TLSGUARD_CTL_CHECK_REPORT_H
#define TLSGUARD_CTL_CHECK_REPORT_H

#include <algorithm>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ctl/facts.h"
#include "ctl/grade.h"
#include "live/runtime_file.h"

namespace tlsguard::ctl {

// Of one server, or of one virtual host at one address.
struct Check {
  std::string target;                             // host:port
  std::optional<live::RuntimeHost> virtual_host;  // set where it is one of this server
  std::string policy;                             // graded against
  std::string error;                              // why there are no facts
  std::optional<Facts> facts;
  std::optional<Grade> grade;

  [[nodiscard]] bool fits() const { return grade && grade->fits(); }
};

// All that one run of the program checked. Dates are RFC 3339, UTC.
struct CheckRun {
  std::string date;
  std::string machine;                      // its host name
  std::string tlsguard;                     // version of this program
  std::string openssl;                      // of the library it runs with
  std::optional<live::RuntimeFile> server;  // set where the virtual hosts come from its file
  std::vector<Check> checks;

  [[nodiscard]] bool fits() const {
    return !checks.empty() && std::all_of(checks.begin(), checks.end(),
                                          [](const Check& check) { return check.fits(); });
  }
};

[[nodiscard]] std::string to_text(const CheckRun& run);
[[nodiscard]] nlohmann::json to_json(const CheckRun& run);

}  // namespace tlsguard::ctl

#endif
