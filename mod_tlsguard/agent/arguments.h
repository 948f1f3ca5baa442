// SPDX-License-Identifier: Apache-2.0
// What httpd's parent tells the agent on its command line. Pure.
#ifndef TLSGUARD_AGENT_ARGUMENTS_H
#define TLSGUARD_AGENT_ARGUMENTS_H

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/log_sink.h"
#include "renew/workshop.h"

namespace tlsguard::agent {

struct Arguments {
  int spec_fd = -1;     // renew::to_json(AgentSpec), a memfd
  int seal_fd = -1;     // crypto::SealingKey::size bytes, a memfd
  int board_fd = -1;    // live::DomainBoard
  int control_fd = -1;  // a listening unix socket
  uid_t user = 0;
  gid_t group = 0;
  std::optional<pid_t> parent;
  Severity least = Severity::notice;  // what is less is not logged
  // For tests: seconds between the tries of a webhook; empty: the usual ones.
  std::vector<std::int64_t> webhook_pace;
  // For tests: how the outside reaches us, and whom DNS is asked of.
  renew::OutsidePorts outside;
  net::DnsSettings dns;
};

extern const std::string_view usage;

[[nodiscard]] Result<Arguments> parse_arguments(const std::vector<std::string>& words);

}  // namespace tlsguard::agent

#endif
