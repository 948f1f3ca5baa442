// SPDX-License-Identifier: Apache-2.0
// The value of CAA's issue and issuewild (RFC 8659 4.2), which dns-persist-01 uses too: an issuer
// and parameters. It comes out of DNS, so from anybody. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_ISSUE_VALUE_H
#define TLSGUARD_RENEW_ISSUE_VALUE_H

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace tlsguard::renew {

struct IssueValue {
  std::string issuer;  // lower case, without the last dot; empty: nobody
  std::vector<std::pair<std::string, std::string>> parameters;  // tags in lower case, in order

  // How often this tag is there.
  [[nodiscard]] std::size_t count(std::string_view tag) const;
  // The first one's value; nullopt: it is not there.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view tag) const;
};

// An error where it is not of RFC 8659's grammar, or has more than 64 parameters.
[[nodiscard]] Result<IssueValue> parse_issue_value(std::string_view text);

}  // namespace tlsguard::renew

#endif
