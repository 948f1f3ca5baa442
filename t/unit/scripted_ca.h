// SPDX-License-Identifier: Apache-2.0
// A CA as a script: what is answered to which URL. It holds each signed request against what every
// CA checks (RFC 8555 6), so that tests need not. One thread at a time.
#ifndef TLSGUARD_T_UNIT_SCRIPTED_CA_H
#define TLSGUARD_T_UNIT_SCRIPTED_CA_H

#include "suites.h"

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "acme/client.h"
#include "net/http_client.h"

namespace tlsguard::test {

// Of the scripted CA.
inline const std::string ca_directory = "https://ca.example/directory";
inline const std::string ca_account = "https://ca.example/account/1";
inline constexpr UnixSeconds ca_time = 1'800'000'000;
inline std::string ca_url(const std::string& path) { return "https://ca.example/" + path; }

net::HttpResponse json_response(int status, const nlohmann::json& body);
net::HttpResponse problem_response(int status, const std::string& kind,
                                   const std::string& detail = "because");

class ScriptedCa : public net::HttpClient {
 public:
  // Has a directory of all resources and gives nonces.
  ScriptedCa();

  // The next request for this URL is answered so; further ones come after it. The last answer goes
  // on for ever.
  void on(const std::string& url, Result<net::HttpResponse> answer);
  void clear(const std::string& url) { answers_.erase(url); }
  Result<net::HttpResponse> send(const net::HttpRequest& request) override;

  nlohmann::json directory;   // what is answered to ca_directory
  bool gives_nonces = true;   // with every response
  bool checks_nonces = true;  // that each was given, and is used once
  std::vector<net::HttpRequest> requests;

  [[nodiscard]] int count(const std::string& url) const;
  // Of the last request for this URL.
  [[nodiscard]] nlohmann::json header(const std::string& url) const;
  [[nodiscard]] std::string payload(const std::string& url) const;

 private:
  std::string new_nonce();
  void check(const net::HttpRequest& request);
  [[nodiscard]] const net::HttpRequest& last(const std::string& url) const;

  std::map<std::string, std::deque<Result<net::HttpResponse>>> answers_;
  std::set<std::string> nonces_;
  int nonce_ = 0;
};

// A decoded part of a flattened JWS.
nlohmann::json jws_header(const std::string& jws);
std::string jws_payload(const std::string& jws);
// That it was signed with this key (its public half is enough).
bool jws_is_signed_by(const std::string& jws, EVP_PKEY* key);

// A client of that CA, with an account (or none) and a P-256 key that is the same in all tests.
crypto::Key account_key();
acme::Client make_client(const std::string& account = ca_account);

}  // namespace tlsguard::test

#endif
