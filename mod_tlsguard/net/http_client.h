// SPDX-License-Identifier: Apache-2.0
// HTTP requests to CAs and, for self-checks, to ourselves. The interface is what tests script; the
// implementation is libcurl (curl_client.h). One thread at a time for each client.
#ifndef TLSGUARD_NET_HTTP_CLIENT_H
#define TLSGUARD_NET_HTTP_CLIENT_H

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace tlsguard::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};
  std::size_t max_bytes = 1024UL * 1024;  // of the response's body; more is an error
  std::chrono::seconds timeout{30};       // all of it
  int max_redirects = 0;                  // of GET only
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, in order
  std::string body;

  // The first field of this name (lower case).
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
};

// Error::kind where somebody answered, with what is never taken: beyond a bound, or a redirect too
// many or to where none may lead.
inline constexpr char unusable_answer[] = "unusableAnswer";

class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;
  // An error where no whole response came: the name, the connection, TLS, the time or a bound.
  // Any status is a response.
  [[nodiscard]] virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

// How to reach one CA: TLSGuardCATrust, TLSGuardHTTPProxy.
struct HttpSettings {
  std::string trust_file;  // PEM file or directory; empty: the system's roots
  std::string proxy;       // URL; empty: none
  bool operator==(const HttpSettings&) const = default;
};

// Makes a client; called in the thread that will use it.
using HttpClientFactory = std::function<std::unique_ptr<HttpClient>(const HttpSettings&)>;

}  // namespace tlsguard::net

#endif
