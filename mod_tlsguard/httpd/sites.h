// SPDX-License-Identifier: Apache-2.0
// From ServerConf to Site, and the names that are to be reached over TLS only.
// Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_SITES_H
#define TLSGUARD_HTTPD_SITES_H

#include <memory>
#include <optional>
#include <string_view>

#include "httpd/complaints.h"
#include "httpd/includes.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

[[nodiscard]] std::unique_ptr<Site> make_site(const Runtime& runtime, const server_rec* s,
                                              const ServerConf& conf, Complaints& complaints);

// A ramp is one name's, and browsers keep the last field they saw: virtual hosts of one name that
// send different ones undo each other.
void compare_ramps(server_rec* base, Complaints& complaints);

// Enters the names of a TLS virtual host.
void add_names(Names& names, const server_rec* s, const ServerConf& conf);
// Enters the lists of a TLS virtual host: its names are theirs, too.
void add_lists(Names& names, const Site& site, const server_rec* s, const ServerConf& conf);

// What those that have this name, by a pattern or in a list too, ask together: the stricter. The
// port is that of the name itself, if it is written anywhere; the site is the first that has it.
// Nothing: no TLS virtual host has it. Any thread.
[[nodiscard]] std::optional<RequiredName> required_of(const Runtime& runtime,
                                                      std::string_view host);

}  // namespace tlsguard::httpd

#endif
