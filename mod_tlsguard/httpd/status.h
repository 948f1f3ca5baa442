// SPDX-License-Identifier: Apache-2.0
// SetHandler tlsguard-status: the census of this server, as JSON (`?json`, or Accept) or as a
// table.
#ifndef TLSGUARD_HTTPD_STATUS_H
#define TLSGUARD_HTTPD_STATUS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

extern "C" int on_status_request(request_rec* r) noexcept;

}  // namespace tlsguard::httpd

#endif
