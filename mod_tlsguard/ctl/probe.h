// SPDX-License-Identifier: Apache-2.0
// Finds out what a TLS server negotiates, by asking it: any server, not only ours. One connection
// after the other, within the bounds of Asker; a typical server takes 50. What is asked for is
// written by hello/offer.h, so that the OpenSSL here, which lacks much of what old servers speak,
// does not narrow the answer; only what TLS 1.3 encrypts is left to OpenSSL.
#ifndef TLSGUARD_CTL_PROBE_H
#define TLSGUARD_CTL_PROBE_H

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "ctl/connection.h"
#include "ctl/facts.h"
#include "ctl/progress.h"

namespace tlsguard::ctl {

struct ProbeRequest {
  std::vector<Address> addresses;  // the first that takes a connection is probed
  std::string server_name;         // SNI; empty or an IP address: none is sent (RFC 6066 3)
  std::string name;                // that the certificate should be for; empty: not judged
  std::string http_host;           // for the Host field
  std::optional<std::uint16_t> plain_port;  // asked with HTTP in clear
  std::chrono::seconds timeout{60};         // for all of it
};

// Errors: no TCP connection, no TLS spoken there, or not done within the bounds. A server that
// speaks TLS and refuses every ClientHello is no error: its Facts say how it refuses.
[[nodiscard]] Result<Facts> probe(const ProbeRequest& request, Progress& progress);

}  // namespace tlsguard::ctl

#endif
