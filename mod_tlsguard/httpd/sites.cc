// SPDX-License-Identifier: Apache-2.0
#include "httpd/sites.h"

#include <fmt/format.h>

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

void add_names(Names& names, const server_rec* s, const ServerConf& conf) {
  RequiredName asked{conf.require_https ? conf.require_https->value : web::RequireHttps::off,
                     outside_port(s, conf)};
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
