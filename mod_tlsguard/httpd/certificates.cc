// SPDX-License-Identifier: Apache-2.0
#include "httpd/certificates.h"

#include <algorithm>

#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

constexpr char acme_protocol[] = "acme-tls/1";

// RFC 7301 3.1: the list has this one name.
bool asks_for_acme(const hello::ClientHello& hello) {
  constexpr std::string_view wanted =
      "\x0a"
      "acme-tls/1";
  return hello.alpn && hello.alpn->size() == wanted.size() &&
         std::equal(wanted.begin(), wanted.end(), hello.alpn->begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

bool show_challenge(SSL* ssl, const crypto::KeyAndCertificate& challenge) {
  SSL_certs_clear(ssl);
  // The CA has no certificate to show.
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  return SSL_use_cert_and_key(ssl, challenge.certificate.get(), challenge.key.get(), nullptr, 1) ==
         1;
}

}  // namespace

void choose_certificate(ConnState& state, const hello::ClientHello& hello) {
  const LiveDomains& live = *state.runtime->live;
  Shown& shown = *state.shown;
  if (hello.server_name && asks_for_acme(hello)) {
    shown.challenge = live.alpn_challenge(*hello.server_name);
    if (shown.challenge != nullptr) return;
  }
  const ManagedHost& managed = state.target->host->managed;
  if (!managed.any()) return;
  shown.live = live.choose(managed, state.runtime->domains, hello.server_name.value_or(""),
                           state.connection->local_ip);
  shown.placeholder = managed.fully && shown.live == nullptr;
}

int on_certificate(SSL* ssl, void*) noexcept {
  return guard("on_certificate", 0, [&] {
    ConnState* state = state_of(ssl);
    // OpenSSL comes here again after a HelloRetryRequest.
    if (state == nullptr || state->shown == nullptr || state->shown->certificate_set) return 1;
    Shown& shown = *state->shown;
    shown.certificate_set = true;
    if (shown.challenge != nullptr) return show_challenge(ssl, *shown.challenge) ? 1 : 0;
    if (shown.live == nullptr) return 1;
    auto served = live::serve(ssl, *shown.live);
    if (served) return 1;
    log_connection(state->connection, APLOG_ERR, "TG0063",
                   "vhost={}: OpenSSL does not take the managed certificate: {}",
                   state->host()->name, served.error().text);
    return 0;
  });
}

const char* on_protocol_get(const conn_rec* c) noexcept {
  if (c->master != nullptr) return nullptr;
  const auto* state =
      static_cast<const ConnState*>(ap_get_module_config(c->conn_config, &tlsguard_module));
  return state != nullptr && state->is_challenge() ? acme_protocol : nullptr;
}

}  // namespace tlsguard::httpd
