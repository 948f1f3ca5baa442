// SPDX-License-Identifier: Apache-2.0
#include "renew/name_lookup.h"

#include <netdb.h>

#include <memory>
#include <utility>

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

using Ask = std::function<Result<net::DnsAnswer>(net::DnsType)>;

struct Gathered {
  NameLookup lookup;
  bool certain = true;  // both types were answered
  bool exists = true;
};

Gathered gather(const Ask& ask) {
  Gathered all;
  for (net::DnsType type : {net::DnsType::aaaa, net::DnsType::a}) {
    auto answer = ask(type);
    if (!answer) {
      all.certain = false;
      all.lookup.text = answer.error().text;
      continue;
    }
    if (answer->outcome == net::DnsAnswer::Outcome::no_name) all.exists = false;
    for (const net::DnsRecord& record : answer->records) {
      auto& addresses = all.lookup.addresses;
      if (addresses.size() < max_addresses) addresses.push_back(record.value);
    }
  }
  return all;
}

}  // namespace

NameLookup look_up_name(const std::string& name, const net::DnsSettings& settings,
                        const std::function<bool()>& stopping) {
  net::Dns dns(settings, stopping);
  Gathered all = gather([&](net::DnsType type) { return dns.ask(name, type); });
  if (!all.lookup.addresses.empty() || !all.certain) return all.lookup;
  // A resolver may remember for an hour that there was nothing.
  Gathered fresh = gather([&](net::DnsType type) { return dns.ask_zone(name, type); });
  if (fresh.certain) all = std::move(fresh);
  if (!all.lookup.addresses.empty()) return all.lookup;
  all.lookup.text =
      all.exists ? "it has neither an A nor an AAAA record" : "there is no such name in DNS";
  // Resolvers other than this machine's know nothing of its hosts file.
  all.lookup.absent = !settings.resolvers.empty() || !known_locally(name);
  return all.lookup;
}

}  // namespace tlsguard::renew
