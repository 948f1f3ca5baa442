// SPDX-License-Identifier: Apache-2.0
// TLSGuardDNSCommand: `path args… setup|teardown <record name> <value>` adds or takes away one TXT
// record beside others of the same name. Several may run at once, for several domains; one that
// cannot bear that has to take a lock of its own. Blocking; any thread.
#ifndef TLSGUARD_RENEW_DNS_COMMAND_H
#define TLSGUARD_RENEW_DNS_COMMAND_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log_sink.h"
#include "net/patience.h"

namespace tlsguard::renew {

enum class DnsAction : std::uint8_t { setup, teardown };

struct DnsRecordChange {
  DnsAction action = DnsAction::setup;
  std::string record;  // the whole name, without a last dot
  std::string value;
};

// command: the directive's arguments, not empty. What the command writes goes to the log: at debug,
// when it fails at warning, and then its end is in the error, too. The directive's own arguments
// are taken out of it, for they may be secrets.
[[nodiscard]] Result<void> run_dns_command(const std::vector<std::string>& command,
                                           const DnsRecordChange& change, LogSink& log,
                                           const net::Patience& patience);

}  // namespace tlsguard::renew

#endif
