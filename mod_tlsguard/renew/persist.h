// SPDX-License-Identifier: Apache-2.0
// dns-persist-01 (draft-ietf-acme-dns-persist): a TXT record that the administrator publishes once
// and that stays. Which record, and whether what is published will do. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_PERSIST_H
#define TLSGUARD_RENEW_PERSIST_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"

namespace tlsguard::renew {

// What the record has to say.
struct PersistClaim {
  std::string name;                  // the name to prove, wildcards as "*.example.org"
  std::vector<std::string> issuers;  // any of them will do; the first one is what we propose
  std::string account_url;
  bool wildcard_too = false;  // the domain has "*.<name>" as well: one record shall do for both
};

// An error where a CA's challenge offers no issuer, more than ten, or one that is no domain name.
[[nodiscard]] Result<void> check_issuers(const std::vector<std::string>& issuers);

// "<issuer>; accounturi=<URL>", for a wildcard "; policy=wildcard" after it, which does for the
// name below it, too.
[[nodiscard]] std::string persist_value(const PersistClaim& claim);
// As a line of a zone file, in strings of at most 255 octets: for state, log and the event
// `action-needed`.
[[nodiscard]] std::string persist_zone_line(const PersistClaim& claim);

struct PersistMatch {
  bool found = false;
  std::optional<UnixSeconds> until;  // of what was found; none: it does not end
  bool other_issuer = false;  // one for our account would do, if the CA answers to its issuer
  std::vector<std::string> rejected;  // why records of this issuer or this account do not do
};
// records: the TXT records at the claim's record_name(), each joined. Of several that do the one
// that lasts longest counts.
[[nodiscard]] PersistMatch match_persist(const PersistClaim& claim,
                                         const std::vector<std::string>& records, UnixSeconds now);

}  // namespace tlsguard::renew

#endif
