// SPDX-License-Identifier: Apache-2.0
#include "httpd/sites.h"

#include <fmt/format.h>

#include <map>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "web/port_map.h"

namespace tlsguard::httpd {

namespace {

// The port of the outside under which a TLS virtual host is reached.
std::uint16_t outside_port(const server_rec* s, const ServerConf& conf) {
  std::optional<std::uint16_t> written;
  if (conf.server_name_port) written = conf.server_name_port->value;
  std::uint16_t own = s->addrs != nullptr ? s->addrs->host_port : std::uint16_t{0};
  if (own == 0) own = 443;
  return web::redirect_port(written, own, conf.port_map ? conf.port_map->value : web::PortMap{});
}

RequiredName required_by(const Site* site, const server_rec* s, const ServerConf& conf) {
  return {conf.require_https ? conf.require_https->value : web::RequireHttps::off,
          outside_port(s, conf), site};
}

std::optional<RequiredName> required_by_all(const Names& names, std::string_view host) {
  std::optional<RequiredName> all;
  bool port_is_exact = false;
  names.table.each(host, [&](const RequiredName& one, bool exact) {
    if (!all) all = one;
    all->setting = web::stricter(all->setting, one.setting);
    if (exact || (!port_is_exact && one.port == 443)) all->port = one.port;
    port_is_exact = port_is_exact || exact;
  });
  return all;
}

std::optional<RequiredName> required_by_list(const Runtime& runtime, std::string_view host) {
  for (const RequiredName& listing : runtime.names.of_lists) {
    if (runtime.live->lists_name(listing.site->host->managed, host)) return listing;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Site> make_site(const Runtime& runtime, const server_rec* s, const ServerConf& conf,
                                Complaints& complaints) {
  auto site = std::make_unique<Site>();
  site->runtime = &runtime;
  if (conf.hsts) site->hsts = conf.hsts->value;
  if (conf.hsts_ramp) {
    site->ramp_steps = conf.hsts_ramp->value;
    if (!site->hsts.enabled) {
      complaints.warning(
          conf.hsts_ramp->place,
          fmt::format("TLSGuardHSTSRamp: without TLSGuardHSTS for {} it does nothing",
                      s->server_hostname != nullptr ? s->server_hostname : "it"));
    }
  }
  site->hsts_values = web::HstsValues(site->hsts, site->ramp_steps);
  if (conf.require_https) site->require_https = conf.require_https->value;
  if (conf.trusted_proxies) site->trusted_proxies = conf.trusted_proxies->value;
  return site;
}

void compare_ramps(server_rec* base, Complaints& complaints) {
  std::map<std::string, const server_rec*> with_ramp;
  for (const server_rec* s = base; s != nullptr; s = s->next) {
    const Site& site = *conf_of(s)->site;
    if (site.host != nullptr && site.hsts.enabled && !site.ramp_steps.empty() &&
        s->server_hostname != nullptr) {
      with_ramp.try_emplace(to_lower(s->server_hostname), s);
    }
  }
  for (const server_rec* s = base; s != nullptr; s = s->next) {
    const ServerConf& conf = *conf_of(s);
    if (conf.site->host == nullptr || !conf.site->hsts.enabled || s->server_hostname == nullptr) {
      continue;
    }
    auto found = with_ramp.find(to_lower(s->server_hostname));
    if (found == with_ramp.end() || found->second == s) continue;
    const ServerConf& other = *conf_of(found->second);
    if (conf.site->hsts == other.site->hsts && conf.site->ramp_steps == other.site->ramp_steps) {
      continue;
    }
    complaints.warning(
        conf.hsts_ramp ? conf.hsts_ramp->place : conf.hsts->place,
        fmt::format("TLSGuardHSTSRamp: another virtual host of {} has another TLSGuardHSTS or "
                    "ramp ({}); browsers keep what they saw last, so write the same for both",
                    s->server_hostname, other.hsts_ramp->place.text()));
  }
}

void add_lists(Names& names, const Site& site, const server_rec* s, const ServerConf& conf) {
  names.of_lists.push_back(required_by(&site, s, conf));
}

std::optional<RequiredName> required_of(const Runtime& runtime, std::string_view host) {
  std::optional<RequiredName> all = required_by_all(runtime.names, host);
  if (runtime.live == nullptr) return all;
  if (const RequiredName* first = runtime.names.table.find(host)) {
    all->site = first->site;
  } else {
    all = required_by_list(runtime, host);
  }
  const ManagedDomain* domain = all ? runtime.domains.find(host) : nullptr;
  if (domain != nullptr) all->setting = web::stricter(all->setting, domain->require_https);
  return all;
}

void add_names(Names& names, const server_rec* s, const ServerConf& conf) {
  RequiredName asked = required_by(conf.site, s, conf);
  if (asked.setting != web::RequireHttps::off) names.any_required = true;
  auto enter = [&](RequiredName& entry) {
    // Another virtual host has the name, too: the stricter counts, and the usual port.
    entry.setting = web::stricter(entry.setting, asked.setting);
    if (asked.port == 443) entry.port = 443;
  };
  if (s->server_hostname != nullptr) enter(names.table.add_name(s->server_hostname, asked));
  auto each = [](const apr_array_header_t* list, auto&& use) {
    if (list == nullptr) return;
    for (int i = 0; i < list->nelts; ++i) {
      const char* name = APR_ARRAY_IDX(list, i, const char*);
      if (name != nullptr) use(name);
    }
  };
  each(s->names, [&](const char* name) { enter(names.table.add_name(name, asked)); });
  each(s->wild_names, [&](const char* name) { enter(names.table.add_pattern(name, asked)); });
}

}  // namespace tlsguard::httpd
