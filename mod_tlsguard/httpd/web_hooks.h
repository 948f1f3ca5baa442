// SPDX-License-Identifier: Apache-2.0
// HSTS and redirects at httpd's hooks; the decisions are web/'s.
#ifndef TLSGUARD_HTTPD_WEB_HOOKS_H
#define TLSGUARD_HTTPD_WEB_HOOKS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

inline constexpr const char* hsts_filter_name = "TLSGUARD_HSTS";
// The filter that sets the field; registered while hooks are.
void register_hsts_filter();

extern "C" {
// First of all, for main requests: the filter is there whatever becomes of the request.
int on_create_request(request_rec* r) noexcept;
// Before anything is served: a request in clear is let through, redirected or refused. mod_setenvif
// has had its turn by then.
int on_clear_request(request_rec* r, int lookup) noexcept;
}

}  // namespace tlsguard::httpd

#endif
