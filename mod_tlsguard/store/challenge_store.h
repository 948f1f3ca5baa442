// SPDX-License-Identifier: Apache-2.0
// Pending challenges, written by the agent, read by workers when a CA asks. Small files: they are
// there from before the CA is told until the authorization is final. They survive the agent's
// death, but are not synced: after a power failure whoever takes the order up again writes them
// anew. One thread at a time writes one challenge; any thread and process reads.
#ifndef TLSGUARD_STORE_CHALLENGE_STORE_H
#define TLSGUARD_STORE_CHALLENGE_STORE_H

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "store/state_file.h"

namespace tlsguard::store {

// http-01 (RFC 8555 8.3). name: the identifier it is for; key_authorization: the body to answer.
struct HttpChallenge {
  std::string name;
  std::string key_authorization;
};

// base64url, at most 128 characters: whatever else is no token of a CA and no file name of ours.
[[nodiscard]] bool is_token(std::string_view text);

class ChallengeStore {
 public:
  explicit ChallengeStore(Directory challenges);

  [[nodiscard]] Result<void> put_http(const std::string& token, const HttpChallenge& challenge);
  // nullopt: no such challenge is pending, or it is no token.
  [[nodiscard]] Result<std::optional<HttpChallenge>> http(std::string_view token) const;
  [[nodiscard]] Result<void> remove_http(const std::string& token);

  // tls-alpn-01 (RFC 8737): certificate and key as one PEM text, by the server name that the CA
  // will send: the DNS name, or for an IP address its reverse name (RFC 8738 6).
  [[nodiscard]] Result<void> put_alpn(const std::string& server_name, std::string_view pem);
  [[nodiscard]] Result<std::optional<std::string>> alpn(std::string_view server_name) const;
  [[nodiscard]] Result<void> remove_alpn(const std::string& server_name);

  // Removes all of them: of orders that died with an earlier agent and are not taken up again.
  [[nodiscard]] Result<void> clear();

 private:
  Directory challenges_;
};

}  // namespace tlsguard::store

#endif
