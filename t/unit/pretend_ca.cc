// SPDX-License-Identifier: Apache-2.0
#include "pretend_ca.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "acme/client.h"
#include "core/date.h"
#include "crypto/base64url.h"
#include "expect.h"
#include "scripted_ca.h"

namespace tlsguard::test {
namespace {

using Json = nlohmann::json;

std::string decoded(const std::string& text) {
  return std::string(value_of(crypto::from_base64url(text)).text());
}

class Client : public net::HttpClient {
 public:
  explicit Client(PretendCa& ca) : ca_(ca) {}
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    return ca_.answer(request);
  }

 private:
  PretendCa& ca_;
};

crypto::Key key_of_csr(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  X509_REQ* csr = ::d2i_X509_REQ(nullptr, &bytes, static_cast<long>(der.size()));
  ck_assert_ptr_nonnull(csr);
  crypto::Key key(::X509_REQ_get_pubkey(csr));
  ck_assert_int_eq(::X509_REQ_verify(csr, key.get()), 1);
  ::X509_REQ_free(csr);
  return key;
}

// RFC 7518 6.2.1: a public key on a curve.
crypto::Key key_of_jwk(const Json& jwk) {
  ck_assert(jwk.at("kty") == "EC");
  std::string curve = jwk.at("crv");
  std::string point = "\x04" + decoded(jwk.at("x")) + decoded(jwk.at("y"));
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
  ck_assert_int_eq(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters.data()), 1);
  EVP_PKEY_CTX_free(context);
  return crypto::Key(key);
}

}  // namespace

PretendCa::PretendCa(std::string host, Clock now, std::string state_file)
    : host_(std::move(host)),
      now_(std::move(now)),
      file_(std::move(state_file)),
      root_(make_issuer("Pretended Root", nullptr)),
      intermediate_(make_issuer("Pretended CA", &root_)) {
  state_ = {{"next", 1},
            {"counts", Json::object()},
            {"accounts", Json::object()},
            {"orders", Json::object()},
            {"authorizations", Json::object()},
            {"certificates", Json::object()},
            {"revoked", Json::array()},
            {"replaced", Json::array()}};
}

net::HttpClientFactory PretendCa::clients() {
  return [this](const net::HttpSettings&) { return std::make_unique<Client>(*this); };
}

void PretendCa::load() {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  std::ifstream file(file_);
  state_ = Json::parse(file);
}

void PretendCa::save() {
  if (file_.empty()) return;
  std::ofstream file(file_, std::ios::trunc);
  file << state_.dump();
}

int PretendCa::count(const std::string& what) {
  std::lock_guard lock(mutex_);
  load();
  return state_["counts"].value(what, 0);
}

Json PretendCa::state() {
  std::lock_guard lock(mutex_);
  load();
  return state_;
}

net::HttpResponse PretendCa::reply(int status, const Json& body, const std::string& location) {
  net::HttpResponse response{status, {{"content-type", "application/json"}}, body.dump()};
  if (!location.empty()) response.fields.emplace_back("location", location);
  return response;
}

net::HttpResponse PretendCa::with_retry_after(net::HttpResponse response) const {
  std::string status = Json::parse(response.body).value("status", "");
  if (retry_after > 0 && (status == "pending" || status == "processing")) {
    response.fields.emplace_back("retry-after", std::to_string(retry_after));
  }
  return response;
}

net::HttpResponse PretendCa::problem(int status, const std::string& kind,
                                     const std::string& detail) {
  auto response =
      reply(status, {{"type", "urn:ietf:params:acme:error:" + kind}, {"detail", detail}});
  response.fields.front().second = "application/problem+json";
  return response;
}

Result<net::HttpResponse> PretendCa::answer(const net::HttpRequest& request) {
  ++requests;
  std::lock_guard lock(mutex_);
  load();
  ck_assert_msg(request.url.starts_with(url("/")), "a request for %s", request.url.c_str());
  Signed read;
  read.path = request.url.substr(url("").size());
  if (request.method == "POST") {
    Json jws = Json::parse(request.body);
    Json header = Json::parse(decoded(jws.at("protected")));
    ck_assert(header.at("url") == request.url);
    read.account = header.value("kid", "");
    if (header.contains("jwk")) read.jwk = header["jwk"];
    read.is_signed = is_signed(request.body, read);
    std::string payload = decoded(jws.at("payload"));
    if (!payload.empty()) read.payload = Json::parse(payload);
  }
  std::string kind = read.path.substr(1, read.path.find('/', 1) - 1);
  Json& counts = state_["counts"];
  counts[kind] = counts.value(kind, 0) + 1;
  Result<net::HttpResponse> response = net::HttpResponse{};
  auto faulty = fault ? fault(read.path, read.payload) : std::nullopt;
  response = faulty ? std::move(*faulty) : Result<net::HttpResponse>(route(read));
  save();
  if (loses && loses(read.path)) return fail("connection reset");
  if (response) {
    int nonce = state_["next"].get<int>();
    state_["next"] = nonce + 1;
    response->fields.emplace_back("replay-nonce",
                                  crypto::base64url("nonce-" + std::to_string(nonce)));
  }
  return response;
}

// By the key of its account, or the one it brings. One of an unknown account is refused later.
bool PretendCa::is_signed(const std::string& jws, const Signed& request) {
  if (request.account.empty()) return jws_is_signed_by(jws, key_of_jwk(request.jwk).get());
  for (const auto& [jwk, account] : state_["accounts"].items()) {
    if (account == request.account) {
      return jws_is_signed_by(jws, key_of_jwk(Json::parse(jwk)).get());
    }
  }
  return true;
}

net::HttpResponse PretendCa::route(const Signed& request) {
  if (!request.is_signed) return problem(400, "malformed", "the signature is wrong");
  const std::string& path = request.path;
  std::string id = path.substr(path.rfind('/') + 1);
  auto is = [&](const char* start) { return path.starts_with(start); };
  if (path == "/directory") {
    Json meta{{"termsOfService", url("/terms")},
              {"externalAccountRequired", wants_external_account}};
    for (const std::string& profile : profiles) meta["profiles"][profile] = "what it is";
    if (!caa_identities.empty()) meta["caaIdentities"] = caa_identities;
    Json directory{{"newNonce", url("/nonce")},       {"newAccount", url("/new-account")},
                   {"newOrder", url("/new-order")},   {"revokeCert", url("/revoke")},
                   {"keyChange", url("/key-change")}, {"meta", meta}};
    if (has_ari) directory["renewalInfo"] = url("/renewal-info");
    return reply(200, directory);
  }
  if (path == "/nonce") return reply(200, Json::object());
  if (path == "/new-account") return new_account(request);
  if (is("/renewal-info/")) return renewal_info(id);
  if (path == "/revoke") return revoke(request.payload);
  bool known = std::any_of(state_["accounts"].begin(), state_["accounts"].end(),
                           [&](const Json& each) { return each == request.account; });
  if (!known) return problem(400, "accountDoesNotExist", "no such account");
  if (is("/account/")) return reply(200, {{"status", "valid"}});
  if (path == "/key-change") return change_key(request);
  if (path == "/new-order") return new_order(request);
  if (is("/order/") && state_["orders"].contains(id)) {
    return with_retry_after(reply(200, order_json(id)));
  }
  if (is("/finalize/")) return finalize(id, request.payload);
  if (is("/authorization/") && state_["authorizations"].contains(id)) {
    if (request.payload.is_object() && request.payload.value("status", "") == "deactivated") {
      state_["authorizations"][id]["status"] = "deactivated";
    }
    return with_retry_after(reply(200, authorization_json(id)));
  }
  if (is("/challenge/")) return answer_challenge(id);
  if (is("/certificate/") && state_["certificates"].contains(id)) {
    net::HttpResponse response{200, {{"content-type", "application/pem-certificate-chain"}}, ""};
    response.body = state_["certificates"][id]["pem"];
    return response;
  }
  return problem(404, "malformed", "nothing is there");
}

net::HttpResponse PretendCa::new_account(const Signed& request) {
  std::string key = request.jwk.dump();
  Json& accounts = state_["accounts"];
  if (accounts.contains(key)) return reply(200, {{"status", "valid"}}, accounts[key]);
  if (request.payload.value("onlyReturnExisting", false)) {
    return problem(400, "accountDoesNotExist", "no account has this key");
  }
  if (!request.payload.value("termsOfServiceAgreed", false)) {
    return problem(403, "userActionRequired", "agree to the terms");
  }
  if (wants_external_account && !request.payload.contains("externalAccountBinding")) {
    return problem(403, "externalAccountRequired", "an external account is needed");
  }
  std::string account = url("/account/" + std::to_string(accounts.size() + 1));
  accounts[key] = account;
  state_["counts"]["accounts"] = accounts.size();
  state_["last_account"] = request.payload;
  return reply(201, {{"status", "valid"}}, account);
}

net::HttpResponse PretendCa::change_key(const Signed& request) {
  std::string inner = request.payload.dump();
  Json header = Json::parse(decoded(request.payload.at("protected")));
  Json change = Json::parse(decoded(request.payload.at("payload")));
  Json& accounts = state_["accounts"];
  std::string old_key = change.at("oldKey").dump();
  std::string new_key = header.at("jwk").dump();
  if (!jws_is_signed_by(inner, key_of_jwk(header.at("jwk")).get())) {
    return problem(400, "malformed", "the inner signature is wrong");
  }
  if (!accounts.contains(old_key)) return problem(400, "malformed", "the old key is not in use");
  if (accounts.contains(new_key)) return problem(409, "conflict", "the new key is in use");
  accounts[new_key] = accounts[old_key];
  accounts.erase(old_key);
  return reply(200, {{"status", "valid"}});
}

net::HttpResponse PretendCa::new_order(const Signed& request) {
  const Json& wanted = request.payload;
  if (wanted.contains("profile")) {
    std::string profile = wanted["profile"];
    if (std::find(profiles.begin(), profiles.end(), profile) == profiles.end()) {
      return problem(400, "invalidProfile", "no profile '" + profile + "'");
    }
  }
  if (wanted.contains("replaces")) {
    Json& replaced = state_["replaced"];
    if (std::find(replaced.begin(), replaced.end(), wanted["replaces"]) != replaced.end()) {
      return problem(409, "alreadyReplaced", "it has been replaced already");
    }
    replaced.push_back(wanted["replaces"]);
  }
  std::string id = std::to_string(state_["orders"].size() + 1);
  Json order{{"status", "pending"},
             {"identifiers", wanted.at("identifiers")},
             {"account", request.account},
             {"replaces", wanted.value("replaces", "")},
             {"profile", wanted.value("profile", "")},
             {"authorizations", Json::array()}};
  for (const Json& identifier : wanted.at("identifiers")) {
    std::string authorization = std::to_string(state_["authorizations"].size() + 1);
    std::string name = identifier.at("value");
    bool wildcard = name.starts_with("*.");
    Json plain = identifier;
    if (wildcard) plain["value"] = name.substr(2);
    state_["authorizations"][authorization] = {
        {"status", "pending"}, {"identifier", plain}, {"wildcard", wildcard}, {"polls", 0}};
    order["authorizations"].push_back(authorization);
  }
  state_["orders"][id] = order;
  return reply(201, order_json(id), url("/order/" + id));
}

void PretendCa::settle_authorization(Json& authorization) {
  if (authorization["status"] != "pending" || !authorization.contains("answered")) return;
  int polls = authorization["polls"].get<int>();
  authorization["polls"] = polls + 1;
  if (polls < polls_until_valid) return;
  bool refused = authorization["identifier"]["value"] == refuses_name;
  authorization["status"] = refused ? "invalid" : "valid";
}

void PretendCa::settle_order(Json& order) {
  if (order["status"] == "pending") {
    bool all_valid = true;
    for (const Json& id : order["authorizations"]) {
      Json& authorization = state_["authorizations"][id.get<std::string>()];
      if (authorization["status"] == "invalid") order["status"] = "invalid";
      all_valid = all_valid && authorization["status"] == "valid";
    }
    if (all_valid) order["status"] = "ready";
  } else if (order["status"] == "processing") {
    int polls = order["polls"].get<int>();
    order["polls"] = polls + 1;
    if (polls >= polls_until_valid) order["status"] = "valid";
  }
}

Json PretendCa::order_json(const std::string& id) {
  Json& order = state_["orders"][id];
  settle_order(order);
  Json shown{{"status", order["status"]},
             {"identifiers", order["identifiers"]},
             {"finalize", url("/finalize/" + id)},
             {"authorizations", Json::array()}};
  for (const Json& authorization : order["authorizations"]) {
    shown["authorizations"].push_back(url("/authorization/" + authorization.get<std::string>()));
  }
  if (order["status"] == "valid") shown["certificate"] = url("/certificate/" + id);
  if (order["status"] == "invalid") {
    shown["error"] = {{"type", "urn:ietf:params:acme:error:unauthorized"},
                      {"detail", "an authorization is invalid"}};
  }
  return shown;
}

Json PretendCa::authorization_json(const std::string& id) {
  Json& authorization = state_["authorizations"][id];
  settle_authorization(authorization);
  Json shown{{"status", authorization["status"]},
             {"identifier", authorization["identifier"]},
             {"challenges", Json::array()}};
  if (authorization["wildcard"] == true) shown["wildcard"] = true;
  for (const std::string& type : challenge_types) {
    bool answered = authorization.value("answered", "") == type;
    Json challenge{
        {"type", type},
        {"url", url("/challenge/" + id + "-" + type)},
        {"token", crypto::base64url("token-of-authorization-" + id + "-" + type + "-" + host_)},
        {"status", "pending"}};
    if (answered) challenge["status"] = authorization["status"];
    if (answered && authorization["status"] == "pending") challenge["status"] = "processing";
    if (answered && authorization["status"] == "invalid") {
      challenge["error"] = {{"type", "urn:ietf:params:acme:error:unauthorized"},
                            {"detail", "the answer was wrong"}};
    }
    shown["challenges"].push_back(std::move(challenge));
  }
  return shown;
}

net::HttpResponse PretendCa::answer_challenge(const std::string& id) {
  std::string authorization = id.substr(0, id.find('-'));
  std::string type = id.substr(id.find('-') + 1);
  state_["authorizations"][authorization]["answered"] = type;
  return reply(200, {{"type", type},
                     {"url", url("/challenge/" + id)},
                     {"token", "dG9rZW4"},
                     {"status", "processing"}});
}

std::string PretendCa::issue(const Json& order, const std::string& csr) {
  crypto::Key key = key_of_csr(csr);
  std::vector<std::string> names;
  for (const Json& identifier : order["identifiers"]) names.push_back(identifier["value"]);
  UnixSeconds now = now_();
  return chain_pem_for(names, key.get(), intermediate_,
                       {.from = now - 60, .until = now - 60 + lifetime});
}

net::HttpResponse PretendCa::finalize(const std::string& id, const Json& payload) {
  Json& order = state_["orders"][id];
  settle_order(order);
  if (order["status"] != "ready") return problem(403, "orderNotReady", "it is not ready");
  std::string pem = issue(order, decoded(payload.at("csr")));
  auto chain = value_of(crypto::parse_chain(pem));
  auto facts = value_of(crypto::facts_of(chain.front().get()));
  state_["certificates"][id] = {{"pem", pem},
                                {"id", value_of(acme::renewal_id(chain.front().get()))},
                                {"from", facts.not_before},
                                {"until", facts.not_after}};
  state_["counts"]["certificates"] = state_["certificates"].size();
  order["polls"] = 0;
  order["status"] = "processing";
  return with_retry_after(reply(200, order_json(id), url("/order/" + id)));
}

net::HttpResponse PretendCa::renewal_info(const std::string& id) {
  for (const Json& certificate : state_["certificates"]) {
    if (certificate["id"] != id) continue;
    UnixSeconds from = certificate["from"];
    UnixSeconds until = certificate["until"];
    std::pair<UnixSeconds, UnixSeconds> suggested{until - lifetime / 3, until - lifetime / 4};
    if (window) suggested = window(from, until);
    auto response = reply(
        200, {{"suggestedWindow",
               {{"start", format_date(suggested.first)}, {"end", format_date(suggested.second)}}}});
    response.fields.emplace_back("retry-after", "21600");
    return response;
  }
  return problem(404, "malformed", "no such certificate");
}

net::HttpResponse PretendCa::revoke(const Json& payload) {
  state_["revoked"].push_back(payload);
  return reply(200, Json::object());
}

}  // namespace tlsguard::test
