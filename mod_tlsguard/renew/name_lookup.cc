// SPDX-License-Identifier: Apache-2.0
#include "renew/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>

#include <memory>

namespace tlsguard::renew {
namespace {

constexpr std::size_t max_addresses = 8;

// By any means of this machine, the hosts file and multicast DNS among them.
bool known_locally(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return false;
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  return list != nullptr;
}

// A resolver may remember for an hour that there was nothing. So the servers of the zone are asked,
// where they can be.
bool still_absent(const net::Dns& dns, const std::string& name, NameLookup& lookup) {
  auto canonical = dns.canonical_name(name);
  if (!canonical) return true;
  auto zone = dns.zone_of(*canonical);
  if (!zone) return true;
  for (const net::DnsZone::Server& server : zone->servers) {
    for (const net::DnsServer& address : server.addresses) {
      bool answered = false;
      for (net::DnsType type : {net::DnsType::aaaa, net::DnsType::a}) {
        auto answer = dns.ask_server(address, *canonical, type);
        if (!answer) break;
        answered = true;
        for (const net::DnsRecord& record : answer->records) {
          lookup.addresses.push_back(record.value);
        }
      }
      if (answered) return lookup.addresses.empty();
    }
  }
  return true;
}

}  // namespace

NameLookup look_up_name(const std::string& name, const net::DnsSettings& settings,
                        const std::function<bool()>& stopping) {
  NameLookup lookup;
  net::Dns dns(settings, stopping);
  bool certain = true;
  bool exists = true;
  for (net::DnsType type : {net::DnsType::aaaa, net::DnsType::a}) {
    auto answer = dns.ask(name, type);
    if (!answer) {
      certain = false;
      lookup.text = answer.error().text;
      continue;
    }
    exists = exists && answer->outcome != net::DnsAnswer::Outcome::no_name;
    for (const net::DnsRecord& record : answer->records) {
      if (lookup.addresses.size() < max_addresses) lookup.addresses.push_back(record.value);
    }
  }
  if (!lookup.addresses.empty() || !certain) return lookup;
  if (!still_absent(dns, name, lookup)) return lookup;
  lookup.text = exists ? "it has neither an A nor an AAAA record" : "there is no such name in DNS";
  // Resolvers other than this machine's know nothing of its hosts file.
  lookup.absent = !settings.resolvers.empty() || !known_locally(name);
  return lookup;
}

}  // namespace tlsguard::renew
