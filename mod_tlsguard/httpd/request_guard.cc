// SPDX-License-Identifier: Apache-2.0
#include "httpd/request_guard.h"

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

void set_environment(request_rec* r, const ConnState& state) {
  if (state.environment == nullptr) return;
  if (apr_is_empty_table(r->subprocess_env)) {
    r->subprocess_env = apr_table_copy(r->pool, state.environment);
  } else {
    r->subprocess_env = apr_table_overlay(r->pool, state.environment, r->subprocess_env);
  }
}

}  // namespace

apr_table_t* make_environment(const conn_rec* c, const ConnState& state) {
  const VirtualHost& host = *state.host();
  constexpr int room = 16;  // copies have as much, and other modules add to them
  apr_table_t* environment = apr_table_make(c->pool, room);
  auto add = [&](const char* name, const char* value) { apr_table_addn(environment, name, value); };
  auto name_of = [](std::optional<hello::Verdict> verdict) {
    return hello::verdict_name(verdict.value_or(hello::Verdict::ok)).data();
  };
  add("TLSGUARD_POLICY", host.policy_id.c_str());
  add("TLSGUARD_VERDICT", name_of(state.verdicts.get(live::Judge::in_force)));
  if (!host.report_policy_id.empty()) {
    add("TLSGUARD_REPORT_VERDICT", name_of(state.verdicts.get(live::Judge::report)));
  }
  if (state.group_name != nullptr) add("TLSGUARD_GROUP", state.group_name);
  return environment;
}

// 421 tells the client to use another connection for this host; this one goes on for the others.
int check_host(request_rec* r, ConnState& state) {
  const VirtualHost* asked = virtual_host_of(r->server);
  if (asked == nullptr || asked == state.host() || asked == state.satisfied ||
      asked->engine != Engine::on) {
    return declined;
  }
  if (asked->refuse_all || !satisfies(state, *asked)) {
    log_request(r, APLOG_INFO, "TG0040",
                "vhost={}: the connection was made for {} and has {}, outside of policy {}: 421",
                asked->name, state.host()->name, describe_negotiated(state), asked->policy_id);
    return HTTP_MISDIRECTED_REQUEST;
  }
  state.satisfied = asked;
  return declined;
}

int on_read_request(request_rec* r) noexcept {
  return guard("on_read_request", HTTP_INTERNAL_SERVER_ERROR, [&] {
    ConnState* state = state_of(r->connection);
    // Not TLS, or (no ClientHello) plain HTTP sent to the TLS port, which mod_ssl answers.
    if (state == nullptr || !state->hello_seen) return declined;
    if (state->failed || !state->finished) return close_with(r, HTTP_FORBIDDEN);
    set_environment(r, *state);
    return declined;
  });
}

int on_check_access(request_rec* r) noexcept {
  const ConnState* state = state_of(r->connection);
  if (state == nullptr || !state->may_renegotiate || state->host()->engine != Engine::on) {
    return declined;
  }
  return guard("on_check_access", HTTP_FORBIDDEN, [&] {
    const SSL_CIPHER* current = SSL_get_current_cipher(state->ssl);
    if (current == state->handshake_cipher) return declined;
    ConnState renegotiated = *state;
    renegotiated.handshake_cipher = current;
    renegotiated.cipher = current != nullptr ? SSL_CIPHER_get_protocol_id(current) : 0;
    const VirtualHost* asked = virtual_host_of(r->server);
    if (satisfies(renegotiated, *state->host()) &&
        (asked == nullptr || asked->engine != Engine::on || satisfies(renegotiated, *asked))) {
      return declined;
    }
    log_request(r, APLOG_ERR, "TG0041",
                "vhost={}: SSLCipherSuite of a directory led to {}, outside of policy {}: 403, "
                "and the connection is closed",
                state->host()->name, describe_negotiated(renegotiated), state->host()->policy_id);
    return close_with(r, HTTP_FORBIDDEN);
  });
}

}  // namespace tlsguard::httpd
