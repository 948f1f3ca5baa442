// SPDX-License-Identifier: Apache-2.0
// What proves a name in DNS: where the record stands, and what is in it. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_CHALLENGE_RECORDS_H
#define TLSGUARD_RENEW_CHALLENGE_RECORDS_H

#include <string>
#include <string_view>

#include "core/error.h"
#include "renew/spec.h"

namespace tlsguard::renew {

// "*.example.org" -> "example.org": challenges are about the name below the wildcard.
[[nodiscard]] std::string without_wildcard(std::string_view name);

// dns-01: "_acme-challenge.<name>" (RFC 8555 8.4). dns-account-01: the same below a label of the
// account's, "_" base32(SHA-256(account URL)[0..9]) in lower case
// (draft-ietf-acme-dns-account-label 3.1); an error while there is no account. dns-persist-01:
// "_validation-persist.<name>" (draft-ietf-acme-dns-persist). Other types have none: an error.
[[nodiscard]] Result<std::string> record_name(ChallengeType type, std::string_view name,
                                              std::string_view account_url);

// base64url(SHA-256(key authorization)), for dns-01 and dns-account-01.
[[nodiscard]] std::string record_value(std::string_view key_authorization);

// The server name that a CA sends for tls-alpn-01: the DNS name; for an IP address its name below
// in-addr.arpa or ip6.arpa (RFC 8738 6).
[[nodiscard]] std::string alpn_server_name(std::string_view identifier);

}  // namespace tlsguard::renew

#endif
