// SPDX-License-Identifier: Apache-2.0
// The objects of ACME (RFC 8555 7.1) as far as a client needs them. Plain values.
#ifndef TLSGUARD_ACME_TYPES_H
#define TLSGUARD_ACME_TYPES_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/unix_time.h"

namespace tlsguard::acme {

// RFC 8555 9.7.7, RFC 8738 3.
struct Identifier {
  enum class Type : std::uint8_t { dns, ip };
  Type type = Type::dns;
  std::string value;  // DNS: lower case, wildcards as "*.example.org"; IP: as inet_ntop writes it
  bool operator==(const Identifier&) const = default;
};
// An IP address is one of type ip, all else is DNS.
[[nodiscard]] Identifier identifier_of(const std::string& name);

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string revoke_cert;
  std::string key_change;
  std::string renewal_info;  // RFC 9773; empty: the CA has none
  std::string terms_of_service;
  bool external_account_required = false;
  std::vector<std::string> caa_identities;
  std::map<std::string, std::string> profiles;  // name -> what it is (draft-ietf-acme-profiles)
};

// RFC 8555 7.1.6.
enum class Status : std::uint8_t {
  pending,
  ready,
  processing,
  valid,
  invalid,
  deactivated,
  expired,
  revoked
};

// RFC 7807 with ACME's subproblems (RFC 8555 6.7). As read from a CA its texts are plain and short.
struct Problem {
  std::string type;  // "urn:ietf:params:acme:error:rateLimited"; may be empty
  std::string detail;
  std::string instance;
  int status = 0;
  struct Sub {
    std::string type;
    std::string detail;
    std::string identifier;
  };
  std::vector<Sub> subproblems;

  // One line for people: what the CA says, subproblems included, control characters taken out.
  [[nodiscard]] std::string text() const;
};

struct Order {
  std::string url;
  Status status = Status::pending;
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // URL, once valid
  std::optional<Problem> error;
  std::int64_t retry_after = 0;  // seconds the CA asks to wait; 0: it does not say
};

struct Challenge {
  std::string type;  // http-01, tls-alpn-01, dns-01, dns-account-01, dns-persist-01
  std::string url;
  std::string token;  // dns-persist-01 has none
  Status status = Status::pending;
  std::vector<std::string> issuer_domain_names;  // dns-persist-01
  std::optional<Problem> error;
};

struct Authorization {
  std::string url;
  Identifier identifier;
  bool wildcard = false;
  Status status = Status::pending;
  std::vector<Challenge> challenges;
  std::int64_t retry_after = 0;
};

// RFC 9773 4.2.
struct RenewalInfo {
  UnixSeconds start = 0;
  UnixSeconds end = 0;
  std::string explanation_url = {};
  std::optional<std::int64_t> retry_after = {};  // seconds
};

}  // namespace tlsguard::acme

#endif
