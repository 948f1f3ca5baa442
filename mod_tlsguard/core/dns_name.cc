// SPDX-License-Identifier: Apache-2.0
#include "core/dns_name.h"

#include <arpa/inet.h>

#include <array>
#include <cstddef>

#include "core/text.h"

namespace tlsguard {
namespace {

// INET6_ADDRSTRLEN counts the NUL.
constexpr std::size_t longest_ip_text = INET6_ADDRSTRLEN - 1;

bool is_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  std::array<unsigned char, 16> address{};
  if (text.size() > longest_ip_text || text.find('\0') != std::string_view::npos) return false;
  text.copy(terminated.data(), text.size());
  return inet_pton(family, terminated.data(), address.data()) == 1;
}

}  // namespace

bool matches_alias_pattern(std::string_view name, std::string_view pattern) {
  constexpr auto none = std::string_view::npos;
  std::size_t n = 0;
  std::size_t p = 0;
  // Where to go on when what follows the last '*' does not fit: it takes one more character.
  // Earlier ones need no second look, so the time is at most length times length.
  std::size_t after_star = none;
  std::size_t star_end = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_end = n;
    } else if (p < pattern.size() &&
               (pattern[p] == '?' || to_lower(pattern[p]) == to_lower(name[n]))) {
      ++p;
      ++n;
    } else if (after_star != none) {
      p = after_star;
      n = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_ip_literal(std::string_view host) {
  if (host.empty()) return false;
  if (host.front() == '[') {
    if (host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
    // RFC 6874: a zone may follow.
    return is_address(AF_INET6, host.substr(0, host.find('%')));
  }
  if (host.find(':') != std::string_view::npos) {
    return is_address(AF_INET6, host.substr(0, host.find('%')));
  }
  // The absolute form of a name ends in a dot, and browsers drop it from an address too.
  if (host.back() == '.') host.remove_suffix(1);
  // Most hosts are names, and no top-level domain ends in a digit but for an xn-- one.
  if (host.empty() || host.back() < '0' || host.back() > '9') return false;
  return is_address(AF_INET, host);
}

}  // namespace tlsguard
