// SPDX-License-Identifier: Apache-2.0
#include "httpd/sessions.h"

#include <array>
#include <cstring>
#include <optional>

#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

// What a session carries. Virtual hosts that do not enforce leave the settings zero, which no
// digest is.
struct SessionTag {
  std::array<unsigned char, 16> settings{};
  std::array<unsigned char, 2> group{};      // big-endian
  std::array<unsigned char, 2> signature{};  // big-endian
};
static_assert(sizeof(SessionTag) == 20);

std::array<unsigned char, 2> to_bytes(std::uint16_t value) {
  return {static_cast<unsigned char>(value >> 8), static_cast<unsigned char>(value & 0xff)};
}

std::uint16_t from_bytes(const std::array<unsigned char, 2>& bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

std::optional<SessionTag> tag_of(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t length = 0;
  SessionTag tag;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &length) != 1 || length != sizeof tag) {
    return std::nullopt;
  }
  std::memcpy(&tag, data, sizeof tag);
  return tag;
}

// Virtual hosts that enforce take sessions of their own settings only; the others take what
// mod_ssl takes.
bool may_resume(const ConnState* state, SSL_SESSION* session) {
  if (state == nullptr) return true;  // nothing is judged or enforced
  if (state->target == nullptr || state->failed) return false;
  const VirtualHost& host = *state->target->host;
  if (host.engine != Engine::on) return true;
  auto tag = tag_of(session);
  return tag && tag->settings == host.plan->session_tag;
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
  SSL_SESSION* session = SSL_get_session(ssl);
  if (session == nullptr || state.target == nullptr) return;
  const VirtualHost& host = *state.target->host;
  if (!host.runtime->enforcing) return;
  SessionTag tag;
  if (host.engine == Engine::on) tag.settings = host.plan->session_tag;
  tag.group = to_bytes(state.group);
  tag.signature = to_bytes(state.signature);
  SSL_SESSION_set1_ticket_appdata(session, &tag, sizeof tag);
}

void read_session(SSL* ssl, ConnState& state) {
  SSL_SESSION* session = SSL_get_session(ssl);
  auto tag = session != nullptr ? tag_of(session) : std::nullopt;
  state.signature = tag ? from_bytes(tag->signature) : unknown_code_point;
  if (state.group == 0) state.group = tag ? from_bytes(tag->group) : unknown_code_point;
}

void guard_sessions(SSL_CTX* ctx, Runtime& runtime) {
  SSL_CTX_set_session_ticket_cb(ctx, nullptr, on_decrypt_ticket, nullptr);
  SessionGetCallback current = SSL_CTX_sess_get_get_cb(ctx);
  if (current == nullptr || current == on_get_session) return;  // SSLSessionCache none
  runtime.ssl_get_session = current;
  SSL_CTX_sess_set_get_cb(ctx, on_get_session);
}

}  // namespace tlsguard::httpd
