// SPDX-License-Identifier: Apache-2.0
#include "httpd/address_index.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/includes.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

ProtocolSet own_protocols(const VirtualHost& host) { return host.plan->own.protocols; }

Protocol lowest_or(ProtocolSet set, Protocol otherwise) {
  return set.empty() ? otherwise : set.lowest();
}

Protocol highest_or(ProtocolSet set, Protocol otherwise) {
  return set.empty() ? otherwise : set.highest();
}

}  // namespace

Target make_target(const VirtualHost* host, const VirtualHost* default_host) {
  Target target;
  target.host = host;
  target.default_host = default_host;
  ProtocolSet reachable = own_protocols(*default_host);
  ProtocolSet allowed = host->engine == Engine::on ? host->plan->in_force().protocols : reachable;
  target.min =
      std::max(lowest_or(reachable, Protocol::tls1_3), lowest_or(allowed, Protocol::tls1_3));
  target.max =
      std::min(highest_or(reachable, Protocol::tls1_0), highest_or(allowed, Protocol::tls1_0));
  for (std::size_t i = 0; i < live::judge_count; ++i) {
    const SettingsPtr& settings = host->plan->judged[i];
    target.judged[i] = settings.get();
    if (!settings || host->protocol_set) continue;
    ProtocolSet narrowed = settings->protocols & reachable;
    if (narrowed == settings->protocols) continue;
    auto copy = std::make_shared<hello::ServerSettings>(*settings);
    copy->protocols = narrowed;
    target.judged[i] = copy.get();
    target.own_judged[i] = std::move(copy);
  }
  return target;
}

AddressIndex::AddressIndex(const VirtualHost* default_host)
    : default_(make_target(default_host, default_host)) {}

void AddressIndex::add(const server_rec* s, const VirtualHost* host) {
  const VirtualHost* serving = host != nullptr ? host : default_.host;
  targets_.push_back(std::make_unique<Target>(make_target(serving, default_.host)));
  const Target* target = targets_.back().get();
  auto each = [](const apr_array_header_t* names, auto&& use) {
    if (names == nullptr) return;
    for (int i = 0; i < names->nelts; ++i) {
      const char* name = APR_ARRAY_IDX(names, i, const char*);
      if (name != nullptr) use(name);
    }
  };
  if (s->server_hostname != nullptr) names_.add_name(s->server_hostname, target);
  each(s->names, [&](const char* name) { names_.add_name(name, target); });
  each(s->wild_names, [&](const char* name) { names_.add_pattern(name, target); });
}

const Target* AddressIndex::find(std::string_view server_name) const {
  const Target* const* found = names_.find(server_name);
  return found != nullptr ? *found : nullptr;
}

std::vector<const VirtualHost*> AddressIndex::hosts() const {
  std::vector<const VirtualHost*> hosts{default_.host};
  std::set<const VirtualHost*> seen{default_.host};
  for (const auto& target : targets_) {
    if (seen.insert(target->host).second) hosts.push_back(target->host);
  }
  return hosts;
}

namespace {

extern "C" int collect_server(void* baton, conn_rec*, server_rec* s) noexcept {
  return guard("collect_server", 0, [&] {
    static_cast<std::vector<server_rec*>*>(baton)->push_back(s);
    return 0;  // go on
  });
}

}  // namespace

#ifdef TLSGUARD_SANITIZED

namespace {

struct Walk {
  std::string name;
  const server_rec* found = nullptr;
};

bool in_list(const apr_array_header_t* list, const char* name, bool patterns) {
  for (int i = 0; list != nullptr && i < list->nelts; ++i) {
    const char* entry = APR_ARRAY_IDX(list, i, const char*);
    if (entry == nullptr) continue;
    if ((patterns ? ap_strcasecmp_match(name, entry) : strcasecmp(name, entry)) == 0) return true;
  }
  return false;
}

extern "C" int walk_one(void* baton, conn_rec*, server_rec* s) noexcept {
  auto* walk = static_cast<Walk*>(baton);
  const char* name = walk->name.c_str();
  bool match = (s->server_hostname != nullptr && strcasecmp(name, s->server_hostname) == 0) ||
               in_list(s->names, name, false) || in_list(s->wild_names, name, true);
  if (match) walk->found = s;
  return match ? 1 : 0;
}

}  // namespace

void check_against_walk(conn_rec* c, std::string_view server_name, const AddressIndex& index) {
  Walk walk{std::string(server_name)};
  ap_vhost_iterate_given_conn(c, walk_one, &walk);
  const Target* target = index.find(server_name);
  const VirtualHost* expected = nullptr;
  if (walk.found != nullptr) {
    expected = virtual_host_of(walk.found);
    if (expected == nullptr) expected = index.default_target().host;
  }
  if ((target != nullptr ? target->host : nullptr) != expected) std::abort();
}

#endif

AddressIndexes::Key AddressIndexes::key_of(const conn_rec* c) {
  return {c->vhost_lookup_data, c->base_server, c->local_addr->port};
}

void AddressIndexes::add(conn_rec* probe) {
  ap_update_vhost_given_ip(probe);
  const VirtualHost* default_host = virtual_host_of(probe->base_server);
  Key key = key_of(probe);
  if (default_host == nullptr || by_key_.contains(key)) return;
  auto index = std::make_unique<AddressIndex>(default_host);
  std::vector<server_rec*> servers;
  ap_vhost_iterate_given_conn(probe, collect_server, &servers);
  for (const server_rec* s : servers) index->add(s, virtual_host_of(s));
  by_key_.emplace(key, index.get());
  indexes_.push_back(std::move(index));
}

void AddressIndexes::build(server_rec* base, apr_pool_t* temporary) {
  std::set<apr_port_t> listened;
  for (ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    if (l->bind_addr != nullptr) listened.insert(l->bind_addr->port);
  }
  auto probe = [&](const apr_sockaddr_t* address, apr_port_t port) {
    auto* c = static_cast<conn_rec*>(apr_pcalloc(temporary, sizeof(conn_rec)));
    apr_sockaddr_t* local = nullptr;
    if (apr_sockaddr_info_copy(&local, address, temporary) != APR_SUCCESS) return;
    local->port = port;
    c->base_server = base;
    c->local_addr = local;
    add(c);
  };
  for (server_rec* s = base; s != nullptr; s = s->next) {
    for (server_addr_rec* a = s->addrs; a != nullptr; a = a->next) {
      if (a->host_addr == nullptr) continue;
      if (a->host_port != 0) {
        probe(a->host_addr, a->host_port);
      } else {
        for (apr_port_t port : listened) probe(a->host_addr, port);
      }
    }
  }
  // Addresses that no virtual host is written for fall to the base server.
  for (ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
    if (l->bind_addr != nullptr) probe(l->bind_addr, l->bind_addr->port);
  }
}

const AddressIndex* AddressIndexes::find(const conn_rec* c) const {
  auto found = by_key_.find(key_of(c));
  return found != by_key_.end() ? found->second : nullptr;
}

}  // namespace tlsguard::httpd
