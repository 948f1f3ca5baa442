// SPDX-License-Identifier: Apache-2.0
// From ServerConf to Site, and the names that are to be reached over TLS only.
// Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_SITES_H
#define TLSGUARD_HTTPD_SITES_H

#include <memory>

#include "httpd/complaints.h"
#include "httpd/includes.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

[[nodiscard]] std::unique_ptr<Site> make_site(const Runtime& runtime, const server_rec* s,
                                              const ServerConf& conf, Complaints& complaints);

// Enters the names of a TLS virtual host.
void add_names(Names& names, const server_rec* s, const ServerConf& conf);

}  // namespace tlsguard::httpd

#endif
