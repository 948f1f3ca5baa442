// SPDX-License-Identifier: Apache-2.0
// The bodies of a CA's responses, read (RFC 8555 7.1, RFC 9773 4.2). Untrusted bytes; pure,
// thread-safe.
#ifndef TLSGUARD_ACME_DOCUMENTS_H
#define TLSGUARD_ACME_DOCUMENTS_H

#include <cstddef>
#include <string_view>
#include <vector>

#include "acme/types.h"
#include "core/error.h"

namespace tlsguard::acme {

inline constexpr std::size_t max_identifiers = 1000;

[[nodiscard]] Result<Directory> parse_directory(std::string_view body);

struct OrderDocument {
  Order order;                          // url and retry_after are the response's, not the body's
  std::vector<Identifier> identifiers;  // as the CA repeats them; empty: it does not
};
[[nodiscard]] Result<OrderDocument> parse_order(std::string_view body);

// Challenges of types unknown here are left out, and so is a dns-persist-01 that names no issuer as
// it must. A token that is none (store::is_token) is an error.
[[nodiscard]] Result<Authorization> parse_authorization(std::string_view body);
[[nodiscard]] Result<Challenge> parse_challenge(std::string_view body);

// An error where the window ends before it begins (RFC 9773 4.2: as if there were no answer).
[[nodiscard]] Result<RenewalInfo> parse_renewal_info(std::string_view body);

}  // namespace tlsguard::acme

#endif
