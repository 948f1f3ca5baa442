// SPDX-License-Identifier: Apache-2.0
// The life of a configuration: made, merged, judged, put to work.
#ifndef TLSGUARD_HTTPD_HOOKS_H
#define TLSGUARD_HTTPD_HOOKS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

extern "C" {
void* on_create_server_config(apr_pool_t* pool, server_rec* s) noexcept;
void* on_merge_server_config(apr_pool_t* pool, void* base, void* add) noexcept;
int on_check_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp,
                    server_rec* base) noexcept;
void on_test_config(apr_pool_t* pconf, server_rec* base) noexcept;
// Before anything is served, from a cache either: who must not be answered here (421), and who came
// in clear. Not in post_read_request, whose errors end an HTTP/1.1 connection; mod_setenvif has had
// its turn by then.
int on_quick_handler(request_rec* r, int lookup) noexcept;
int on_post_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp,
                   server_rec* base) noexcept;
}

}  // namespace tlsguard::httpd

#endif
