// SPDX-License-Identifier: Apache-2.0
// Requests about managed domains: a CA's http-01 challenge, and those that come before there is a
// certificate (503). Workers; before anything else looks at the request.
#ifndef TLSGUARD_HTTPD_CHALLENGE_HOOKS_H
#define TLSGUARD_HTTPD_CHALLENGE_HOOKS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

// As a quick handler: before a cache answers, and in every virtual host, TLS or not.
extern "C" int on_managed_request(request_rec* r, int lookup) noexcept;

}  // namespace tlsguard::httpd

#endif
