// SPDX-License-Identifier: Apache-2.0
#include "httpd/web_hooks.h"

#include <openssl/ssl.h>

#include "core/dns_name.h"
#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"
#include "httpd/sites.h"
#include "web/forwarded.h"

namespace tlsguard::httpd {

namespace {

constexpr const char* hsts_field = "Strict-Transport-Security";

const Site* site_of(const server_rec* s) {
  const ServerConf* conf = conf_of(s);
  return conf != nullptr ? conf->site : nullptr;
}

// The TCP peer, not what mod_remoteip makes of it.
bool trusted_peer(const Site& site, const conn_rec* c) {
  if (site.trusted_proxies.empty()) return false;
  const conn_rec* connection = c->master != nullptr ? c->master : c;
  const apr_sockaddr_t* peer = connection->client_addr;
  auto address = web::IpAddress::from_bytes({static_cast<const std::uint8_t*>(peer->ipaddr_ptr),
                                             static_cast<std::size_t>(peer->ipaddr_len)});
  return address && web::contains(site.trusted_proxies, *address);
}

std::optional<std::string_view> field(const request_rec* r, const char* name) {
  const char* value = apr_table_get(r->headers_in, name);
  return value != nullptr ? std::optional<std::string_view>(value) : std::nullopt;
}

web::ForwardedScheme forwarded(const request_rec* r) {
  return web::forwarded_scheme(field(r, "X-Forwarded-Proto"), field(r, "Forwarded"));
}

bool came_secure(const request_rec* r, const Site& site) {
  bool tls = ap_ssl_conn_is_ssl(r->connection->master != nullptr ? r->connection->master
                                                                 : r->connection) != 0;
  if (site.trusted_proxies.empty()) return tls;
  bool trusted = trusted_peer(site, r->connection);
  return web::came_secure(tls, trusted, trusted ? forwarded(r) : web::ForwardedScheme::absent);
}

// A request that named no host is answered by the default virtual host; what counts for HSTS is
// the one the client asked TLS for.
const Site* hsts_site(const request_rec* r) {
  if (r->hostname == nullptr) {
    const ConnState* state = state_of(r->connection);
    if (state != nullptr && state->host() != nullptr) return site_of(state->host()->server);
  }
  return site_of(r->server);
}

void apply_hsts(request_rec* r) {
  const Site* site = hsts_site(r);
  if (site == nullptr || !site->hsts_values.enabled()) return;
  bool ip = r->hostname != nullptr && is_ip_literal(r->hostname);
  auto decision = web::decide_hsts(site->hsts_values, site->reached(), came_secure(r, *site), ip);
  if (decision.action == web::HstsAction::leave) return;
  apr_table_unset(r->err_headers_out, hsts_field);
  if (decision.action == web::HstsAction::set) {
    apr_table_setn(r->headers_out, hsts_field, decision.value);
  } else {
    apr_table_unset(r->headers_out, hsts_field);
  }
}

// AP_FTYPE_PROTOCOL: after every content filter, just before the header filter writes the fields.
// An error response that a later filter makes starts with another status: then again.
extern "C" apr_status_t on_hsts_output(ap_filter_t* f, apr_bucket_brigade* bb) noexcept {
  guard("on_hsts_output", [&] {
    auto status = static_cast<std::uintptr_t>(f->r->status);
    if (reinterpret_cast<std::uintptr_t>(f->ctx) != status) {
      apply_hsts(f->r);
      f->ctx = reinterpret_cast<void*>(status);
    }
  });
  return ap_pass_brigade(f->next, bb);
}

// Where the request named no host, that of the virtual host which answers.
const char* host_of(const request_rec* r) {
  if (r->hostname != nullptr) return r->hostname;
  return r->server->server_hostname != nullptr ? r->server->server_hostname : "";
}

// Nothing but a placeholder is served under this name: a redirect would lead to an error.
bool has_placeholder(const Runtime& runtime, const RequiredName& name, const char* host) {
  if (runtime.live == nullptr || name.site == nullptr || name.site->host == nullptr) return false;
  const ManagedHost& managed = name.site->host->managed;
  return managed.fully && runtime.live->choose(managed, runtime.domains, host, "") == nullptr;
}

web::ClearRequest clear_request(const request_rec* r, const Site& site,
                                const std::optional<RequiredName>& name,
                                web::RequireHttps setting) {
  web::ClearRequest clear;
  clear.setting = setting;
  clear.method = r->method;
  clear.host = host_of(r);
  clear.target = r->unparsed_uri != nullptr ? r->unparsed_uri : "/";
  clear.port = name ? name->port : 443;
  clear.tls_host_exists = name.has_value();
  clear.trusted_proxy = !site.trusted_proxies.empty();
  clear.plain_wanted = apr_table_get(r->subprocess_env, "tlsguard-plain") != nullptr;
  return clear;
}

// The peer says that TLS ended in front of us, and nobody told us to believe it: the redirect will
// come back to it for ever.
void warn_of_loop(const request_rec* r, const Site& site) {
  if (forwarded(r) != web::ForwardedScheme::https || !site.runtime->loop_warning->raise()) return;
  log_request(r, APLOG_WARNING, "TG0050",
              "vhost={}: {} says that its client came over https, but it is no "
              "TLSGuardTrustedProxy; redirecting its requests will loop",
              host_of(r), r->connection->client_ip);
}

int carry_out(request_rec* r, const Site& site, const web::ClearDecision& decision) {
  if (const auto* redirect = std::get_if<web::Redirect>(&decision)) {
    warn_of_loop(r, site);
    apr_table_setn(r->headers_out, "Location", apr_pstrdup(r->pool, redirect->location.c_str()));
    return redirect->status;
  }
  if (std::holds_alternative<web::Refuse>(decision)) {
    apr_table_setn(r->err_headers_out, "Cache-Control", web::Refuse::cache_control);
    r->connection->keepalive = AP_CONN_CLOSE;
    return web::Refuse::status;
  }
  return declined;
}

}  // namespace

void register_hsts_filter() {
  ap_register_output_filter(hsts_filter_name, on_hsts_output, nullptr, AP_FTYPE_PROTOCOL);
}

int on_create_request(request_rec* r) noexcept {
  return guard("on_create_request", HTTP_INTERNAL_SERVER_ERROR, [&] {
    if (r->main != nullptr || r->prev != nullptr) return declined;
    const Site* site = site_of(r->server);
    // The virtual host is not known yet; where no server has HSTS there is nothing to do.
    if (site == nullptr || !site->runtime->any_hsts) return declined;
    ap_add_output_filter_handle(site->runtime->hsts_filter, nullptr, r, r->connection);
    return ok;
  });
}

int check_clear(request_rec* r, const ServerConf& conf) {
  const Site* site = conf.site;
  if (site == nullptr || !site->runtime->names.any_required) return declined;
  if (came_secure(r, *site)) return declined;
  std::optional<RequiredName> name = required_of(*site->runtime, host_of(r));
  web::RequireHttps setting = site->require_https;
  if (name) setting = web::stricter(setting, name->setting);
  if (setting == web::RequireHttps::off) return declined;
  if (setting != web::RequireHttps::refuse && name &&
      has_placeholder(*site->runtime, *name, host_of(r))) {
    return declined;
  }
  return carry_out(r, *site, web::decide_clear(clear_request(r, *site, name, setting)));
}

}  // namespace tlsguard::httpd
