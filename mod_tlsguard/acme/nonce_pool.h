// SPDX-License-Identifier: Apache-2.0
// Anti-replay nonces of one CA (RFC 8555 6.5): each response brings one, for whoever signs next.
// Thread-safe.
#ifndef TLSGUARD_ACME_NONCE_POOL_H
#define TLSGUARD_ACME_NONCE_POOL_H

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "net/http_client.h"

namespace tlsguard::acme {

class NoncePool {
 public:
  static constexpr std::size_t max_nonces = 64;  // more than there are requests at a time

  // The newest: the older one is, the likelier the CA has forgotten it.
  [[nodiscard]] std::optional<std::string> take();
  // The oldest goes where there are too many.
  void put(std::string nonce);

 private:
  std::mutex mutex_;
  std::deque<std::string> nonces_;
};

// The response's Replay-Nonce; nullopt: it has none, or one that is not base64url (RFC 8555 6.5.1).
[[nodiscard]] std::optional<std::string> nonce_of(const net::HttpResponse& response);

}  // namespace tlsguard::acme

#endif
