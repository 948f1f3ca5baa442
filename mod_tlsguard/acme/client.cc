// SPDX-License-Identifier: Apache-2.0
#include "acme/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "acme/ca_url.h"
#include "acme/documents.h"
#include "acme/json_reader.h"
#include "acme/plain_text.h"
#include "acme/state.h"
#include "crypto/base64url.h"
#include "net/response_fields.h"

namespace tlsguard::acme {
namespace {

using nlohmann::json;

std::int64_t wait_of(const net::HttpResponse& response) {
  return net::retry_after(response, system_time()).value_or(0);
}

Result<OrderDocument> read_order(const net::HttpResponse& response, std::string url) {
  auto read = parse_order(response.body);
  if (!read) return read;
  read->order.url = std::move(url);
  read->order.retry_after = wait_of(response);
  return read;
}

// An order for other names than were asked is none of ours.
bool same_identifiers(std::vector<Identifier> a, std::vector<Identifier> b) {
  for (auto* list : {&a, &b}) {
    std::sort(list->begin(), list->end(), [](const Identifier& x, const Identifier& y) {
      return std::tie(x.type, x.value) < std::tie(y.type, y.value);
    });
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return a == b;
}

json order_payload(const NewOrder& order, bool can_replace) {
  json identifiers = json::array();
  for (const Identifier& one : order.identifiers) {
    const char* type = one.type == Identifier::Type::ip ? "ip" : "dns";
    identifiers.push_back({{"type", type}, {"value", one.value}});
  }
  json payload{{"identifiers", std::move(identifiers)}};
  if (!order.profile.empty()) payload["profile"] = order.profile;
  if (!order.replaces.empty() && can_replace) payload["replaces"] = order.replaces;
  return payload;
}

}  // namespace

// --- state ---

Client::State::State(std::string directory_url, crypto::Key key, std::string account_url)
    : session(std::move(directory_url)),
      signer_(Signer::make(std::move(key))),
      account_urls_{std::move(account_url)},
      account_url_(&account_urls_.front()) {}

Result<std::shared_ptr<const Signer>> Client::State::signer() const {
  std::scoped_lock lock(mutex_);
  return signer_;
}

void Client::State::set_signer(std::shared_ptr<const Signer> signer) {
  std::scoped_lock lock(mutex_);
  signer_ = std::move(signer);
}

void Client::State::set_account_url(const std::string& url) {
  std::scoped_lock lock(mutex_);
  if (account_urls_.back() == url) return;
  account_urls_.push_back(url);
  account_url_ = &account_urls_.back();
}

Result<Signing> Client::State::as_account() const {
  auto with = signer();
  if (!with) return tl::unexpected(with.error());
  if (account_url().empty()) return fail("there is no account at this CA yet");
  return Signing{*with, account_url()};
}

Result<net::HttpResponse> Client::State::post_as_account(net::HttpClient& http,
                                                         const SignedRequest& request) {
  auto signing = as_account();
  if (!signing) return tl::unexpected(signing.error());
  return session.post(http, *signing, request);
}

// --- client ---

Client::Client(std::string directory_url, crypto::Key account_key, std::string account_url)
    : state_(std::make_unique<State>(std::move(directory_url), std::move(account_key),
                                     std::move(account_url))) {}
Client::~Client() = default;

const std::string& Client::account_url() const { return state_->account_url(); }

std::string Client::key_authorization(std::string_view token) const {
  auto signer = state_->signer();
  return std::string(token) + "." + (signer ? (*signer)->thumbprint() : "");
}

Result<Directory> Client::directory(net::HttpClient& http, UnixSeconds now) {
  auto directory = state_->session.directory(http, now);
  if (!directory) return tl::unexpected(directory.error().within("directory"));
  return **directory;
}

Result<Order> Client::new_order(net::HttpClient& http, const NewOrder& order) {
  auto directory = state_->session.directory(http);
  if (!directory) return tl::unexpected(directory.error().within("new order"));
  std::string payload = json_text(order_payload(order, !(*directory)->renewal_info.empty()));
  auto response = state_->post_as_account(http, {(*directory)->new_order, payload});
  if (!response) return tl::unexpected(response.error().within("new order"));
  std::string location(response->field("location").value_or(""));
  auto read = read_order(*response, location);
  if (!read) return tl::unexpected(read.error().within("new order"));
  if (!is_ca_url(location)) {
    return fail(
        "new order: the CA does not say its URL: the field Location is missing or no https "
        "URL");
  }
  if (!read->identifiers.empty() && !same_identifiers(read->identifiers, order.identifiers)) {
    return fail("new order: the CA's order is for other names than were asked for");
  }
  return std::move(read->order);
}

Result<Order> Client::order(net::HttpClient& http, const std::string& url) {
  auto response = state_->post_as_account(http, {url, ""});
  if (!response) return tl::unexpected(response.error().within("order"));
  auto read = read_order(*response, url);
  if (!read) return tl::unexpected(read.error());
  return std::move(read->order);
}

Result<Authorization> Client::authorization(net::HttpClient& http, const std::string& url) {
  auto response = state_->post_as_account(http, {url, ""});
  if (!response) return tl::unexpected(response.error().within("authorization"));
  auto read = parse_authorization(response->body);
  if (!read) return read;
  read->url = url;
  read->retry_after = wait_of(*response);
  return read;
}

Result<void> Client::answer(net::HttpClient& http, const Challenge& challenge) {
  auto response = state_->post_as_account(http, {challenge.url, "{}"});
  if (response) return {};
  Error refused = response.error().within("challenge");
  if (refused.kind.empty()) return tl::unexpected(refused);
  // An earlier answer may have been taken, and only the response to it lost.
  auto now = state_->post_as_account(http, {challenge.url, ""});
  auto read = now ? parse_challenge(now->body) : fail("");
  if (read && read->status != Status::pending) return {};
  return tl::unexpected(refused);
}

Result<void> Client::deactivate_authorization(net::HttpClient& http, const std::string& url) {
  auto response = state_->post_as_account(http, {url, R"({"status":"deactivated"})"});
  if (!response) return tl::unexpected(response.error().within("authorization"));
  return {};
}

Result<Order> Client::finalize(net::HttpClient& http, const Order& order,
                               std::string_view csr_der) {
  std::string payload = R"({"csr":")" + crypto::base64url(csr_der) + "\"}";
  auto response = state_->post_as_account(http, {order.finalize, payload});
  if (response) {
    auto read = read_order(*response, order.url);
    if (!read) return tl::unexpected(read.error());
    return std::move(read->order);
  }
  Error refused = response.error().within("finalizing the order");
  if (refused.kind != "orderNotReady") return tl::unexpected(refused);
  // It may have been finalized by an earlier request whose response was lost.
  auto now = this->order(http, order.url);
  if (now && (now->status == Status::processing || now->status == Status::valid)) return now;
  return tl::unexpected(refused);
}

Result<RenewalInfo> Client::renewal_info(net::HttpClient& http, const std::string& id) {
  auto directory = state_->session.directory(http);
  if (!directory) return tl::unexpected(directory.error().within("renewal information"));
  if ((*directory)->renewal_info.empty()) return fail_for_good("the CA has no renewal information");
  std::string url = (*directory)->renewal_info;
  if (!url.ends_with('/')) url += '/';
  auto response = state_->session.get(http, url + id);
  if (!response) return tl::unexpected(response.error().within("renewal information"));
  auto info = parse_renewal_info(response->body);
  if (info) info->retry_after = net::retry_after(*response, system_time());
  return info;
}

Result<void> Client::revoke(net::HttpClient& http, std::string_view certificate_der,
                            std::optional<int> reason) {
  auto directory = state_->session.directory(http);
  if (!directory) return tl::unexpected(directory.error().within("revocation"));
  const std::string& url = (*directory)->revoke_cert;
  if (url.empty()) return fail_for_good("the CA cannot revoke certificates");
  json payload{{"certificate", crypto::base64url(certificate_der)}};
  if (reason) payload["reason"] = *reason;
  std::string text = json_text(payload);
  auto response = state_->post_as_account(http, {url, text});
  // Done, by an earlier request or by somebody else.
  if (response || response.error().kind == "alreadyRevoked") return {};
  return tl::unexpected(response.error().within("revocation"));
}

}  // namespace tlsguard::acme
