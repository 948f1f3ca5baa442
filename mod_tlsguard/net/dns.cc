// SPDX-License-Identifier: Apache-2.0
#include "net/dns.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "core/text.h"
#include "net/dns_exchange.h"
#include "net/patience.h"

namespace tlsguard::net {
namespace {

constexpr int max_hops = 8;
constexpr std::size_t max_zone_servers = 13;     // as many as the root has
constexpr std::size_t max_server_addresses = 4;  // of each

std::string to_text(const DnsServer& server) {
  std::string host = server.address;
  if (host.find(':') != std::string::npos) host = fmt::format("[{}]", host);
  return fmt::format("{}:{}", host, server.port);
}

Error unanswered(const Error& error, const std::string& name, DnsType type, const std::string& by) {
  return error.within(fmt::format("DNS {} of {} from {}", dns_type_name(type), name, by));
}

// "a.b.c" -> "b.c"; empty: there is nothing above. A '.' within a label is written "\.".
std::string parent_of(const std::string& name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] == '\\') {
      ++at;
    } else if (name[at] == '.') {
      return name.substr(at + 1);
    }
  }
  return {};
}

}  // namespace

std::vector<DnsServer> resolvers_of(std::string_view resolv_conf) {
  constexpr std::size_t most = 3;  // as resolv.conf(5)
  std::vector<DnsServer> servers;
  for (const std::string& line : split(resolv_conf, "\n")) {
    auto words = split(line, " \t\r");
    if (words.size() >= 2 && words[0] == "nameserver" && servers.size() < most) {
      servers.push_back({words[1]});
    }
  }
  if (servers.empty()) servers.push_back({"127.0.0.1"});
  return servers;
}

Dns::Dns(DnsSettings settings, std::function<bool()> stopping)
    : settings_(std::move(settings)), stopping_(std::move(stopping)) {}

std::vector<DnsServer> Dns::resolvers() const {
  if (!settings_.resolvers.empty()) return settings_.resolvers;
  constexpr std::size_t limit = 65536;
  std::string content(limit, '\0');
  std::ifstream file("/etc/resolv.conf", std::ios::binary);
  file.read(content.data(), static_cast<std::streamsize>(limit));
  content.resize(static_cast<std::size_t>(file.gcount()));
  return resolvers_of(content);
}

Patience Dns::patience_for(std::size_t servers) const {
  // Each attempt may go over UDP and TCP, with EDNS and without.
  auto most = settings_.timeout * 2 * settings_.attempts * static_cast<int>(servers);
  return Patience(most, stopping_);
}

Result<DnsAnswer> Dns::ask_once(const std::string& name, DnsType type) const {
  auto servers = resolvers();
  Patience patience = patience_for(servers.size());
  Error last;
  for (const DnsServer& server : servers) {
    auto answer = exchange(server, {name, type, true}, settings_, patience);
    if (answer || answer.error().next == Next::never) return answer;
    last = unanswered(answer.error(), name, type, to_text(server));
  }
  return tl::unexpected(std::move(last));
}

Result<DnsAnswer> Dns::ask(const std::string& name, DnsType type) const {
  std::string asked = name;
  for (int hops = 0; hops < max_hops; ++hops) {
    auto answer = ask_once(asked, type);
    // A resolver follows CNAMEs by itself; one that did not is asked again.
    if (!answer || answer->outcome != DnsAnswer::Outcome::elsewhere) return answer;
    asked = answer->canonical;
  }
  return fail(fmt::format("DNS {} of {}: the CNAMEs do not end", dns_type_name(type), name));
}

Result<DnsAnswer> Dns::ask_server(const DnsServer& server, const std::string& name,
                                  DnsType type) const {
  auto answer = exchange(server, {name, type, false}, settings_, patience_for(1));
  if (!answer) {
    return tl::unexpected(unanswered(answer.error(), name, type, to_text(server)));
  }
  return answer;
}

Result<std::string> Dns::canonical_name(const std::string& name) const {
  // By CNAME queries alone: one for another type would leave its absence in the resolver's cache.
  std::string current = to_lower(name);
  for (int hops = 0; hops < max_hops; ++hops) {
    auto answer = ask_once(current, DnsType::cname);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->outcome != DnsAnswer::Outcome::found) return current;
    current = answer->records.front().value;
  }
  return fail(fmt::format("the CNAMEs of {} do not end", name));
}

Result<std::string> Dns::apex_of(const std::string& name) const {
  for (std::string candidate = to_lower(name); !candidate.empty();
       candidate = parent_of(candidate)) {
    auto answer = ask_once(candidate, DnsType::soa);
    if (!answer) return tl::unexpected(answer.error());
    bool here = answer->outcome == DnsAnswer::Outcome::found && answer->canonical == candidate;
    if (here) return candidate;
  }
  return fail(fmt::format("no DNS zone was found for {}", name));
}

Result<DnsZone> Dns::zone_of(const std::string& name) const {
  auto apex = apex_of(name);
  if (!apex) return tl::unexpected(apex.error());
  auto answer = ask(*apex, DnsType::ns);
  if (!answer) return tl::unexpected(answer.error());
  std::set<std::string> names;
  for (const DnsRecord& record : answer->records) names.insert(record.value);
  if (names.empty()) return fail(fmt::format("the zone {} names no servers", *apex));
  DnsZone zone{*apex, {}};
  for (const std::string& server : names) {
    if (zone.servers.size() == max_zone_servers) break;
    zone.servers.push_back({server, addresses_of(server)});
  }
  return zone;
}

Result<DnsAnswer> Dns::ask_zone(const std::string& name, DnsType type) const {
  auto canonical = canonical_name(name);
  if (!canonical) return tl::unexpected(canonical.error());
  auto zone = zone_of(*canonical);
  if (!zone) return tl::unexpected(zone.error());
  for (const DnsZone::Server& server : zone->servers) {
    for (const DnsServer& address : server.addresses) {
      auto answer = ask_server(address, *canonical, type);
      if (answer || stopping()) return answer;
    }
  }
  return fail(fmt::format("no server of the zone {} can be asked", zone->apex));
}

std::vector<DnsServer> Dns::addresses_of(const std::string& server) const {
  std::vector<DnsServer> addresses;
  for (DnsType type : {DnsType::a, DnsType::aaaa}) {
    auto answer = ask(server, type);
    if (!answer) continue;
    for (const DnsRecord& record : answer->records) {
      if (addresses.size() < max_server_addresses) {
        addresses.push_back({record.value, settings_.zone_port});
      }
    }
  }
  return addresses;
}

}  // namespace tlsguard::net
