// SPDX-License-Identifier: Apache-2.0
// One CA spoken to in one account (RFC 8555). Each call is one request, with its nonce, its
// signature and the retries that the protocol itself asks for (badNonce with the nonce of the
// error, 6.5); nothing is waited for longer than one response takes. Whoever drives an order polls.
// Thread-safe: jobs share a Client, each with an HttpClient of its own; nonces are pooled.
//
// Errors carry what to do next: Next::wait with the CA's Retry-After; Next::never for what only
// the administrator can change (malformed, rejectedIdentifier, unsupportedIdentifier,
// externalAccountRequired, userActionRequired, badCSR, caa; of a subproblem, too; but not with
// status 404, 429 or 5xx, which pass); else Next::back_off. Their text has the problem document in
// words, subproblems included; their kind is its type ("alreadyReplaced", RFC 9773 7.4;
// "invalidProfile", draft-ietf-acme-profiles), for callers that decide by it. problem.h's to_error
// does the same for the problem of an order or a challenge.
//
// A call whose response was lost may be made again: what was done already counts as done (answer,
// finalize, revoke, roll_over). new_order may then leave an order behind that nobody finalizes.
#ifndef TLSGUARD_ACME_CLIENT_H
#define TLSGUARD_ACME_CLIENT_H

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/types.h"
#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/keys.h"
#include "crypto/openssl.h"
#include "net/http_client.h"

namespace tlsguard::acme {

struct ExternalAccount {
  std::string kid;
  crypto::SecretBytes hmac;  // decoded
};

// What an account is made with.
struct Registration {
  std::vector<std::string> contacts;  // addresses without "mailto:"
  bool terms_agreed = false;
  const ExternalAccount* external = nullptr;
};

struct NewOrder {
  std::vector<Identifier> identifiers;
  std::string profile;   // empty: none
  std::string replaces;  // RFC 9773 5: renewal_id(), not sent to a CA without them; empty: none
};

class Client {
 public:
  // account_key: made before the account is (and kept by the caller before the CA hears of it).
  // account_url: empty until registered.
  Client(std::string directory_url, crypto::Key account_key, std::string account_url);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Fetched once, again after a day or an error.
  [[nodiscard]] Result<Directory> directory(net::HttpClient& http, UnixSeconds now);
  // RFC 8555 7.3. Finds the account of this key where there is one already. Returns its URL, for
  // the caller to keep.
  [[nodiscard]] Result<std::string> register_account(net::HttpClient& http,
                                                     const Registration& with);
  [[nodiscard]] Result<void> update_contacts(net::HttpClient& http,
                                             const std::vector<std::string>& contacts);
  // RFC 8555 7.3.5. On success the client goes on with the new key; after an error either may be
  // the account's: keep both, and try again with the same one.
  [[nodiscard]] Result<void> roll_over(net::HttpClient& http, crypto::Key new_key);

  // An error where the CA's order is for other names than these.
  [[nodiscard]] Result<Order> new_order(net::HttpClient& http, const NewOrder& order);
  [[nodiscard]] Result<Order> order(net::HttpClient& http, const std::string& url);
  [[nodiscard]] Result<Authorization> authorization(net::HttpClient& http, const std::string& url);
  // RFC 8555 7.5.1: the challenge is in place.
  [[nodiscard]] Result<void> answer(net::HttpClient& http, const Challenge& challenge);
  [[nodiscard]] Result<void> deactivate_authorization(net::HttpClient& http,
                                                      const std::string& url);
  [[nodiscard]] Result<Order> finalize(net::HttpClient& http, const Order& order,
                                       std::string_view csr_der);
  // RFC 8555 7.4.2: the chain as PEM, not yet verified. Alternates (Link: rel="alternate", 7.4.2)
  // are looked at where preferred_chain names the CN of an issuer in one of them; without a match
  // the first chain. At most 8 alternates.
  [[nodiscard]] Result<std::string> certificate(net::HttpClient& http, const std::string& url,
                                                const std::string& preferred_chain);
  // RFC 9773 4.1; unauthenticated. id: renewal_id().
  [[nodiscard]] Result<RenewalInfo> renewal_info(net::HttpClient& http, const std::string& id);
  // RFC 8555 7.6, signed with the account's key. reason: RFC 5280 5.3.1; none: unspecified.
  [[nodiscard]] Result<void> revoke(net::HttpClient& http, std::string_view certificate_der,
                                    std::optional<int> reason);

  [[nodiscard]] const std::string& account_url() const;
  // token '.' base64url(thumbprint) (RFC 8555 8.1).
  [[nodiscard]] std::string key_authorization(std::string_view token) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// base64url(authority key id) '.' base64url(serial) (RFC 9773 4.1). An error where the certificate
// has no authority key identifier.
[[nodiscard]] Result<std::string> renewal_id(const X509* certificate);

}  // namespace tlsguard::acme

#endif
