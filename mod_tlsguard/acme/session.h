// SPDX-License-Identifier: Apache-2.0
// Requests to one CA: its directory, nonces, and what each signed request has in common (RFC 8555
// 6, 7.1.1, 7.2). Thread-safe; each call uses the caller's HttpClient alone, and no lock is held
// over a request.
#ifndef TLSGUARD_ACME_SESSION_H
#define TLSGUARD_ACME_SESSION_H

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "acme/jws.h"
#include "acme/nonce_pool.h"
#include "acme/problem.h"
#include "acme/types.h"
#include "core/error.h"
#include "core/unix_time.h"
#include "net/http_client.h"

namespace tlsguard::acme {

// Who signs. kid: the account's URL; empty: the key itself (RFC 8555 6.2).
struct Signing {
  std::shared_ptr<const Signer> signer;
  std::string kid;
};

struct SignedRequest {
  std::string_view url;
  std::string_view payload;  // empty: POST-as-GET (RFC 8555 6.3)
  const char* accept = nullptr;
  std::size_t max_bytes = 256UL * 1024;
};

class Session {
 public:
  explicit Session(std::string directory_url) : directory_url_(std::move(directory_url)) {}

  // What was fetched last, or fetched now. The second one asks again where that is a day ago.
  [[nodiscard]] Result<std::shared_ptr<const Directory>> directory(net::HttpClient& http);
  [[nodiscard]] Result<std::shared_ptr<const Directory>> directory(net::HttpClient& http,
                                                                   UnixSeconds now);

  // The CA's response of any status, but for badNonce, which is answered with another attempt
  // (6.5), max_attempts of them in all.
  [[nodiscard]] Result<net::HttpResponse> send(net::HttpClient& http, const Signing& signing,
                                               const SignedRequest& request);
  // A response of success, or the CA's refusal as an error.
  [[nodiscard]] Result<net::HttpResponse> post(net::HttpClient& http, const Signing& signing,
                                               const SignedRequest& request);
  // Unsigned.
  [[nodiscard]] Result<net::HttpResponse> get(net::HttpClient& http, const std::string& url);

  // One in 10^6 calls fails for it where a CA turns down every second nonce, as pebble can.
  static constexpr int max_attempts = 20;

 private:
  [[nodiscard]] Result<std::shared_ptr<const Directory>> fetch_directory(
      net::HttpClient& http, std::optional<UnixSeconds> now);
  [[nodiscard]] Result<std::string> fetch_nonce(net::HttpClient& http);
  [[nodiscard]] Result<net::HttpResponse> send_once(net::HttpClient& http, const Signing& signing,
                                                    const SignedRequest& request,
                                                    const std::string& nonce);
  // After what says that URLs have moved.
  void forget_directory();

  const std::string directory_url_;
  std::mutex mutex_;  // of the next two
  std::shared_ptr<const Directory> directory_;
  std::optional<UnixSeconds> fetched_at_;  // nullopt: by one who did not know the time
  NoncePool nonces_;
};

[[nodiscard]] bool is_success(const net::HttpResponse& response);

// For a Retry-After where the response has no Date.
[[nodiscard]] UnixSeconds system_time();

}  // namespace tlsguard::acme

#endif
