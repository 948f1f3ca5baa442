// SPDX-License-Identifier: Apache-2.0
// The HTTP clients of one worker thread, one for each way to reach a CA, so that connections are
// used again from job to job; and one that notices whether anybody answered at all.
// One thread at a time.
#ifndef TLSGUARD_RENEW_HTTP_CLIENTS_H
#define TLSGUARD_RENEW_HTTP_CLIENTS_H

#include <memory>
#include <utility>
#include <vector>

#include "net/http_client.h"
#include "renew/spec.h"

namespace tlsguard::renew {

struct HttpFactories {
  net::HttpClientFactory to_ca;
  net::HttpClientFactory to_ourselves;  // through our public names
};

// Remembers of the last request whether somebody answered it, if only with what is not taken.
class WatchedHttp : public net::HttpClient {
 public:
  explicit WatchedHttp(net::HttpClient& inner) : inner_(&inner) {}
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    auto response = inner_->send(request);
    answered_ = response.has_value() || response.error().kind == net::unusable_answer;
    return response;
  }
  [[nodiscard]] bool answered() const { return answered_; }

 private:
  net::HttpClient* inner_;
  bool answered_ = true;
};

class HttpClients {
 public:
  // factories must outlive this.
  explicit HttpClients(const HttpFactories& factories) : factories_(&factories) {}
  [[nodiscard]] net::HttpClient& to_ca(const DomainSettings& settings) {
    return find(to_ca_, factories_->to_ca, {settings.ca_trust, settings.http_proxy});
  }
  [[nodiscard]] net::HttpClient& to_ourselves() {
    return find(to_ourselves_, factories_->to_ourselves, {});
  }

 private:
  using Pool = std::vector<std::pair<net::HttpSettings, std::unique_ptr<net::HttpClient>>>;
  static net::HttpClient& find(Pool& pool, const net::HttpClientFactory& make,
                               const net::HttpSettings& settings) {
    for (auto& [known, client] : pool) {
      if (known == settings) return *client;
    }
    pool.emplace_back(settings, make(settings));
    return *pool.back().second;
  }

  const HttpFactories* factories_;
  Pool to_ca_;
  Pool to_ourselves_;
};

}  // namespace tlsguard::renew

#endif
