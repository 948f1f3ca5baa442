// SPDX-License-Identifier: Apache-2.0
// HttpClient by libcurl. One connection is kept between requests, with its TLS session, so that a
// job's requests to one CA cost one handshake. Nothing of the environment or of ~/.netrc is used,
// no cookies are kept, nothing is decompressed.
//
// Bounds besides the request's own: max_header_bytes and max_header_fields over all the headers of
// a request (redirects and 1xx responses included), connect_timeout. What is beyond a bound ends
// the transfer at once and is an error, without the rest being read.
#ifndef TLSGUARD_NET_CURL_CLIENT_H
#define TLSGUARD_NET_CURL_CLIENT_H

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "net/http_client.h"

namespace tlsguard::net {

inline constexpr std::size_t max_header_bytes = 64UL * 1024;
inline constexpr std::size_t max_header_fields = 200;
inline constexpr std::chrono::seconds connect_timeout{15};

// Whom the requests are for: how errors call the other side, and what is allowed.
enum class Peer : std::uint8_t {
  ca,       // https only, the certificate verified
  webhook,  // http, too, where the administrator has written so
  // Our own name from outside. As a CA does for http-01 (RFC 8555 8.3): http and https, any
  // certificate, redirects from one to the other.
  self_check,
};

// GET, HEAD and POST. The factory may be called in any thread, at any time.
[[nodiscard]] HttpClientFactory curl_clients(Peer peer);

}  // namespace tlsguard::net

#endif
