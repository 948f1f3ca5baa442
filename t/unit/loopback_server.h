// SPDX-License-Identifier: Apache-2.0
// A server on a free port of the loopback, in a thread of its own: what it says is up to the test.
#ifndef TLSGUARD_T_UNIT_LOOPBACK_SERVER_H
#define TLSGUARD_T_UNIT_LOOPBACK_SERVER_H

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/openssl.h"

namespace tlsguard::test {

// One connection, of the server's thread.
class Stream {
 public:
  Stream(int fd, SSL* tls) : fd_(fd), tls_(tls) {}
  // Header and body (by its Content-Length) of the next request; empty: the client has gone.
  std::string request();
  // false: the client has gone.
  bool write(std::string_view text);

 private:
  long read(char* buffer, std::size_t size);
  int fd_;
  SSL* tls_;
  std::string buffered_;
};

class LoopbackServer {
 public:
  using Behave = std::function<void(Stream&)>;
  // One connection after the other; it ends when behave returns. tls: nullptr for none; must
  // outlive this object.
  explicit LoopbackServer(Behave behave, SSL_CTX* tls = nullptr);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve();
  void serve(int fd);

  Behave behave_;
  SSL_CTX* tls_;
  int listening_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> open_ = -1;  // the connection being served
  std::thread thread_;
};

}  // namespace tlsguard::test

#endif
