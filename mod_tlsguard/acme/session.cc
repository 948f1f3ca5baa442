// SPDX-License-Identifier: Apache-2.0
#include "acme/session.h"

#include <fmt/format.h>

#include <chrono>

#include "acme/ca_url.h"
#include "acme/documents.h"
#include "acme/json_reader.h"
#include "acme/plain_text.h"

namespace tlsguard::acme {
namespace {

constexpr UnixSeconds directory_lifetime = 24 * UnixSeconds{3600};
constexpr int max_redirects = 3;
constexpr std::chrono::seconds signed_timeout{60};  // some CAs issue before they answer

bool has_moved(const net::HttpResponse& response) {
  int status = response.status;
  return (status >= 300 && status < 400) || status == 404 || status == 405 || status == 410;
}

bool is_bad_nonce(const net::HttpResponse& response) {
  return response.status >= 400 && response.status < 500 &&
         read_refusal(response, 0).error.kind == "badNonce";
}

tl::unexpected<Error> no_url(std::string_view url) {
  return fail_for_good(fmt::format("'{}' is no https URL of a CA", plain_text(url, 200)));
}

}  // namespace

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

UnixSeconds system_time() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

Result<net::HttpResponse> Session::get(net::HttpClient& http, const std::string& url) {
  if (!is_ca_url(url)) return no_url(url);
  net::HttpRequest request;
  request.url = url;
  request.max_bytes = max_json;
  request.max_redirects = max_redirects;
  auto response = http.send(request);
  if (!response || is_success(*response)) return response;
  return tl::unexpected(read_refusal(*response, system_time()).error);
}

// Threads that find none at the same time each fetch it: none waits for another's slow answer.
Result<std::shared_ptr<const Directory>> Session::fetch_directory(net::HttpClient& http,
                                                                  std::optional<UnixSeconds> now) {
  auto response = get(http, directory_url_);
  if (!response) return tl::unexpected(response.error());
  auto parsed = parse_directory(response->body);
  if (!parsed) return tl::unexpected(parsed.error());
  auto fresh = std::make_shared<const Directory>(std::move(*parsed));
  // A directory comes with a nonce at many CAs, though it need not (RFC 8555 6.5.1).
  if (auto nonce = nonce_of(*response)) nonces_.put(std::move(*nonce));
  std::scoped_lock lock(mutex_);
  directory_ = fresh;
  fetched_at_ = now;
  return fresh;
}

Result<std::shared_ptr<const Directory>> Session::directory(net::HttpClient& http) {
  {
    std::scoped_lock lock(mutex_);
    if (directory_) return directory_;
  }
  return fetch_directory(http, std::nullopt);
}

Result<std::shared_ptr<const Directory>> Session::directory(net::HttpClient& http,
                                                            UnixSeconds now) {
  {
    std::scoped_lock lock(mutex_);
    if (!fetched_at_) fetched_at_ = now;
    // A clock that was set back makes it old, too.
    bool fresh = now >= *fetched_at_ && now - *fetched_at_ < directory_lifetime;
    if (directory_ && fresh) return directory_;
  }
  return fetch_directory(http, now);
}

void Session::forget_directory() {
  std::scoped_lock lock(mutex_);
  directory_.reset();
}

Result<std::string> Session::fetch_nonce(net::HttpClient& http) {
  auto urls = directory(http);
  if (!urls) return tl::unexpected(urls.error());
  // The directory may have brought one.
  if (auto nonce = nonces_.take()) return *nonce;
  net::HttpRequest request;
  request.method = "HEAD";
  request.url = (*urls)->new_nonce;
  request.max_bytes = max_json;
  auto response = http.send(request);
  if (!response) return tl::unexpected(response.error());
  if (!is_success(*response)) {
    if (has_moved(*response)) forget_directory();
    return tl::unexpected(read_refusal(*response, system_time()).error.within("new nonce"));
  }
  if (auto nonce = nonce_of(*response)) return *nonce;
  return fail("the CA gives no nonce: the field Replay-Nonce is missing or no base64url");
}

Result<net::HttpResponse> Session::send_once(net::HttpClient& http, const Signing& signing,
                                             const SignedRequest& request,
                                             const std::string& nonce) {
  auto body = signing.signer->sign({signing.kid, nonce, request.url}, request.payload);
  if (!body) return tl::unexpected(body.error());
  net::HttpRequest post;
  post.method = "POST";
  post.url = request.url;
  post.fields.emplace_back("Content-Type", "application/jose+json");
  if (request.accept != nullptr) post.fields.emplace_back("Accept", request.accept);
  post.body = std::move(*body);
  post.max_bytes = request.max_bytes;
  post.timeout = signed_timeout;
  return http.send(post);
}

Result<net::HttpResponse> Session::send(net::HttpClient& http, const Signing& signing,
                                        const SignedRequest& request) {
  if (!is_ca_url(request.url)) return no_url(request.url);
  std::optional<std::string> nonce = nonces_.take();
  for (int attempt = 1;; ++attempt) {
    if (!nonce) {
      auto fetched = fetch_nonce(http);
      if (!fetched) return tl::unexpected(fetched.error());
      nonce = std::move(*fetched);
    }
    auto response = send_once(http, signing, request, *nonce);
    if (!response) return response;
    nonce = nonce_of(*response);
    if (is_bad_nonce(*response) && attempt < max_attempts) continue;
    if (nonce) nonces_.put(std::move(*nonce));
    if (has_moved(*response)) forget_directory();
    return response;
  }
}

Result<net::HttpResponse> Session::post(net::HttpClient& http, const Signing& signing,
                                        const SignedRequest& request) {
  auto response = send(http, signing, request);
  if (!response || is_success(*response)) return response;
  return tl::unexpected(read_refusal(*response, system_time()).error);
}

}  // namespace tlsguard::acme
