// SPDX-License-Identifier: Apache-2.0
// DNS as a CA sees it: never the hosts file or a cache of this machine's, records of types that
// getaddrinfo does not know, and the servers of a zone asked directly. Blocking, bounded in time
// and size, answers are taken as hostile. Thread-safe: a Dns has no state but its settings.
#ifndef TLSGUARD_NET_DNS_H
#define TLSGUARD_NET_DNS_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "net/dns_message.h"
#include "net/patience.h"

namespace tlsguard::net {

struct DnsServer {
  std::string address;  // IPv4, or IPv6 perhaps with %scope
  std::uint16_t port = 53;
  bool operator==(const DnsServer&) const = default;
};

struct DnsSettings {
  std::vector<DnsServer> resolvers;         // asked to recurse; empty: those of /etc/resolv.conf
  std::uint16_t zone_port = 53;             // where the servers of a zone listen
  std::chrono::milliseconds timeout{3000};  // of one exchange with one server
  int attempts = 2;                         // at each server
};

// A zone and whoever serves it.
struct DnsZone {
  struct Server {
    std::string name;
    std::vector<DnsServer> addresses;  // may be empty: its name does not resolve
  };
  std::string apex;
  std::vector<Server> servers;
};

class Dns {
 public:
  // stopping: asked several times a second; true ends what is under way with an error.
  explicit Dns(DnsSettings settings, std::function<bool()> stopping = {});

  // Through the resolvers, one after the other. CNAMEs are followed. An error where nobody
  // answers, or not with an answer (SERVFAIL, REFUSED, nonsense): then nothing is known.
  [[nodiscard]] Result<DnsAnswer> ask(const std::string& name, DnsType type) const;
  // One server, without recursion. CNAMEs are followed as far as this server does.
  [[nodiscard]] Result<DnsAnswer> ask_server(const DnsServer& server, const std::string& name,
                                             DnsType type) const;
  // Whichever server of the name's zone answers first: what resolvers still remember does not
  // count. An error where none of them can be asked.
  [[nodiscard]] Result<DnsAnswer> ask_zone(const std::string& name, DnsType type) const;
  // Where the CNAMEs of this name lead; the name itself where it has none.
  [[nodiscard]] Result<std::string> canonical_name(const std::string& name) const;
  // The zone that a record of this name would be in, found by walking up (RFC 1034 4.2).
  [[nodiscard]] Result<DnsZone> zone_of(const std::string& name) const;

 private:
  [[nodiscard]] std::vector<DnsServer> resolvers() const;
  [[nodiscard]] bool stopping() const { return stopping_ && stopping_(); }
  [[nodiscard]] Patience patience_for(std::size_t servers) const;
  // Without following a CNAME beyond this answer.
  [[nodiscard]] Result<DnsAnswer> ask_once(const std::string& name, DnsType type) const;
  [[nodiscard]] Result<std::string> apex_of(const std::string& name) const;
  [[nodiscard]] std::vector<DnsServer> addresses_of(const std::string& server) const;

  DnsSettings settings_;
  std::function<bool()> stopping_;
};

// The nameserver lines of resolv.conf(5), three at most; without one the server on this machine.
[[nodiscard]] std::vector<DnsServer> resolvers_of(std::string_view resolv_conf);

}  // namespace tlsguard::net

#endif
