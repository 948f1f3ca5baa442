// SPDX-License-Identifier: Apache-2.0
// The whole configuration judged, in check_config: `httpd -t` ends before post_config, and an error
// that only post_config finds kills a running server on reload. What passes here does not fail
// later for a reason of ours. Neither store nor network is touched.
#ifndef TLSGUARD_HTTPD_JUDGE_CONFIG_H
#define TLSGUARD_HTTPD_JUDGE_CONFIG_H

#include "httpd/includes.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

class Complaints;

// A Runtime in pconf, with every ServerConf pointing into it; null after an error.
[[nodiscard]] Runtime* judge_config(apr_pool_t* pconf, apr_pool_t* ptemp, server_rec* base,
                                    Complaints& complaints);

}  // namespace tlsguard::httpd

#endif
