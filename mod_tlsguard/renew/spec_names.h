// SPDX-License-Identifier: Apache-2.0
// Names that a certificate can have, as a configuration or a TLSGuardDomainList writes them. Pure;
// thread-safe.
#ifndef TLSGUARD_RENEW_SPEC_NAMES_H
#define TLSGUARD_RENEW_SPEC_NAMES_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::renew {

// CAs issue for so many names at most.
inline constexpr std::size_t max_names = 100;

// A DNS name (RFC 1035 2.3.1, RFC 5280 4.2.1.6), perhaps with "*." before it, or an IP address; in
// lower case, an IP address as inet_ntop writes it.
[[nodiscard]] Result<std::string> certificate_name(std::string_view text);

// The same of several: no duplicates, one at least, max_names at most.
[[nodiscard]] Result<std::vector<std::string>> certificate_names(
    const std::vector<std::string>& words);

// One line of a TLSGuardDomainList.
struct ListLine {
  std::size_t number = 0;  // from 1 on
  std::vector<std::string> names;
};
struct BadLine {
  std::size_t number = 0;
  std::string why;
};
struct DomainList {
  std::vector<ListLine> lines;
  std::vector<BadLine> bad;  // skipped: no names, or one that a line before it has
};
inline constexpr std::size_t max_list_bytes = 64UL * 1024 * 1024;
inline constexpr std::size_t max_list_lines = 100'000;

// `name name …` a line; `#` begins a comment. Never fails: what is wrong is in `bad`.
[[nodiscard]] DomainList parse_domain_list(std::string_view text);

}  // namespace tlsguard::renew

#endif
