// SPDX-License-Identifier: Apache-2.0
#include "httpd/connection.h"

#include <algorithm>

#include "hello/fingerprint.h"
#include "hello/server_hello.h"
#include "httpd/certificates.h"
#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/negotiated.h"
#include "httpd/pool.h"
#include "httpd/request_guard.h"
#include "httpd/runtime.h"
#include "httpd/sessions.h"

namespace tlsguard::httpd {

namespace {

bool holds(const std::vector<hello::Cipher>& ciphers, std::uint16_t id) {
  return std::any_of(ciphers.begin(), ciphers.end(),
                     [&](const hello::Cipher& cipher) { return cipher.id == id; });
}

const Target* find_target(ConnState& state, const hello::ClientHello& hello) {
  if (hello.server_name) {
#ifdef TLSGUARD_SANITIZED
    check_against_walk(state.connection, *hello.server_name, *state.index);
#endif
    if (const Target* found = state.index->find(*hello.server_name)) {
      state.server_name = ServerName::known;
      return found;
    }
    state.server_name = ServerName::unknown;
    const ManagedHost& managed = state.index->default_target().host->managed;
    if (state.shown != nullptr && state.runtime->live->lists_name(managed, *hello.server_name)) {
      state.server_name = ServerName::known;
    }
  }
  return &state.index->default_target();
}

// TLSGuardStrictSNI, or not for this connection: a CA's challenge passes, and whoever asks for an
// IP address names none (RFC 6066 3).
bool refused_for_name(const ConnState& state) {
  const VirtualHost& host = *state.target->default_host;
  if (!host.strict_sni || state.server_name == ServerName::known || state.is_challenge()) {
    return false;
  }
  return state.server_name != ServerName::missing || !host.managed.has_address;
}

// The plan's, or, where a managed certificate is shown, those with its keys.
const JudgedSettings& judged_settings(const ConnState& state) {
  const Target& target = *state.target;
  if (state.shown == nullptr || state.shown->live == nullptr) return target.judged;
  return target.by_keys->get(target.judged, state.shown->live->keys);
}

void judge(ConnState& state, const hello::ClientHello& hello) {
  const Runtime& runtime = *state.runtime;
  std::uint64_t fingerprint = hello::fingerprint(hello, runtime.seed);
  const JudgedSettings& judged = judged_settings(state);
  auto settings_id = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&judged) >> 4);
  if (auto known = runtime.verdict_cache->find(fingerprint, settings_id)) {
    state.verdicts = *known;
  } else {
    for (live::Judge judge : live::all_judges) {
      const hello::ServerSettings* settings = judged[static_cast<std::size_t>(judge)];
      if (settings != nullptr) state.verdicts.set(judge, hello::judge(hello, *settings));
    }
    runtime.verdict_cache->put(fingerprint, settings_id, state.verdicts);
  }
  // What the host itself demands of the name comes first: OpenSSL sends alert 112 before it
  // chooses a cipher. A version nobody shares is refused earlier still.
  if (refused_for_name(state) &&
      state.verdicts.get(live::Judge::in_force) != hello::Verdict::protocol) {
    state.verdicts.set(live::Judge::in_force, hello::Verdict::sni);
  }
  count_offer(state, hello, fingerprint);
  runtime.handshake_log->judged(state, hello);
}

// Sets on this SSL what must not be left to its SSL_CTX (DESIGN: "The handshake").
bool narrow(SSL* ssl, const Target& target) {
  const VirtualHost& host = *target.host;
  if (target.host != target.default_host &&
      (SSL_set_min_proto_version(ssl, static_cast<int>(target.min)) != 1 ||
       SSL_set_max_proto_version(ssl, static_cast<int>(target.max)) != 1)) {
    return false;
  }
  if (host.engine != Engine::on) return true;
  if (host.refuse_all) return false;
  const hello::ServerSettings& settings = host.plan->in_force();
  // mod_ssl only ever adds options when it switches virtual hosts.
  if (settings.server_preference) {
    SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  } else {
    SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  const std::vector<int>& nids = host.plan->group_nids;
  if (nids.empty()) return SSL_set1_groups_list(ssl, host.plan->groups_list.c_str()) == 1;
  // The macro takes a pointer to non-const, but copies.
  return SSL_set1_groups(ssl, const_cast<int*>(nids.data()), static_cast<long>(nids.size())) == 1;
}

void on_client_hello(ConnState& state, SSL* ssl, hello::Bytes message, bool version2) {
  state.hello_seen = true;
  state.failed = true;  // until all of this is done
  auto hello = hello::parse_client_hello(message, version2);
  if (!hello) return;  // OpenSSL refuses it, too, with its own alert
  state.target = find_target(state, *hello);
  if (state.shown != nullptr) choose_certificate(state, *hello);
  const VirtualHost& host = *state.target->host;
  if (host.engine != Engine::off) judge(state, *hello);
  state.refuse_sni = state.target->default_host->engine == Engine::on && refused_for_name(state);
  state.failed = !narrow(ssl, *state.target);
}

void on_server_hello(ConnState& state, hello::Bytes body) {
  if (auto answer = hello::parse_server_hello(body); answer && answer->group != 0) {
    state.group = answer->group;
  }
}

// TLS 1.2 and below, in full handshakes.
void on_server_key_exchange(ConnState& state, SSL* ssl, hello::Bytes body) {
  constexpr int tls12 = static_cast<int>(Protocol::tls1_2);
  bool dhe = SSL_CIPHER_get_kx_nid(SSL_get_pending_cipher(ssl)) == NID_kx_dhe;
  auto exchange =
      hello::parse_server_key_exchange(body, static_cast<std::uint16_t>(SSL_version(ssl)), dhe);
  if (!exchange) return;
  state.group = exchange->group;
  if (SSL_version(ssl) == tls12) state.signature = exchange->signature_algorithm;
}

// TLS 1.3, in full handshakes: RFC 8446 4.4.3.
void on_certificate_verify(ConnState& state, hello::Bytes body) {
  if (body.size() >= 2) state.signature = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
}

// The client's Finished: everything is negotiated, application data comes next.
void on_finished(ConnState& state, SSL* ssl) {
  SSL_set_msg_callback(ssl, nullptr);
  if (state.failed || state.target == nullptr) return;
  state.handshake_cipher = SSL_get_current_cipher(ssl);
  state.version = static_cast<std::uint16_t>(SSL_version(ssl));
  state.cipher = state.handshake_cipher != nullptr
                     ? SSL_CIPHER_get_protocol_id(state.handshake_cipher)
                     : std::uint16_t{0};
  state.resumed = SSL_session_reused(ssl) == 1;
  state.may_renegotiate = state.version != static_cast<std::uint16_t>(Protocol::tls1_3);
  if (state.resumed) read_session(ssl, state);
  const VirtualHost& host = *state.target->host;
  if (host.engine == Engine::on && !satisfies(state, host)) {
    state.failed = true;
    log_connection(state.connection, APLOG_CRIT, "TG0010",
                   "vhost={}: negotiated {}, outside of policy {}: the connection is closed",
                   host.name, describe_negotiated(state), host.policy_id);
    return;
  }
  state.finished = true;
  if (host.engine == Engine::off) return;
  count_handshake(state);
  state.environment = make_environment(state);
}

extern "C" void on_message(int write, int, int content_type, const void* buffer, size_t length,
                           SSL* ssl, void* arg) noexcept {
  auto* state = static_cast<ConnState*>(arg);
  if (content_type != SSL3_RT_HANDSHAKE && content_type != 0) return;
  if (length == 0 || (content_type == 0 && write != 0)) return;
  bool done = guard("on_message", false, [&] {
    hello::Bytes message(static_cast<const std::uint8_t*>(buffer), length);
    if (content_type == 0) {  // a ClientHello in version 2 format (RFC 5246 E.2)
      if (!state->hello_seen) on_client_hello(*state, ssl, message, true);
      return true;
    }
    constexpr std::size_t header = 4;
    if (length < header) return true;
    if (write == 0) {
      if (message[0] == SSL3_MT_CLIENT_HELLO && !state->hello_seen) {
        on_client_hello(*state, ssl, message, false);
      } else if (message[0] == SSL3_MT_FINISHED) {
        on_finished(*state, ssl);
      }
      return true;
    }
    switch (message[0]) {
      case SSL3_MT_SERVER_HELLO:
        on_server_hello(*state, message.subspan(header));
        break;
      case SSL3_MT_SERVER_KEY_EXCHANGE:
        on_server_key_exchange(*state, ssl, message.subspan(header));
        break;
      // The last message before the session is stored or put into a ticket; a resumed session has
      // neither, and keeps its tag.
      case SSL3_MT_SERVER_DONE:
        tag_session(ssl, *state);
        break;
      case SSL3_MT_CERTIFICATE_VERIFY:
        on_certificate_verify(*state, message.subspan(header));
        tag_session(ssl, *state);
        break;
      default:
        break;
    }
    return true;
  });
  if (!done) state->failed = true;
}

}  // namespace

ConnState* state_of(const SSL* ssl) {
  // mod_ssl keeps the connection there.
  const auto* c = static_cast<const conn_rec*>(SSL_get_app_data(ssl));
  return c != nullptr ? state_of(c) : nullptr;
}

bool satisfies(const ConnState& state, const VirtualHost& host) {
  const hello::ServerSettings& settings = host.plan->in_force();
  if (!settings.protocols.has(static_cast<Protocol>(state.version))) return false;
  const auto& ciphers = state.version == static_cast<std::uint16_t>(Protocol::tls1_3)
                            ? settings.suites
                            : settings.ciphers;
  auto in = [](const std::vector<std::uint16_t>& list, std::uint16_t code_point) {
    return code_point == 0 || std::find(list.begin(), list.end(), code_point) != list.end();
  };
  return holds(ciphers, state.cipher) && in(settings.groups, state.group) &&
         in(settings.signature_algorithms, state.signature);
}

int on_pre_handshake(conn_rec* c, SSL* ssl, int is_proxy) noexcept {
  return guard("on_pre_handshake", HTTP_INTERNAL_SERVER_ERROR, [&] {
    if (is_proxy != 0) return declined;
    const VirtualHost* default_host = virtual_host_of(c->base_server);
    if (default_host == nullptr) return declined;
    const Runtime& runtime = *default_host->runtime;
    if (!runtime.judging && runtime.live == nullptr) return declined;
    auto* state = pool_make<ConnState>(c->pool);
    state->connection = c;
    state->ssl = ssl;
    state->runtime = &runtime;
    if (runtime.live != nullptr) state->shown = pool_make<Shown>(c->pool);
    state->index = runtime.addresses.find(c);
    if (state->index == nullptr) {
      log_connection(c, APLOG_ERR, "TG0011",
                     "vhost={}: httpd matched an address that was not foreseen; the connection is "
                     "refused",
                     default_host->name);
      return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_set_module_config(c->conn_config, &tlsguard_module, state);
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, state);
    return ok;
  });
}

int on_process_connection(conn_rec* c) noexcept {
  // Streams of HTTP/2 and connections to others have none.
  const auto* state =
      static_cast<ConnState*>(ap_get_module_config(c->conn_config, &tlsguard_module));
  // The event MPM comes here again for each request of a connection that was kept alive.
  if (state == nullptr) return declined;
  return state->failed || state->is_challenge() ? done : declined;
}

int on_server_name(SSL* ssl, int* alert, void*) noexcept {
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return guard("on_server_name", SSL_TLSEXT_ERR_ALERT_FATAL, [&] {
    const ConnState* state = state_of(ssl);
    if (state == nullptr || state->refuse_sni) return SSL_TLSEXT_ERR_ALERT_FATAL;
    return state->server_name == ServerName::known || state->is_challenge() ? SSL_TLSEXT_ERR_OK
                                                                            : SSL_TLSEXT_ERR_NOACK;
  });
}

}  // namespace tlsguard::httpd
