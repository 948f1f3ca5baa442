// SPDX-License-Identifier: Apache-2.0
// How the client came to the proxy in front of us: X-Forwarded-Proto, and Forwarded of RFC 7239.
// Only a trusted peer's word counts (trusted_proxy.h). Pure, bounded, no allocation; thread-safe.
#ifndef TLSGUARD_WEB_FORWARDED_H
#define TLSGUARD_WEB_FORWARDED_H

#include <optional>
#include <string_view>

namespace tlsguard::web {

enum class ForwardedScheme : unsigned char {
  absent,  // neither field is there
  https,   // every element of every field there says https
  clear,   // anything else: http, mixed, an element that does not say, malformed, too long
};

// The fields' values; several lines of one field joined by commas, as httpd does. nullopt: not
// there, which is not the same as empty.
[[nodiscard]] ForwardedScheme forwarded_scheme(std::optional<std::string_view> x_forwarded_proto,
                                               std::optional<std::string_view> forwarded);

// Whether the client came over TLS. A trusted proxy's word counts both ways; without a word the
// connection counts.
[[nodiscard]] constexpr bool came_secure(bool connection_tls, bool peer_trusted,
                                         ForwardedScheme scheme) {
  if (!peer_trusted || scheme == ForwardedScheme::absent) return connection_tls;
  return scheme == ForwardedScheme::https;
}

}  // namespace tlsguard::web

#endif
