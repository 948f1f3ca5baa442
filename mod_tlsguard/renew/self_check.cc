// SPDX-License-Identifier: Apache-2.0
#include "renew/self_check.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "acme/plain_text.h"
#include "crypto/base64url.h"
#include "crypto/certificate.h"
#include "crypto/self_signed.h"
#include "net/socket.h"
#include "renew/alpn_probe.h"
#include "renew/challenge_records.h"

namespace tlsguard::renew {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds connect_limit{5};
constexpr seconds exchange_limit{10};
constexpr int max_redirects = 10;
constexpr seconds start_limit{3};  // in which our own server may still open its ports
constexpr milliseconds start_pause{200};

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

Result<std::string> random_token() {
  std::array<std::uint8_t, 32> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return fail("no random numbers can be had");
  return crypto::base64url(bytes);
}

// No fault of a CA: another would not help.
tl::unexpected<Error> of_the_store(Error error) {
  error.kind = "store";
  return tl::unexpected(std::move(error));
}

// Removes a probe, whatever way its function is left.
class Cleaner {
 public:
  explicit Cleaner(std::function<void()> clean) : clean_(std::move(clean)) {}
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;
  ~Cleaner() { clean_(); }

 private:
  std::function<void()> clean_;
};

bool is_expected(const net::HttpResponse& response, std::string_view expected) {
  std::string_view body = response.body;
  auto end = body.find_last_not_of(" \t\r\n");  // RFC 8555 8.3
  return response.status == 200 &&
         body.substr(0, end == std::string_view::npos ? 0 : end + 1) == expected;
}

bool is_redirect(const net::HttpResponse& response) {
  return response.status >= 300 && response.status < 400;
}

CheckResult judge(const AlpnAnswer& answer, std::string_view expected_pem) {
  if (answer.alpn && answer.certificate) {
    auto served = crypto::certificate_to_pem(answer.certificate.get());
    if (served && expected_pem.ends_with(*served)) return {Answer::ours, {}};
  }
  if (!answer.text.empty()) {
    return {answer.tls ? Answer::otherwise : Answer::unknown, answer.text};
  }
  return {Answer::otherwise, answer.alpn ? "acme-tls/1 with another certificate"
                                         : "a TLS handshake without acme-tls/1"};
}

}  // namespace

Result<net::Socket> SelfCheck::reach(const std::string& address, std::uint16_t port) {
  auto place = std::make_pair(address, port);
  if (silent_.contains(place)) return fail("nobody could be reached there a moment ago");
  auto connect = [&] {
    return net::Socket::connect(net::Socket::Kind::stream, address, port,
                                net::Patience(connect_limit, context_.stopping));
  };
  auto socket = connect();
  // The agent starts before httpd's workers do.
  net::Patience starting(start_limit, context_.stopping);
  while (!socket && socket.error().kind == "refused" && own_.has(address) &&
         starting.sleep(start_pause)) {
    socket = connect();
  }
  if (!socket) silent_.insert(place);
  return socket;
}

Result<CheckResult> SelfCheck::run(ChallengeType type, const std::string& name,
                                   const std::string& address) {
  return type == ChallengeType::http_01 ? http(name, address) : alpn(name, address);
}

// A CA follows redirects (RFC 8555 8.3), with what it finds in DNS; where ours leads elsewhere than
// to the probe, it may only be that this machine resolves the target in another way.
CheckResult SelfCheck::fetch(const net::HttpRequest& request, std::string_view expected) const {
  auto response = context_.http.send(request);
  if (!response) return {Answer::unknown, response.error().text};
  if (is_expected(*response, expected)) return {Answer::ours, {}};
  if (is_redirect(*response)) {
    net::HttpRequest following = request;
    following.max_redirects = max_redirects;
    auto last = context_.http.send(following);
    if (last && is_expected(*last, expected)) return {Answer::ours, {}};
    return {Answer::unknown,
            fmt::format("a redirect to {}",
                        acme::plain_text(response->field("location").value_or("nowhere"), 200))};
  }
  if (response->status == 200) return {Answer::otherwise, "another content"};
  return {Answer::otherwise, fmt::format("the status {}", response->status)};
}

Result<CheckResult> SelfCheck::http(const std::string& name, const std::string& address) {
  std::uint16_t port = context_.outside.http;
  if (auto socket = reach(address, port); !socket) {
    return CheckResult{Answer::unknown, socket.error().text};
  }
  auto token = random_token();
  if (!token) return tl::unexpected(token.error());
  std::string content = *token + ".probe";
  if (auto put = context_.challenges.put_http(*token, {name, content}); !put) {
    return of_the_store(put.error());
  }
  Cleaner cleaner([&] { (void)context_.challenges.remove_http(*token); });
  std::string suffix = port == 80 ? "" : fmt::format(":{}", port);
  net::HttpRequest request;
  request.url =
      fmt::format("http://{}{}/.well-known/acme-challenge/{}", bracketed(address), suffix, *token);
  request.fields.emplace_back("Host", bracketed(name) + suffix);
  request.timeout = exchange_limit;
  return fetch(request, content);
}

Result<CheckResult> SelfCheck::alpn(const std::string& name, const std::string& address) {
  auto socket = reach(address, context_.outside.https);
  if (!socket) return CheckResult{Answer::unknown, socket.error().text};
  auto token = random_token();
  if (!token) return tl::unexpected(token.error());
  auto pem = crypto::make_alpn_certificate_pem(name, *token + ".probe", now_of(context_));
  if (!pem) return tl::unexpected(pem.error());
  std::string server_name = alpn_server_name(name);
  if (auto put = context_.challenges.put_alpn(server_name, *pem); !put) {
    return of_the_store(put.error());
  }
  Cleaner cleaner([&] { (void)context_.challenges.remove_alpn(server_name); });
  net::Patience patience(exchange_limit, context_.stopping);
  auto answer = probe_alpn(*socket, server_name, patience);
  if (!answer) return tl::unexpected(answer.error());
  return judge(*answer, *pem);
}

}  // namespace tlsguard::renew
