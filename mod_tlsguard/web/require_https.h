// SPDX-License-Identifier: Apache-2.0
// TLSGuardRequireHTTPS: what becomes of a request that came in clear. Pure; thread-safe.
#ifndef TLSGUARD_WEB_REQUIRE_HTTPS_H
#define TLSGUARD_WEB_REQUIRE_HTTPS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"

namespace tlsguard::web {

// In order of strictness.
enum class RequireHttps : unsigned char { off, temporary, permanent, refuse };

// The argument of TLSGuardRequireHTTPS, in any case. The error names the directive.
[[nodiscard]] Result<RequireHttps> parse_require_https(std::string_view argument);
[[nodiscard]] std::string_view require_https_name(RequireHttps setting);
[[nodiscard]] constexpr RequireHttps stricter(RequireHttps a, RequireHttps b) {
  return a < b ? b : a;
}

// A request in clear (forwarded.h, came_secure is false). The views are the caller's.
struct ClearRequest {
  RequireHttps setting = RequireHttps::off;  // of the name, whichever virtual host answers
  std::string_view method;                   // as sent: methods are case-sensitive
  std::string_view host;    // without port; where the request named none, the ServerName. IPv6 with
                            // or without brackets. Controlled by the client
  std::string_view target;  // the request target as sent: httpd's unparsed_uri
  std::uint16_t port = 443;        // where TLS is reached from outside (port_map.h, redirect_port)
  bool tls_host_exists = false;    // a TLS virtual host serves this host
  bool placeholder = false;        // whose certificate is a placeholder
  bool trusted_proxy = false;      // TLSGuardTrustedProxy is set: TLS may end in front of us
  bool pending_challenge = false;  // the path is that of a challenge a CA is about to fetch
  bool plain_wanted = false;       // the environment has tlsguard-plain
};

struct Pass {
  bool operator==(const Pass&) const = default;
};
// RFC 9110 15.4: 301 and 302 let a client turn POST into GET, so they are for GET and HEAD only;
// 307 and 308 keep the method.
struct Redirect {
  int status = 302;
  std::string location;  // an absolute URL: visible ASCII only
  bool operator==(const Redirect&) const = default;
};
// 403, `Cache-Control: no-store`, and the connection is closed.
struct Refuse {
  static constexpr int status = 403;
  static constexpr const char* cache_control = "no-store";
  bool operator==(const Refuse&) const = default;
};
using ClearDecision = std::variant<Pass, Redirect, Refuse>;

// CONNECT names no resource and passes, except under `refuse`. A host or target from which no
// valid URL can be made is refused rather than served in clear.
[[nodiscard]] ClearDecision decide_clear(const ClearRequest& request);

// `https://host[:port]target`, or nothing if no valid URL comes of it. The host is checked and put
// in lower case. The target may be in origin-form, absolute-form (its scheme and authority are
// dropped) or `*` (no path: RFC 9112 3.2.4); a fragment is dropped, and bytes that may not stand in
// a URL are percent-encoded.
[[nodiscard]] std::optional<std::string> https_location(std::string_view host, std::uint16_t port,
                                                        std::string_view target);

}  // namespace tlsguard::web

#endif
