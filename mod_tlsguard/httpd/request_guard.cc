// SPDX-License-Identifier: Apache-2.0
#include "httpd/request_guard.h"

#include <atomic>

#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/negotiated.h"
#include "httpd/runtime.h"
#include "policy/names.h"

namespace tlsguard::httpd {

namespace {

int close_with(request_rec* r, int status) {
  r->connection->keepalive = AP_CONN_CLOSE;
  return status;
}

// Apart, so that a request to which nothing was done by a directory's SSLCipherSuite costs a look.
[[gnu::noinline]] int check_renegotiated(request_rec* r, const ConnState& state) noexcept {
  return guard("check_renegotiated", HTTP_FORBIDDEN, [&] {
    const SSL_CIPHER* current = SSL_get_current_cipher(state.ssl);
    if (current == state.handshake_cipher) return declined;
    ConnState renegotiated = state;
    renegotiated.handshake_cipher = current;
    renegotiated.cipher = current != nullptr ? SSL_CIPHER_get_protocol_id(current) : 0;
    const VirtualHost* asked = virtual_host_of(r->server);
    if (satisfies(renegotiated, *state.host()) &&
        (asked == nullptr || asked->engine != Engine::on || satisfies(renegotiated, *asked))) {
      return declined;
    }
    log_request(r, APLOG_ERR, "TG0041",
                "vhost={}: SSLCipherSuite of a directory led to {}, outside of policy {}: 403, "
                "and the connection is closed",
                state.host()->name, describe_negotiated(renegotiated), state.host()->policy_id);
    return close_with(r, HTTP_FORBIDDEN);
  });
}

}  // namespace

apr_table_t* make_environment(const ConnState& state) {
  const VirtualHost& host = *state.host();
  constexpr int room = 4;
  apr_table_t* environment = apr_table_make(state.connection->pool, room);
  auto add = [&](const char* name, const char* value) { apr_table_addn(environment, name, value); };
  auto name_of = [](std::optional<hello::Verdict> verdict) {
    return hello::verdict_name(verdict.value_or(hello::Verdict::ok)).data();
  };
  add("TLSGUARD_POLICY", host.policy_id.c_str());
  add("TLSGUARD_VERDICT", name_of(state.verdicts.get(live::Judge::in_force)));
  if (!host.report_policy_id.empty()) {
    add("TLSGUARD_REPORT_VERDICT", name_of(state.verdicts.get(live::Judge::report)));
  }
  if (const policy::Group* group = policy::find_group(state.group)) {
    add("TLSGUARD_GROUP", group->name);
  }
  return environment;
}

// 421 tells the client to use another connection for this host; this one goes on for the others.
int check_host(request_rec* r, ConnState& state) {
  const VirtualHost* asked = virtual_host_of(r->server);
  // Streams of HTTP/2 come here at the same time.
  std::atomic_ref<const VirtualHost*> satisfied(state.satisfied);
  if (asked == nullptr || asked == state.host() || asked->engine != Engine::on ||
      asked == satisfied.load(std::memory_order_relaxed)) {
    return declined;
  }
  if (asked->refuse_all || !satisfies(state, *asked)) {
    log_request(r, APLOG_INFO, "TG0040",
                "vhost={}: the connection was made for {} and has {}, outside of policy {}: 421",
                asked->name, state.host()->name, describe_negotiated(state), asked->policy_id);
    return HTTP_MISDIRECTED_REQUEST;
  }
  satisfied.store(asked, std::memory_order_relaxed);
  return declined;
}

int on_read_request(request_rec* r) noexcept {
  const ConnState* state = state_of(r->connection);
  // Not TLS, or (no ClientHello) plain HTTP sent to the TLS port, which mod_ssl answers.
  if (state == nullptr || !state->hello_seen) return declined;
  if (state->failed || !state->finished) return close_with(r, HTTP_FORBIDDEN);
  if (state->environment == nullptr) return declined;
  // Into an empty table, the usual one, they are copied as they are; else put in one by one.
  apr_table_t* variables = r->subprocess_env;
  unsigned how =
      apr_is_empty_table(variables) != 0 ? APR_OVERLAP_TABLES_ADD : APR_OVERLAP_TABLES_SET;
  apr_table_overlap(variables, state->environment, how);
  return declined;
}

int on_check_access(request_rec* r) noexcept {
  const ConnState* state = state_of(r->connection);
  if (state == nullptr || !state->may_renegotiate || state->host()->engine != Engine::on) {
    return declined;
  }
  return check_renegotiated(r, *state);
}

}  // namespace tlsguard::httpd
