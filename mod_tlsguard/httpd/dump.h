// SPDX-License-Identifier: Apache-2.0
// `httpd -t -D DUMP_TLSGUARD`: what will be in force on each TLS virtual host, read back from an
// OpenSSL context built from the same directives, and why.
#ifndef TLSGUARD_HTTPD_DUMP_H
#define TLSGUARD_HTTPD_DUMP_H

#include <string>

namespace tlsguard::httpd {

struct Runtime;

[[nodiscard]] std::string dump(const Runtime& runtime);

}  // namespace tlsguard::httpd

#endif
