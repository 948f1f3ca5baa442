// SPDX-License-Identifier: Apache-2.0
// The request's side of the guard: no way around the policy by the Host field, by renegotiation or
// by a handshake that was not seen. And the variables that logs and expressions read.
#ifndef TLSGUARD_HTTPD_REQUEST_GUARD_H
#define TLSGUARD_HTTPD_REQUEST_GUARD_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

struct ConnState;

// 421 (RFC 9110 15.5.20) where the Host's virtual host asks for more than the connection has; else
// declined. Initial requests only.
int check_host(request_rec* r, ConnState& state);

// The variables that logs and expressions read; once the handshake is over.
[[nodiscard]] apr_table_t* make_environment(const conn_rec* c, const ConnState& state);

extern "C" {
// Every request, after mod_ssl's: the variables; and nothing is served on a connection whose
// handshake was not seen to the end.
int on_read_request(request_rec* r) noexcept;
// After mod_ssl's, which renegotiates for a directory's SSLCipherSuite: 403 where that led below
// the policy.
int on_check_access(request_rec* r) noexcept;
}

}  // namespace tlsguard::httpd

#endif
