// SPDX-License-Identifier: Apache-2.0
// The real SSL_CTX of each virtual host, once mod_ssl has made it: tightened, compared with what
// was worked out on a scratch context, and given our callbacks. post_config, one thread.
#ifndef TLSGUARD_HTTPD_CONTEXTS_H
#define TLSGUARD_HTTPD_CONTEXTS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

extern "C" int on_init_server(server_rec* s, apr_pool_t* p, int is_proxy, SSL_CTX* ctx) noexcept;

}  // namespace tlsguard::httpd

#endif
