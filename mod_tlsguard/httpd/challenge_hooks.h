// SPDX-License-Identifier: Apache-2.0
// Requests about managed domains: a CA's http-01 challenge, and those that come before there is a
// certificate. Workers; before anything else looks at the request.
#ifndef TLSGUARD_HTTPD_CHALLENGE_HOOKS_H
#define TLSGUARD_HTTPD_CHALLENGE_HOOKS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

struct ConnState;
struct Runtime;

// RFC 8555 8.3: GET or HEAD of exactly the path of a token that is pending for the host asked.
// Declined: it is none of ours, and other clients' challenges pass. Every virtual host, TLS or not.
int answer_challenge(request_rec* r, const Runtime& runtime);

// 503 where the connection has a placeholder for a certificate; else declined.
int check_placeholder(request_rec* r, const ConnState* state);

}  // namespace tlsguard::httpd

#endif
