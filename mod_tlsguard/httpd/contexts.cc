// SPDX-License-Identifier: Apache-2.0
#include "httpd/contexts.h"

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "httpd/certificates.h"
#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"
#include "httpd/sessions.h"
#include "httpd/virtual_hosts.h"
#include "policy/context.h"

namespace tlsguard::httpd {

namespace {

// Nothing may get through on a context that did not take the policy.
void shut(VirtualHost& host, const std::string& why) {
  host.refuse_all = true;
  log_server(host.server, APLOG_CRIT, "TG0012",
             "vhost={}: policy {} could not be put in force, all its handshakes are refused: {}",
             host.name, host.policy_id, why);
}

// Reads back what OpenSSL makes of it.
Result<FirstContext> tighten_first(SSL_CTX* ctx, const Plan& plan) {
  FirstContext first;
  first.before = policy::outline_of(ctx);
  auto before = policy::read_back(ctx);
  if (!before) return tl::unexpected(before.error());
  before->keys = plan.key.keys;
  auto outcome = policy::tighten(ctx, *before, plan.key.policy, plan.key.directives);
  if (!outcome) return tl::unexpected(outcome.error());
  first.after = policy::outline_of(ctx);
  first.settings = std::move(outcome->settings);
  return first;
}

// Contexts that looked alike before, and had the same done to them, have to look alike after.
Result<void> tighten_next(SSL_CTX* ctx, const Plan& plan, const FirstContext& first) {
  auto set = policy::tighten_likewise(ctx, first.settings, plan.key.policy);
  if (set && policy::outline_of(ctx) != first.after) {
    return fail(
        "OpenSSL made something else of it than for another virtual host with the same "
        "configuration");
  }
  return set;
}

void compare(const VirtualHost& host, const hello::ServerSettings& settings) {
  if (settings == host.plan->in_force()) return;
  log_server(host.server, APLOG_WARNING, "TG0013",
             "vhost={}: what is in force differs from what the configuration says; openssl.cnf or "
             "another module has a part in it",
             host.name);
}

void enforce(VirtualHost& host, SSL_CTX* ctx) {
  const Plan& plan = *host.plan;
  auto& known = host.runtime->first_contexts;
  auto first = known.find(&plan);
  // Virtual hosts of one plan have the same configuration, down to the certificates' keys. One that
  // all the same looks different (another module?) is a first one again.
  if (first != known.end() && policy::outline_of(ctx) == first->second.before) {
    auto set = tighten_next(ctx, plan, first->second);
    if (!set) return shut(host, set.error().text);
    return compare(host, first->second.settings);
  }
  auto tightened = tighten_first(ctx, plan);
  if (!tightened) return shut(host, tightened.error().text);
  compare(host, tightened->settings);
  known.insert_or_assign(&plan, std::move(*tightened));
}

std::int64_t unix_seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// mod_ssl keeps one certificate a key type; the first to expire counts.
void read_validity(VirtualHost& host, SSL_CTX* ctx) {
  for (long more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
    const X509* certificate = SSL_CTX_get0_certificate(ctx);
    if (certificate == nullptr) continue;
    host.not_before = std::max(host.not_before, unix_seconds(X509_get0_notBefore(certificate)));
    host.not_after = std::min(host.not_after, unix_seconds(X509_get0_notAfter(certificate)));
  }
  SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST);
}

}  // namespace

int on_init_server(server_rec* s, apr_pool_t*, int is_proxy, SSL_CTX* ctx) noexcept {
  return guard("on_init_server", HTTP_INTERNAL_SERVER_ERROR, [&] {
    const VirtualHost* found = is_proxy == 0 ? virtual_host_of(s) : nullptr;
    if (found == nullptr) return declined;
    VirtualHost& host = *found->runtime->virtual_hosts[found->position];
    // A placeholder says nothing about what will be served.
    if (!host.managed.fully) {
      read_validity(host, ctx);
      if (auto keys = policy::keys_of(ctx); keys != host.plan->key.keys) {
        plan_again(host, std::move(keys));
      }
    }
    if (host.runtime->domains.any()) SSL_CTX_set_cert_cb(ctx, on_certificate, nullptr);
    if (host.engine == Engine::on) enforce(host, ctx);
    if (host.runtime->enforcing) guard_sessions(ctx, *host.runtime);
    if (host.strict_sni && host.is_default && host.engine == Engine::on) {
      // SSL_CTX_set_tlsext_servername_callback, without its C cast.
      SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                            reinterpret_cast<void (*)()>(on_server_name));
    }
    return ok;
  });
}

}  // namespace tlsguard::httpd
