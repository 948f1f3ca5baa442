// SPDX-License-Identifier: Apache-2.0
// The addresses of a name, as a CA finds them. Blocking; any thread.
#ifndef TLSGUARD_RENEW_NAME_LOOKUP_H
#define TLSGUARD_RENEW_NAME_LOOKUP_H

#include <functional>
#include <string>
#include <vector>

#include "net/dns.h"

namespace tlsguard::renew {

struct NameLookup {
  std::vector<std::string> addresses;  // AAAA first, as CAs prefer it; at most 8
  bool absent = false;                 // there are none, for sure: the zone's own servers say so
  std::string text;                    // why there are none, in words
};
// What only this machine knows (its hosts file) is no address, but leaves it unknown whether there
// are none: the CA may be one that knows it, too.
[[nodiscard]] NameLookup look_up_name(const std::string& name, const net::DnsSettings& settings,
                                      const std::function<bool()>& stopping);

}  // namespace tlsguard::renew

#endif
