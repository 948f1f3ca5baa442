// SPDX-License-Identifier: Apache-2.0
// SetHandler tlsguard-status: the page for people, JSON, metrics or a plain table; SetHandler
// tlsguard-metrics: the metrics; and the section in mod_status. What they say is made in status/.
#ifndef TLSGUARD_HTTPD_STATUS_H
#define TLSGUARD_HTTPD_STATUS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

extern "C" {
int on_status_request(request_rec* r) noexcept;
// mod_status's optional hook.
int on_server_status(request_rec* r, int flags) noexcept;
}

}  // namespace tlsguard::httpd

#endif
