// SPDX-License-Identifier: Apache-2.0
// The exception barrier. Every function that httpd or OpenSSL calls is extern "C", noexcept, and
// its body is one guard(): nothing thrown ever reaches C code.
#ifndef TLSGUARD_HTTPD_GUARD_H
#define TLSGUARD_HTTPD_GUARD_H

#include <exception>
#include <utility>

#include "httpd/log.h"

namespace tlsguard::httpd {

// site: the entry point's name, for the log. fallback: what C code gets when the body throws; on
// the handshake path it is the value that fails closed.
// Inlined: on the request path a call frame is a good part of what we cost.
template <typename T, typename Body>
[[gnu::always_inline]] inline T guard(const char* site, T fallback, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& e) {
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, nullptr, "TG0001: %s failed: %s", site, e.what());
  } catch (...) {
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, nullptr, "TG0001: %s failed", site);
  }
  return fallback;
}

template <typename Body>
void guard(const char* site, Body&& body) noexcept {
  guard(site, 0, [&] {
    std::forward<Body>(body)();
    return 0;
  });
}

}  // namespace tlsguard::httpd

#endif
