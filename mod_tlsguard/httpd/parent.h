// SPDX-License-Identifier: Apache-2.0
// What httpd's parent process does while it runs: keeps the census and the HSTS ramps, writes them
// down, says once a day who was refused. Parent only, one thread; workers see nothing of it but
// the board.
#ifndef TLSGUARD_HTTPD_PARENT_H
#define TLSGUARD_HTTPD_PARENT_H

#include "httpd/includes.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

// In post_config's real pass, after mod_ssl: gives the workers their places on the board. Never
// fails: without a store or a board it logs and goes on without.
void start_parent(apr_pool_t* pconf, server_rec* base, Runtime& runtime);

// httpd's monitor hook: every ten seconds or so.
extern "C" int on_monitor(apr_pool_t* p, server_rec* s) noexcept;

}  // namespace tlsguard::httpd

#endif
