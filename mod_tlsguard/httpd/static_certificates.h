// SPDX-License-Identifier: Apache-2.0
// Certificates of SSLCertificateFile that nobody here renews: for the status page, and, where
// their virtual hosts have a TLSGuardEvent, for the agent to watch. Parent only, one thread.
#ifndef TLSGUARD_HTTPD_STATIC_CERTIFICATES_H
#define TLSGUARD_HTTPD_STATIC_CERTIFICATES_H

#include <vector>

#include "httpd/includes.h"
#include "httpd/runtime.h"
#include "renew/spec.h"

namespace tlsguard::httpd {

// Whether a virtual host has such certificates, and somebody to be told. No file is touched.
[[nodiscard]] bool watches_files(const VirtualHost& host);
// In post_config: fills Runtime::certificate_files. Reads the certificates, never keys. Those that
// cannot be read are left out: mod_ssl complains of them.
void read_certificate_files(Runtime& runtime, apr_pool_t* pool);
// After that, those that are watched: each once for each different set of settings, under the first
// virtual host that has it.
[[nodiscard]] std::vector<renew::StaticCertificateSpec> static_certificates(const Runtime& runtime,
                                                                            apr_pool_t* pool);

}  // namespace tlsguard::httpd

#endif
