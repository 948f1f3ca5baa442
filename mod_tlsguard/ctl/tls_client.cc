// SPDX-License-Identifier: Apache-2.0
#include "ctl/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <array>
#include <cstdint>

#include "core/dns_name.h"
#include "policy/library.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

// Each group OpenSSL has, so that a server with an uncommon one can be met.
std::string all_groups() {
  const auto& openssl = policy::capabilities();
  return openssl ? policy::groups_list(openssl->groups) : std::string();
}

// ALPN's list of names, each with its length in front (RFC 7301 3.1).
std::vector<unsigned char> alpn_list(const std::vector<std::string>& names) {
  std::vector<unsigned char> list;
  for (const std::string& name : names) {
    list.push_back(static_cast<unsigned char>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  return list;
}

// An anonymous one would show no certificate.
constexpr const char* ciphers = "ALL:COMPLEMENTOFALL:!aNULL:!PSK:!SRP:@SECLEVEL=0";

// A server is looked at, not trusted: weak things are what we came to see.
bool configure(SSL_CTX* context, const HandshakeOffer& offer) {
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  std::string groups = all_groups();
  std::string signatures = offer.signature_algorithms;
  return SSL_CTX_set_min_proto_version(context, static_cast<int>(offer.min)) == 1 &&
         SSL_CTX_set_max_proto_version(context, static_cast<int>(offer.max)) == 1 &&
         SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
         (groups.empty() || SSL_CTX_set1_groups_list(context, groups.c_str()) == 1) &&
         (signatures.empty() || SSL_CTX_set1_sigalgs_list(context, signatures.c_str()) == 1);
}

}  // namespace

extern "C" {
static int count_ticket(SSL* ssl, SSL_SESSION* session) noexcept {
  auto* tickets = static_cast<int*>(SSL_get_app_data(ssl));
  if (tickets != nullptr && SSL_SESSION_has_ticket(session) != 0) ++*tickets;
  return 0;  // OpenSSL keeps the session
}
}

Result<TlsClient> TlsClient::handshake(Connection connection, const HandshakeOffer& offer,
                                       SteadyTime until) {
  ERR_clear_error();
  crypto::SslCtx context(SSL_CTX_new(TLS_client_method()));
  if (!context || !configure(context.get(), offer)) return fail(crypto::drain_errors());
  SSL_CTX_sess_set_new_cb(context.get(), count_ticket);
  TlsClient client(std::move(connection), std::move(context));
  client.ssl_.reset(SSL_new(client.context_.get()));
  SSL* ssl = client.ssl_.get();
  if (ssl == nullptr || SSL_set_fd(ssl, client.connection_.fd()) != 1) {
    return fail(crypto::drain_errors());
  }
  SSL_set_app_data(ssl, client.tickets_.get());
  if (!offer.server_name.empty() && !is_ip_literal(offer.server_name)) {
    // What the macro SSL_set_tlsext_host_name stands for, without its old-style cast.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(offer.server_name.c_str()));
  }
  std::vector<unsigned char> alpn = alpn_list(offer.alpn);
  if (!alpn.empty()) SSL_set_alpn_protos(ssl, alpn.data(), static_cast<unsigned>(alpn.size()));
  for (;;) {
    ERR_clear_error();
    int result = SSL_connect(ssl);
    if (result == 1) return client;
    int want = SSL_get_error(ssl, result);
    if (want == SSL_ERROR_SYSCALL) return fail("the connection was closed");
    if (want == SSL_ERROR_SSL) return fail(crypto::drain_errors());
    if (!client.wait_for(result, until)) return fail("no answer in time");
  }
}

bool TlsClient::wait_for(int result, SteadyTime until) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return connection_.wait(Connection::Direction::read, until);
    case SSL_ERROR_WANT_WRITE:
      return connection_.wait(Connection::Direction::write, until);
    default:
      return false;
  }
}

Protocol TlsClient::version() const { return static_cast<Protocol>(SSL_version(ssl_.get())); }

std::string TlsClient::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {name, name + size};
}

std::vector<Der> TlsClient::chain() const {
  std::vector<Der> chain;
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    unsigned char* bytes = nullptr;
    int size = i2d_X509(sk_X509_value(sent, i), &bytes);
    if (size > 0) chain.emplace_back(bytes, bytes + size);
    OPENSSL_free(bytes);
  }
  return chain;
}

bool TlsClient::write(std::string_view text, SteadyTime until) {
  std::size_t written = 0;
  for (;;) {
    ERR_clear_error();
    int result = SSL_write_ex(ssl_.get(), text.data(), text.size(), &written);
    if (result == 1) return true;
    if (!wait_for(result, until)) return false;
  }
}

std::string TlsClient::exchange(std::string_view text, bool (*complete)(std::string_view),
                                std::size_t limit, SteadyTime until) {
  std::string received;
  if (!write(text, until)) return received;
  std::array<char, 4096> buffer{};
  while (received.size() < limit && std::chrono::steady_clock::now() < until) {
    ERR_clear_error();
    std::size_t size = 0;
    int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (result == 1) {
      received.append(buffer.data(), size);
      if (complete(received)) break;
    } else if (!wait_for(result, until)) {
      break;
    }
  }
  ERR_clear_error();
  return received;
}

}  // namespace tlsguard::ctl
