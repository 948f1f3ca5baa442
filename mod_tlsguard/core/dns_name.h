// SPDX-License-Identifier: Apache-2.0
// Host names as httpd and TLS compare them. Thread-safe, pure.
#ifndef TLSGUARD_CORE_DNS_NAME_H
#define TLSGUARD_CORE_DNS_NAME_H

#include <string_view>

namespace tlsguard {

// Shell-like match of httpd's ServerAlias patterns: '*' any run, '?' any one character,
// case-insensitive (httpd's ap_strcasecmp_match).
[[nodiscard]] bool matches_alias_pattern(std::string_view name, std::string_view pattern);

// An IPv4 address, or an IPv6 address with or without brackets. RFC 6797 8.1.1: such hosts are
// never HSTS hosts.
[[nodiscard]] bool is_ip_literal(std::string_view host);

}  // namespace tlsguard

#endif
