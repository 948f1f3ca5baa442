// SPDX-License-Identifier: Apache-2.0
// The only way to httpd's headers. They come after the standard ones, because they define macros
// with everyday names (OK); those are taken away again.
#ifndef TLSGUARD_HTTPD_INCLUDES_H
#define TLSGUARD_HTTPD_INCLUDES_H

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

// C++20 has designated initialisers, so AP_INIT_* needs no casts.
#define AP_HAVE_DESIGNATED_INITIALIZER 1

#include <httpd.h>
//
#include <ap_listen.h>
#include <ap_mpm.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_ssl.h>
#include <http_vhost.h>
#include <mod_ssl.h>
#include <mod_ssl_openssl.h>
#include <mod_status.h>
#include <mpm_common.h>
#include <scoreboard.h>
#include <unixd.h>
#include <util_filter.h>

#undef OK
#undef DECLINED
#undef DONE

extern "C" {
APLOG_USE_MODULE(tlsguard);
}

namespace tlsguard::httpd {

// What hooks answer (httpd.h's OK, DECLINED, DONE).
inline constexpr int ok = 0;
inline constexpr int declined = -1;
inline constexpr int done = -2;

}  // namespace tlsguard::httpd

#endif
