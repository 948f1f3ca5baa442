// SPDX-License-Identifier: Apache-2.0
#include "httpd/agent_spec.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "httpd/conf_of.h"

namespace tlsguard::httpd {

namespace {

constexpr char usual_user[] = "tlsguard";

bool is_program(const std::string& path) {
  struct stat facts {};
  constexpr mode_t any_execute = S_IXUSR | S_IXGRP | S_IXOTH;
  return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         (facts.st_mode & any_execute) != 0;
}

bool listens_on(std::uint16_t port) {
  for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    if (l->bind_addr != nullptr && l->bind_addr->port == port) return true;
  }
  return false;
}

std::vector<std::string> listened_addresses() {
  std::vector<std::string> addresses;
  for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    if (l->bind_addr == nullptr) continue;
    std::array<char, 64> ip{};
    std::string address = "*";
    if (apr_sockaddr_ip_getbuf(ip.data(), ip.size(), l->bind_addr) == APR_SUCCESS) {
      address = ip.data();
    }
    if (address == "0.0.0.0" || address == "::") address = "*";
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
  return addresses;
}

// The port map's, if we listen there.
renew::Reachability reachability(const ServerConf& base) {
  web::PortMap map = base.port_map ? base.port_map->value : web::PortMap{};
  renew::Reachability reach;
  if (map.http && listens_on(*map.http)) reach.http = map.http;
  if (map.https && listens_on(*map.https)) reach.https = map.https;
  reach.addresses = listened_addresses();
  return reach;
}

}  // namespace

AgentConf agent_conf(const ServerConf& base, const Place& place, Complaints& complaints) {
  AgentConf conf;
  conf.program = base.agent_program ? base.agent_program->value : TLSGUARD_AGENT_PROGRAM;
  if (!is_program(conf.program)) {
    complaints.warning(place, fmt::format("TLSGuardAgentProgram: {} is not installed, so nothing "
                                          "is obtained or renewed",
                                          conf.program));
  }
  conf.as_root = ::geteuid() == 0;
  if (!conf.as_root) {
    conf.uid = ::geteuid();
    conf.gid = ::getegid();
    return conf;
  }
  conf.user = base.agent_user ? base.agent_user->value : usual_user;
  if (const passwd* user = ::getpwnam(conf.user.c_str())) {
    conf.uid = user->pw_uid;
    conf.gid = user->pw_gid;
  } else {
    conf.user = ap_unixd_config.user_name != nullptr ? ap_unixd_config.user_name : "";
    conf.uid = ap_unixd_config.user_id;
    conf.gid = ap_unixd_config.group_id;
    complaints.warning(
        place, fmt::format("TLSGuardAgentUser: there is no user '{}', so certificates are obtained "
                           "as httpd's own user; scripts that run as that user can read account "
                           "keys: make the user, or name another",
                           usual_user));
  }
  return conf;
}

renew::AgentSpec agent_spec(const ManagedDomains& domains, const server_rec& base_server,
                            const std::string& store_path) {
  const ServerConf& base = *conf_of(&base_server);
  renew::AgentSpec spec;
  spec.store_path = store_path;
  for (const auto& domain : domains.domains()) {
    spec.domains.push_back({domain->identity, domain->names, domain->settings});
  }
  for (const auto& list : domains.lists()) {
    spec.lists.push_back({list->path, list->id, list->settings});
  }
  spec.reach = reachability(base);
  if (base_server.server_hostname != nullptr) spec.server_name = base_server.server_hostname;
  if (base.internal_ca_names) spec.permitted_internal_names = base.internal_ca_names->value;
  return spec;
}

}  // namespace tlsguard::httpd
