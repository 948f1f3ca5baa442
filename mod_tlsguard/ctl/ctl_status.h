// SPDX-License-Identifier: Apache-2.0
// tlsguardctl status: managed domains, what the census counted, and whom a policy would cut off.
#ifndef TLSGUARD_CTL_CTL_STATUS_H
#define TLSGUARD_CTL_CTL_STATUS_H

#include <optional>
#include <string>

namespace tlsguard::ctl {

struct StatusOptions {
  std::optional<std::string> name;    // of a domain or a virtual host; none: all
  std::optional<std::string> policy;  // a judge of the census (live/verdicts.h); none: an overview
  std::string store;
  bool json = false;
};

// The exit status: 1 if what is managed needs somebody (ctl/domain_reports.h), or nothing is known.
[[nodiscard]] int status(const StatusOptions& options);

}  // namespace tlsguard::ctl

#endif
