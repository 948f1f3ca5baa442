// SPDX-License-Identifier: Apache-2.0
// tlsguardctl renew, hold, resume, rollback and revoke: done by the agent or, where httpd is down,
// in the store, as far as no CA is needed.
#ifndef TLSGUARD_CTL_CTL_DOMAINS_H
#define TLSGUARD_CTL_CTL_DOMAINS_H

#include <string>

#include "renew/control_protocol.h"

namespace tlsguard::ctl {

struct DomainOptions {
  renew::ControlCommand command = renew::ControlCommand::renew;
  std::string domain;
  std::string reason;  // of revoke; empty: none is given
  std::string store;
  bool json = false;
};

// The exit status.
[[nodiscard]] int act_on_domain(const DomainOptions& options);

}  // namespace tlsguard::ctl

#endif
