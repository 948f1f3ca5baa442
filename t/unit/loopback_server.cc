// SPDX-License-Identifier: Apache-2.0
#include "loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "core/text.h"
#include "suites.h"

namespace tlsguard::test {

long Stream::read(char* buffer, std::size_t size) {
  if (tls_ != nullptr) return SSL_read(tls_, buffer, static_cast<int>(size));
  return ::recv(fd_, buffer, size, 0);
}

std::string Stream::request() {
  std::size_t wanted = 0;
  while (wanted == 0 || buffered_.size() < wanted) {
    std::size_t end = buffered_.find("\r\n\r\n");
    if (end != std::string::npos) {
      wanted = end + 4;
      std::size_t at = to_lower(buffered_.substr(0, end)).find("content-length: ");
      if (at != std::string::npos) wanted += std::strtoul(buffered_.c_str() + at + 16, nullptr, 10);
      if (buffered_.size() >= wanted) break;
    }
    char buffer[4096];
    long got = read(buffer, sizeof buffer);
    if (got <= 0) return {};
    buffered_.append(buffer, static_cast<std::size_t>(got));
  }
  std::string whole = buffered_.substr(0, wanted);
  buffered_.erase(0, wanted);
  return whole;
}

bool Stream::write(std::string_view text) {
  while (!text.empty()) {
    auto part = static_cast<int>(std::min<std::size_t>(text.size(), 65536));
    long sent = tls_ != nullptr
                    ? SSL_write(tls_, text.data(), part)
                    : ::send(fd_, text.data(), static_cast<std::size_t>(part), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

LoopbackServer::LoopbackServer(Behave behave, SSL_CTX* tls)
    : behave_(std::move(behave)), tls_(tls) {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  ck_assert_int_eq(::bind(listening_, generic, size), 0);
  ck_assert_int_eq(::listen(listening_, 16), 0);
  ck_assert_int_eq(::getsockname(listening_, generic, &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listening_, SHUT_RDWR);
  // One that waits for a request of a client that has none.
  if (int fd = open_.load(); fd >= 0) ::shutdown(fd, SHUT_RDWR);
  thread_.join();
  ::close(listening_);
}

std::string LoopbackServer::url(const std::string& path) const {
  return (tls_ != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) +
         path;
}

void LoopbackServer::serve() {
  // SSL_write to a client that is gone: this thread's alone.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    open_ = fd;
    serve(fd);
    open_ = -1;
    ::close(fd);
  }
}

void LoopbackServer::serve(int fd) {
  crypto::Ssl tls;
  if (tls_ != nullptr) {
    tls.reset(SSL_new(tls_));
    SSL_set_fd(tls.get(), fd);
    if (SSL_accept(tls.get()) != 1) return;
  }
  Stream stream(fd, tls.get());
  behave_(stream);
  if (tls) SSL_shutdown(tls.get());
}

}  // namespace tlsguard::test
