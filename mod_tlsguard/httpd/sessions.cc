// SPDX-License-Identifier: Apache-2.0
#include "httpd/sessions.h"

#include <cstring>

#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

// Virtual hosts that enforce take sessions of their own settings only; the others take what
// mod_ssl takes.
bool may_resume(const ConnState* state, SSL_SESSION* session) {
  if (state == nullptr) return true;  // nothing is judged or enforced
  if (state->target == nullptr || state->failed) return false;
  const VirtualHost& host = *state->target->host;
  if (host.engine != Engine::on) return true;
  void* data = nullptr;
  std::size_t length = 0;
  const auto& tag = host.plan->session_tag;
  return SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 && length == tag.size() &&
         std::memcmp(data, tag.data(), tag.size()) == 0;
}

extern "C" SSL_TICKET_RETURN on_decrypt_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*,
                                               size_t, SSL_TICKET_STATUS status, void*) noexcept {
  return guard("on_decrypt_ticket", SSL_TICKET_RETURN_IGNORE_RENEW, [&]() -> SSL_TICKET_RETURN {
    if (status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW) {
      if (!may_resume(state_of(ssl), session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
      return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
    }
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  });
}

extern "C" SSL_SESSION* on_get_session(SSL* ssl, const unsigned char* id, int length,
                                       int* copy) noexcept {
  return guard("on_get_session", static_cast<SSL_SESSION*>(nullptr), [&]() -> SSL_SESSION* {
    const auto* c = static_cast<const conn_rec*>(SSL_get_app_data(ssl));
    const VirtualHost* host = c != nullptr ? virtual_host_of(c->base_server) : nullptr;
    if (host == nullptr || host->runtime->ssl_get_session == nullptr) return nullptr;
    SSL_SESSION* session = host->runtime->ssl_get_session(ssl, id, length, copy);
    if (session == nullptr || may_resume(state_of(ssl), session)) return session;
    if (*copy == 0) SSL_SESSION_free(session);
    return nullptr;
  });
}

}  // namespace

void tag_session(SSL* ssl, const ConnState& state) {
  if (state.target == nullptr || state.target->host->engine != Engine::on) return;
  const auto& tag = state.target->host->plan->session_tag;
  SSL_SESSION* session = SSL_get_session(ssl);
  if (session != nullptr) SSL_SESSION_set1_ticket_appdata(session, tag.data(), tag.size());
}

void guard_sessions(SSL_CTX* ctx, Runtime& runtime) {
  SSL_CTX_set_session_ticket_cb(ctx, nullptr, on_decrypt_ticket, nullptr);
  SessionGetCallback current = SSL_CTX_sess_get_get_cb(ctx);
  if (current == nullptr || current == on_get_session) return;  // SSLSessionCache none
  runtime.ssl_get_session = current;
  SSL_CTX_sess_set_get_cb(ctx, on_get_session);
}

}  // namespace tlsguard::httpd
