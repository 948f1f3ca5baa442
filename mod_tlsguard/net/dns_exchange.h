// SPDX-License-Identifier: Apache-2.0
// One question put to one DNS server: UDP, over TCP what does not fit (RFC 7766), without EDNS
// where a server does not know it (RFC 6891 7). libresolv's own res_nsend is not used: it counts
// in whole seconds, cannot be stopped, and takes IPv6 servers through private fields only.
// Thread-safe: each call has sockets of its own.
#ifndef TLSGUARD_NET_DNS_EXCHANGE_H
#define TLSGUARD_NET_DNS_EXCHANGE_H

#include <string>

#include "core/error.h"
#include "net/dns.h"
#include "net/patience.h"

namespace tlsguard::net {

struct DnsQuestion {
  const std::string& name;
  DnsType type{};
  bool recurse = true;
};

// attempts: over UDP, each as long as `patience` allows at most `timeout`. An error: no answer, an
// error code or nonsense; the text does not name the server.
[[nodiscard]] Result<DnsAnswer> exchange(const DnsServer& server, const DnsQuestion& question,
                                         const DnsSettings& settings, const Patience& patience);

}  // namespace tlsguard::net

#endif
