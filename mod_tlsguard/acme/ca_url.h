// SPDX-License-Identifier: Apache-2.0
// Which URLs of a CA are followed. Pure; thread-safe.
#ifndef TLSGUARD_ACME_CA_URL_H
#define TLSGUARD_ACME_CA_URL_H

#include <cstddef>
#include <string_view>

namespace tlsguard::acme {

inline constexpr std::size_t max_url = 2048;

// https with a host, without user information and fragment, of visible ASCII characters that a URL
// may have (RFC 3986 2), max_url bytes at most. The host need not be the directory's: CAs have more
// than one.
[[nodiscard]] bool is_ca_url(std::string_view url);

// The host, and the port where one is written: for messages. url: is_ca_url.
[[nodiscard]] std::string_view host_of(std::string_view url);

}  // namespace tlsguard::acme

#endif
