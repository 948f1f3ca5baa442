// SPDX-License-Identifier: Apache-2.0
// What a Client keeps: the session with its CA, and the account. Thread-safe.
#ifndef TLSGUARD_ACME_STATE_H
#define TLSGUARD_ACME_STATE_H

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "acme/client.h"
#include "acme/session.h"

namespace tlsguard::acme {

class Client::State {
 public:
  State(std::string directory_url, crypto::Key key, std::string account_url);

  Session session;

  // Signs with the account's key: an error where it cannot be used.
  [[nodiscard]] Result<std::shared_ptr<const Signer>> signer() const;
  // By the account's URL: an error before it is registered.
  [[nodiscard]] Result<Signing> as_account() const;
  [[nodiscard]] Result<net::HttpResponse> post_as_account(net::HttpClient& http,
                                                          const SignedRequest& request);

  void set_signer(std::shared_ptr<const Signer> signer);
  void set_account_url(const std::string& url);
  [[nodiscard]] const std::string& account_url() const { return *account_url_.load(); }

 private:
  mutable std::mutex mutex_;
  Result<std::shared_ptr<const Signer>> signer_;
  // All there ever were, one as a rule: account_url() hands out references.
  std::list<std::string> account_urls_;
  std::atomic<const std::string*> account_url_;
};

}  // namespace tlsguard::acme

#endif
