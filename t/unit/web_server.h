// SPDX-License-Identifier: Apache-2.0
// What answers at a name in tests of pre-flight: our own server, which takes its answers from the
// challenge store, or somebody else. HTTP and TLS on two ports of one loopback address.
#ifndef TLSGUARD_T_UNIT_WEB_SERVER_H
#define TLSGUARD_T_UNIT_WEB_SERVER_H

#include "suites.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crypto/openssl.h"
#include "store/challenge_store.h"

namespace tlsguard::test {

class WebServer {
 public:
  enum class Http : std::uint8_t {
    ours,
    not_found,
    other_content,
    redirect_to_ours,     // to the same path with "/again" before it, which is answered
    redirect_to_nothing,  // to where nobody listens
    closes,
  };
  enum class Tls : std::uint8_t {
    ours,
    other_certificate,
    without_alpn,  // a handshake with our certificate that agrees on no protocol
    refuses,       // an alert
    no_tls,        // "HTTP/1.0 400"
    closes,
  };

  // challenges: the directory of the store. port 0: any.
  explicit WebServer(const std::string& challenges, std::string address = "127.0.0.1",
                     std::uint16_t http_port = 0, std::uint16_t tls_port = 0);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer();

  [[nodiscard]] std::uint16_t http_port() const { return http_port_; }
  [[nodiscard]] std::uint16_t tls_port() const { return tls_port_; }
  void answer(Http how) { http_ = how; }
  void answer(Tls how) { tls_ = how; }

  [[nodiscard]] std::vector<std::string> hosts() const;         // Host fields, in order
  [[nodiscard]] std::vector<std::string> server_names() const;  // SNI, in order

 private:
  void serve();
  void serve_http(int client);
  void serve_tls(int client);
  void handshake(int client);
  [[nodiscard]] std::string response_to(const std::string& request);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_length,
                             const unsigned char* in, unsigned in_length, void* self);
  static int choose_certificate(SSL* ssl, void* self);
  bool use_certificate(SSL* ssl, const std::string& name);

  store::ChallengeStore store_;
  std::string address_;
  int http_socket_ = -1;
  int tls_socket_ = -1;
  std::uint16_t http_port_ = 0;
  std::uint16_t tls_port_ = 0;
  std::atomic<Http> http_{Http::ours};
  std::atomic<Tls> tls_{Tls::ours};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> hosts_;
  std::vector<std::string> server_names_;
  std::thread thread_;
};

}  // namespace tlsguard::test

#endif
