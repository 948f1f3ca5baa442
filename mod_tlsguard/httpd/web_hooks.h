// SPDX-License-Identifier: Apache-2.0
// HSTS and redirects at httpd's hooks; the decisions are web/'s.
#ifndef TLSGUARD_HTTPD_WEB_HOOKS_H
#define TLSGUARD_HTTPD_WEB_HOOKS_H

#include "httpd/includes.h"
#include "httpd/server_conf.h"

namespace tlsguard::httpd {

inline constexpr const char* hsts_filter_name = "TLSGUARD_HSTS";
// The filter that sets the field; registered while hooks are.
void register_hsts_filter();

// A request in clear is let through (declined), redirected or refused. Initial requests only.
int check_clear(request_rec* r, const ServerConf& conf);

extern "C" {
// First of all, for main requests: the filter is there whatever becomes of the request.
int on_create_request(request_rec* r) noexcept;
}

}  // namespace tlsguard::httpd

#endif
