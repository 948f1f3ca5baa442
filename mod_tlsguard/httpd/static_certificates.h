// SPDX-License-Identifier: Apache-2.0
// Certificates of SSLCertificateFile that nobody here renews: for the status page, and, where
// their virtual hosts have a TLSGuardEvent, for the agent to watch. Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_STATIC_CERTIFICATES_H
#define TLSGUARD_HTTPD_STATIC_CERTIFICATES_H

#include <vector>

#include "httpd/certificate_files.h"
#include "httpd/includes.h"
#include "httpd/runtime.h"
#include "renew/spec.h"

namespace tlsguard::httpd {

// Whether a virtual host has declared a domain: its files only serve until that one is live.
[[nodiscard]] bool is_managed(const VirtualHost& host);
// Whether it has such certificates, and somebody to be told. No file is touched.
[[nodiscard]] bool watches_files(const VirtualHost& host);
// Fills Runtime::certificate_files. Those that cannot be read are left out: mod_ssl complains of
// them.
void note_certificate_files(Runtime& runtime, CertificateFiles& read);
// After that, those that are watched: each once for each different set of settings, under the first
// virtual host that has it.
[[nodiscard]] std::vector<renew::StaticCertificateSpec> static_certificates(const Runtime& runtime,
                                                                            apr_pool_t* pool);

}  // namespace tlsguard::httpd

#endif
