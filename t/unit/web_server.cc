// SPDX-License-Identifier: Apache-2.0
#include "web_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/time.h>

#include <array>
#include <csignal>
#include <ctime>
#include <optional>
#include <string_view>

#include "crypto/self_signed.h"
#include "expect.h"
#include "loopback.h"

namespace tlsguard::test {
namespace {

constexpr std::string_view acme_tls =
    "\x0a"
    "acme-tls/1";

void send_text(int client, const std::string& text) {
  (void)send(client, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string response(const std::string& status, const std::string& fields,
                     const std::string& body) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     fields, body.size(), body);
}

std::string field(const std::string& request, const std::string& name) {
  auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  at += name.size() + 4;
  return request.substr(at, request.find("\r\n", at) - at);
}

}  // namespace

WebServer::WebServer(const std::string& challenges, std::string address, std::uint16_t http_port,
                     std::uint16_t tls_port)
    : store_(value_of(store::Directory::open(challenges))),
      address_(std::move(address)),
      http_socket_(listen_on(SOCK_STREAM, address_, http_port)),
      tls_socket_(listen_on(SOCK_STREAM, address_, tls_port)) {
  ck_assert_int_ge(http_socket_, 0);
  ck_assert_int_ge(tls_socket_, 0);
  http_port_ = port_of(http_socket_);
  tls_port_ = port_of(tls_socket_);
  thread_ = std::thread([this] { serve(); });
}

WebServer::~WebServer() {
  stop_ = true;
  thread_.join();
  close(http_socket_);
  close(tls_socket_);
}

std::vector<std::string> WebServer::hosts() const {
  std::lock_guard lock(mutex_);
  return hosts_;
}

std::vector<std::string> WebServer::server_names() const {
  std::lock_guard lock(mutex_);
  return server_names_;
}

void WebServer::serve() {
  // OpenSSL writes to sockets that may be closed. In this thread alone: the code under test has to
  // see to it by itself.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stop_) {
    std::array<pollfd, 2> waiting{{{http_socket_, POLLIN, 0}, {tls_socket_, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), 20) <= 0) continue;
    for (const pollfd& ready : waiting) {
      if (ready.revents == 0) continue;
      int client = accept4(ready.fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      timeval limit{10, 0};
      setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      if (ready.fd == http_socket_) {
        serve_http(client);
      } else {
        serve_tls(client);
      }
      close(client);
    }
  }
}

void WebServer::serve_http(int client) {
  if (http_ == Http::closes) return;
  std::string request;
  std::array<char, 4096> buffer{};
  while (request.find("\r\n\r\n") == std::string::npos) {
    ssize_t size = recv(client, buffer.data(), buffer.size(), 0);
    if (size <= 0) return;
    request.append(buffer.data(), static_cast<std::size_t>(size));
  }
  send_text(client, response_to(request));
}

std::string WebServer::response_to(const std::string& request) {
  {
    std::lock_guard lock(mutex_);
    hosts_.push_back(field(request, "Host"));
  }
  auto begin = request.find(' ') + 1;
  std::string path = request.substr(begin, request.find(' ', begin) - begin);
  Http how = http_;
  if (path.starts_with("/again/")) {
    path.erase(0, 6);
    how = Http::ours;
  }
  std::string target = fmt::format("http://{}:{}/again{}", address_, http_port_, path);
  switch (how) {
    case Http::redirect_to_ours:
      return response("302 Found", "Location: " + target + "\r\n", "");
    case Http::redirect_to_nothing:
      return response("301 Moved", "Location: https://127.0.0.1:1/nothing\r\n", "");
    case Http::other_content:
      return response("200 OK", "", "hello");
    case Http::ours: {
      constexpr std::string_view prefix = "/.well-known/acme-challenge/";
      if (!path.starts_with(prefix)) break;
      auto challenge = store_.http(path.substr(prefix.size()));
      if (challenge && *challenge) {
        return response("200 OK", "", (*challenge)->key_authorization + "\n");
      }
      break;
    }
    default:
      break;
  }
  return response("404 Not Found", "", "nothing here");
}

void WebServer::serve_tls(int client) {
  if (tls_ == Tls::closes) return;
  if (tls_ == Tls::no_tls) {
    std::array<char, 4096> buffer{};
    (void)recv(client, buffer.data(), buffer.size(), 0);
    send_text(client, "HTTP/1.0 400 Bad Request\r\n\r\n");
    return;
  }
  handshake(client);
}

void WebServer::handshake(int client) {
  crypto::SslCtx context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, this);
  SSL_CTX_set_cert_cb(context.get(), choose_certificate, this);
  crypto::Ssl ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client);
  if (SSL_accept(ssl.get()) == 1) SSL_shutdown(ssl.get());
  (void)crypto::drain_errors();
}

int WebServer::choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                               const unsigned char* in, unsigned in_length, void* self) {
  if (static_cast<WebServer*>(self)->tls_ == Tls::without_alpn) return SSL_TLSEXT_ERR_NOACK;
  std::string_view offered(reinterpret_cast<const char*>(in), in_length);
  if (offered != acme_tls) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = in + 1;
  *out_length = in[0];
  return SSL_TLSEXT_ERR_OK;
}

int WebServer::choose_certificate(SSL* ssl, void* self) {
  auto& server = *static_cast<WebServer*>(self);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  std::string wanted = name == nullptr ? "" : name;
  {
    std::lock_guard lock(server.mutex_);
    server.server_names_.push_back(wanted);
  }
  bool fine = server.tls_ != Tls::refuses && server.use_certificate(ssl, wanted);
  return fine ? 1 : 0;  // 0: an alert
}

bool WebServer::use_certificate(SSL* ssl, const std::string& name) {
  std::optional<std::string> pem;
  if (tls_ == Tls::other_certificate) {
    pem = value_of(crypto::make_alpn_certificate_pem(name, "another", std::time(nullptr)));
  } else {
    pem = value_of(store_.alpn(name));
  }
  if (!pem) return false;
  auto pair = value_of(crypto::key_and_certificate_from_pem(*pem));
  return SSL_use_cert_and_key(ssl, pair.certificate.get(), pair.key.get(), nullptr, 1) == 1;
}

}  // namespace tlsguard::test
