// SPDX-License-Identifier: Apache-2.0
// The account (RFC 8555 7.3): made, found, changed, its key replaced.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "acme/ca_url.h"
#include "acme/json_reader.h"
#include "acme/state.h"

namespace tlsguard::acme {
namespace {

using nlohmann::json;

// RFC 6068, as far as RFC 8555 7.3 takes it: one address, no header fields.
Result<json> contact_urls(const std::vector<std::string>& contacts) {
  json urls = json::array();
  for (const std::string& address : contacts) {
    std::size_t at = address.find('@');
    bool plain = address.find_first_of("?,% \t\r\n") == std::string::npos;
    if (at == 0 || at == std::string::npos || !plain) {
      return fail_for_good(fmt::format("'{}' is no address for TLSGuardContact", address));
    }
    urls.push_back("mailto:" + address);
  }
  return urls;
}

// The Location of a response that made or found an account.
Result<std::string> account_location(const net::HttpResponse& response) {
  auto location = response.field("location");
  if (location && is_ca_url(*location)) return std::string(*location);
  return fail(
      "the CA does not say the account's URL: the field Location is missing or no https "
      "URL");
}

// RFC 8555 7.3.4. algorithms: what the CA said it takes; empty: HS256, which all CAs do.
Result<json> external_binding(const ExternalAccount& external, const Signer& signer,
                              const std::string& url, const std::string& algorithm) {
  auto binding =
      sign_with_hmac(external.hmac.bytes(), algorithm, {external.kid, "", url}, signer.jwk());
  if (!binding) return tl::unexpected(binding.error());
  return json::parse(*binding);
}

// The strongest of those a CA says it takes that the key is long enough for; empty: none.
std::string other_algorithm(const std::vector<std::string>& taken, std::size_t key_bytes) {
  for (const auto& [name, least] : {std::pair<const char*, std::size_t>{"HS512", 64},
                                    std::pair<const char*, std::size_t>{"HS384", 48}}) {
    bool known = std::find(taken.begin(), taken.end(), name) != taken.end();
    if (known && key_bytes >= least) return name;
  }
  return {};
}

// The account that has this key (RFC 8555 7.3.1); an error where there is none.
Result<std::string> find_account(net::HttpClient& http, Session& session,
                                 std::shared_ptr<const Signer> signer) {
  auto directory = session.directory(http);
  if (!directory) return tl::unexpected(directory.error());
  std::string payload = json_text(json{{"onlyReturnExisting", true}});
  auto response = session.post(http, {std::move(signer), ""}, {(*directory)->new_account, payload});
  if (!response) return tl::unexpected(response.error());
  return account_location(*response);
}

Result<std::string> key_change_payload(const Signer& old_signer, const Signer& new_signer,
                                       const std::string& account, const std::string& url) {
  std::string change =
      R"({"account":)" + json(account).dump() + R"(,"oldKey":)" + old_signer.jwk() + "}";
  return new_signer.sign({"", "", url}, change);
}

}  // namespace

Result<std::string> Client::register_account(net::HttpClient& http, const Registration& with) {
  auto signer = state_->signer();
  if (!signer) return tl::unexpected(signer.error());
  auto directory = state_->session.directory(http);
  if (!directory) return tl::unexpected(directory.error().within("new account"));
  const std::string& url = (*directory)->new_account;
  auto contacts = contact_urls(with.contacts);
  if (!contacts) return tl::unexpected(contacts.error());
  json account = json::object();
  if (!contacts->empty()) account["contact"] = std::move(*contacts);
  if (with.terms_agreed) account["termsOfServiceAgreed"] = true;
  std::string algorithm = "HS256";
  for (bool again = false;; again = true) {
    if (with.external != nullptr) {
      auto binding = external_binding(*with.external, **signer, url, algorithm);
      if (!binding) return tl::unexpected(binding.error());
      account["externalAccountBinding"] = std::move(*binding);
    }
    std::string payload = json_text(account);
    auto response = state_->session.send(http, {*signer, ""}, {url, payload});
    if (!response) return tl::unexpected(response.error().within("new account"));
    if (is_success(*response)) {
      auto location = account_location(*response);
      if (location) state_->set_account_url(*location);
      return location;
    }
    Refusal refusal = read_refusal(*response, system_time());
    // RFC 8555 6.2: the CA lists what it takes.
    if (!again && with.external != nullptr && refusal.error.kind == "badSignatureAlgorithm") {
      algorithm = other_algorithm(refusal.algorithms, with.external->hmac.size());
      if (!algorithm.empty()) continue;
    }
    return tl::unexpected(refusal.error.within("new account"));
  }
}

Result<void> Client::update_contacts(net::HttpClient& http,
                                     const std::vector<std::string>& contacts) {
  auto urls = contact_urls(contacts);
  if (!urls) return tl::unexpected(urls.error());
  std::string payload = json_text(json{{"contact", *urls}});
  auto response = state_->post_as_account(http, {state_->account_url(), payload});
  if (!response) return tl::unexpected(response.error().within("contacts of the account"));
  return {};
}

Result<void> Client::roll_over(net::HttpClient& http, crypto::Key new_key) {
  const std::string context = "change of the account's key";
  auto old_signing = state_->as_account();
  if (!old_signing) return tl::unexpected(old_signing.error());
  auto signer = Signer::make(std::move(new_key));
  if (!signer) return tl::unexpected(signer.error());
  auto directory = state_->session.directory(http);
  if (!directory) return tl::unexpected(directory.error().within(context));
  const std::string& url = (*directory)->key_change;
  if (url.empty()) return fail_for_good("the CA cannot change an account's key");
  auto payload = key_change_payload(*old_signing->signer, **signer, old_signing->kid, url);
  if (!payload) return tl::unexpected(payload.error());
  auto response = state_->session.send(http, *old_signing, {url, *payload});
  if (!response) return tl::unexpected(response.error().within(context));
  if (!is_success(*response)) {
    // An earlier attempt may have been done, and only its answer lost.
    auto found = find_account(http, state_->session, *signer);
    if (!found || *found != old_signing->kid) {
      return tl::unexpected(read_refusal(*response, system_time()).error.within(context));
    }
  }
  state_->set_signer(std::move(*signer));
  return {};
}

}  // namespace tlsguard::acme
