// SPDX-License-Identifier: Apache-2.0
// A small CA in memory, for what drives orders: it keeps accounts, orders and authorizations, and
// signs certificates. Signatures of requests are not verified here (the ACME client's own tests do
// that), but who signs is heeded. Its state can be kept in a file, so that it outlives processes
// that are made to die. Thread-safe.
#ifndef TLSGUARD_T_UNIT_PRETEND_CA_H
#define TLSGUARD_T_UNIT_PRETEND_CA_H

#include "suites.h"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/unix_time.h"
#include "issued.h"
#include "net/http_client.h"

namespace tlsguard::test {

class PretendCa {
 public:
  // state_file: empty for memory alone.
  PretendCa(std::string host, Clock now, std::string state_file = {});

  [[nodiscard]] std::string directory_url() const { return "https://" + host_ + "/directory"; }
  [[nodiscard]] net::HttpClientFactory clients();
  Result<net::HttpResponse> answer(const net::HttpRequest& request);

  // How it behaves. To be set before it is asked.
  std::int64_t lifetime = 90 * one_day;
  int polls_until_valid = 0;  // of a challenge, and of finalize
  int retry_after = 0;       // seconds, said with what is pending or processing; 0: nothing is said
  std::string refuses_name;  // whose validation fails
  std::vector<std::string> challenge_types{"http-01"};
  std::vector<std::string> profiles;
  std::vector<std::string> caa_identities;
  bool has_ari = true;
  bool wants_external_account = false;
  std::function<std::pair<UnixSeconds, UnixSeconds>(UnixSeconds from, UnixSeconds until)> window;
  // Asked first, with path and payload; an answer is the CA's.
  std::function<std::optional<Result<net::HttpResponse>>(const std::string& path,
                                                         const nlohmann::json& payload)>
      fault;
  // Asked last, with the path: whether the answer to what was done is lost.
  std::function<bool(const std::string& path)> loses;
  // A problem document (RFC 8555 6.7); kind without its prefix.
  [[nodiscard]] static net::HttpResponse problem(int status, const std::string& kind,
                                                 const std::string& detail);

  // What it has seen.
  [[nodiscard]] int count(const std::string& what);  // "new-order", "certificates", "accounts" …
  [[nodiscard]] nlohmann::json state();
  std::atomic<int> requests = 0;

 private:
  struct Signed {
    std::string path;
    std::string account;  // URL; empty: by a key
    nlohmann::json jwk;
    nlohmann::json payload;  // null for POST-as-GET
    bool is_signed = true;   // or need not be
  };
  using Json = nlohmann::json;
  bool is_signed(const std::string& jws, const Signed& request);
  net::HttpResponse route(const Signed& request);
  net::HttpResponse new_account(const Signed& request);
  net::HttpResponse change_key(const Signed& request);
  net::HttpResponse new_order(const Signed& request);
  net::HttpResponse finalize(const std::string& id, const Json& payload);
  net::HttpResponse answer_challenge(const std::string& id);
  net::HttpResponse renewal_info(const std::string& id);
  net::HttpResponse revoke(const Json& payload);
  Json order_json(const std::string& id);
  Json authorization_json(const std::string& id);
  void settle_order(Json& order);
  void settle_authorization(Json& authorization);
  std::string issue(const Json& order, const std::string& csr);
  std::string url(const std::string& path) const { return "https://" + host_ + path; }
  net::HttpResponse with_retry_after(net::HttpResponse response) const;
  static net::HttpResponse reply(int status, const Json& body, const std::string& location = {});
  void load();
  void save();

  std::string host_;
  Clock now_;
  std::string file_;
  Issuer root_;
  Issuer intermediate_;
  std::mutex mutex_;
  Json state_;
};

}  // namespace tlsguard::test

#endif
