// SPDX-License-Identifier: Apache-2.0
// Who the agent is, and what it is told: from the configuration. Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_AGENT_SPEC_H
#define TLSGUARD_HTTPD_AGENT_SPEC_H

#include <sys/types.h>

#include <string>

#include "httpd/complaints.h"
#include "httpd/includes.h"
#include "httpd/managed_domains.h"
#include "httpd/server_conf.h"
#include "renew/spec.h"

namespace tlsguard::httpd {

struct AgentConf {
  std::string program;
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
  bool as_root = false;  // httpd was started as root, so the agent is another user
};

// Complains of a program that is missing and of an agent that is httpd's own user.
[[nodiscard]] AgentConf agent_conf(const ServerConf& base, const Place& place,
                                   Complaints& complaints);

[[nodiscard]] renew::AgentSpec agent_spec(const ManagedDomains& domains,
                                          const server_rec& base_server,
                                          const std::string& store_path);

}  // namespace tlsguard::httpd

#endif
