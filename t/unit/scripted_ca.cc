// SPDX-License-Identifier: Apache-2.0
#include "scripted_ca.h"

#include <openssl/ec.h>

#include <algorithm>

#include "crypto/base64url.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

std::string decoded(const json& jws, const char* part) {
  return std::string(
      value_of(crypto::from_base64url(jws.at(part).get_ref<const std::string&>())).text());
}

// ECDSA of JWS as OpenSSL verifies it.
std::string to_der(const std::string& raw) {
  auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  auto half = static_cast<int>(raw.size() / 2);
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, half, nullptr),
                 BN_bin2bn(bytes + half, half, nullptr));
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(signature, &der);
  ck_assert_int_gt(size, 0);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return text;
}

}  // namespace

net::HttpResponse json_response(int status, const json& body) {
  return {status, {{"content-type", "application/json"}}, body.dump()};
}

net::HttpResponse problem_response(int status, const std::string& kind, const std::string& detail) {
  auto response =
      json_response(status, {{"type", "urn:ietf:params:acme:error:" + kind}, {"detail", detail}});
  response.fields.front().second = "application/problem+json";
  return response;
}

json jws_header(const std::string& jws) {
  return json::parse(decoded(json::parse(jws), "protected"));
}
std::string jws_payload(const std::string& jws) { return decoded(json::parse(jws), "payload"); }

bool jws_is_signed_by(const std::string& jws, EVP_PKEY* key) {
  json parts = json::parse(jws);
  std::string algorithm = jws_header(jws).at("alg");
  std::string signature = decoded(parts, "signature");
  std::string input =
      parts.at("protected").get<std::string>() + "." + parts.at("payload").get<std::string>();
  if (algorithm.starts_with("ES")) signature = to_der(signature);
  crypto::DigestCtx context(EVP_MD_CTX_new());
  const EVP_MD* digest = algorithm == "ES384" ? EVP_sha384() : EVP_sha256();
  ck_assert_int_eq(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key), 1);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(input.data()),
                          input.size()) == 1;
}

crypto::Key account_key() {
  // Any key will do: this one is made once a process.
  static const auto der = [] {
    auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
    return value_of(crypto::key_to_der(key.get()));
  }();
  return value_of(crypto::key_from_der(crypto::KeyType::p256, der.bytes()));
}

acme::Client make_client(const std::string& account) {
  return acme::Client(ca_directory, account_key(), account);
}

ScriptedCa::ScriptedCa() {
  for (const char* name :
       {"newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo"}) {
    directory[name] = ca_url(name);
  }
  on(ca_url("newNonce"), net::HttpResponse{200, {}, ""});
}

void ScriptedCa::on(const std::string& url, Result<net::HttpResponse> answer) {
  answers_[url].push_back(std::move(answer));
}

std::string ScriptedCa::new_nonce() {
  std::string nonce = "nonce-" + std::to_string(++nonce_);
  nonces_.insert(nonce);
  return nonce;
}

// RFC 8555 6.2, 6.4, 6.5.
void ScriptedCa::check(const net::HttpRequest& request) {
  ck_assert(request.fields.front() ==
            (std::pair<std::string, std::string>{"Content-Type", "application/jose+json"}));
  json jws = json::parse(request.body);
  ck_assert_uint_eq(jws.size(), 3);
  json header = jws_header(request.body);
  expect_text(header.at("url").get<std::string>(), request.url);
  ck_assert_msg(header.contains("jwk") != header.contains("kid"), "%s", header.dump().c_str());
  ck_assert(header.contains("alg"));
  if (checks_nonces) ck_assert_uint_eq(nonces_.erase(header.at("nonce").get<std::string>()), 1);
}

Result<net::HttpResponse> ScriptedCa::send(const net::HttpRequest& request) {
  requests.push_back(request);
  ck_assert_int_eq(request.max_redirects > 0, request.method == "GET");
  if (request.method == "POST") {
    check(request);
  } else {
    ck_assert(request.body.empty());
  }
  Result<net::HttpResponse> answer = json_response(200, directory);
  auto found = answers_.find(request.url);
  if (found != answers_.end()) {
    answer = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
  } else {
    ck_assert_msg(request.url == ca_directory, "%s is not in the script", request.url.c_str());
  }
  if (answer && gives_nonces && !answer->field("replay-nonce")) {
    answer->fields.emplace_back("replay-nonce", new_nonce());
  }
  return answer;
}

int ScriptedCa::count(const std::string& url) const {
  return static_cast<int>(std::count_if(requests.begin(), requests.end(),
                                        [&](const auto& request) { return request.url == url; }));
}

const net::HttpRequest& ScriptedCa::last(const std::string& url) const {
  auto found = std::find_if(requests.rbegin(), requests.rend(),
                            [&](const auto& request) { return request.url == url; });
  ck_assert_msg(found != requests.rend(), "nothing was asked of %s", url.c_str());
  return *found;
}

json ScriptedCa::header(const std::string& url) const { return jws_header(last(url).body); }
std::string ScriptedCa::payload(const std::string& url) const {
  return jws_payload(last(url).body);
}

}  // namespace tlsguard::test
