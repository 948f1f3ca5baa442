// SPDX-License-Identifier: Apache-2.0
// Which CAs a name allows to issue for it (RFC 8659), with RFC 8657's accounts and validation
// methods, as a CA would judge it. Pure, but for find_caa, which asks DNS; thread-safe.
#ifndef TLSGUARD_RENEW_CAA_H
#define TLSGUARD_RENEW_CAA_H

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "net/dns_message.h"

namespace tlsguard::renew {

// Who asks.
struct CaaApplicant {
  std::vector<std::string> identities;  // the CA's (RFC 8555 9.7.6); empty: not known
  std::string account_url;              // empty: not known
};

struct CaaVerdict {
  bool forbidden = false;  // never without a reason
  std::string reason;      // why, in words; where: the caller knows
  // Names of the challenge types that may be used; nullopt: all.
  std::optional<std::vector<std::string>> methods;
};

// records: the relevant record set; empty: anybody may issue. What cannot be known is allowed.
[[nodiscard]] CaaVerdict judge_caa(const std::vector<net::DnsRecord>& records, bool wildcard,
                                   const CaaApplicant& applicant);

struct CaaRecords {
  std::string owner;  // where they were found; empty: nowhere up to the top
  std::vector<net::DnsRecord> records;
};
// Climbs from the name to the top-level domain (RFC 8659 3). name: without "*.".
using AskCaa = std::function<Result<net::DnsAnswer>(const std::string& name)>;
[[nodiscard]] Result<CaaRecords> find_caa(const std::string& name, const AskCaa& ask);

}  // namespace tlsguard::renew

#endif
