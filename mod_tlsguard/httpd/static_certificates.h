// SPDX-License-Identifier: Apache-2.0
// Certificates of SSLCertificateFile that nobody here renews, for the agent to watch: those of
// virtual hosts that have a TLSGuardEvent. Parent only, one thread.
#ifndef TLSGUARD_HTTPD_STATIC_CERTIFICATES_H
#define TLSGUARD_HTTPD_STATIC_CERTIFICATES_H

#include <vector>

#include "httpd/includes.h"
#include "httpd/runtime.h"
#include "renew/spec.h"

namespace tlsguard::httpd {

// Whether a virtual host has such certificates. No file is touched.
[[nodiscard]] bool watches_files(const VirtualHost& host);
// In post_config. Reads the certificates, never keys; each file once for each different set of
// settings, under the first virtual host that has it. Those that cannot be read are left out:
// mod_ssl complains of them.
[[nodiscard]] std::vector<renew::StaticCertificateSpec> static_certificates(const Runtime& runtime,
                                                                            apr_pool_t* pool);

}  // namespace tlsguard::httpd

#endif
