// SPDX-License-Identifier: Apache-2.0
// The rules of advice, one a function; advise() is their sum. Configuration time, one thread; once
// everything else is resolved. None of it grows faster than the configuration.
#ifndef TLSGUARD_HTTPD_ADVISE_H
#define TLSGUARD_HTTPD_ADVISE_H

#include "httpd/advice.h"
#include "httpd/certificate_files.h"
#include "httpd/complaints.h"
#include "httpd/config_lines.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

struct AdviceInput {
  const Runtime& runtime;
  const server_rec* base;
  apr_pool_t* temporary;
  CertificateFiles& files;
  AdviceCollector& advice;
};

// Those that speak TLS, as they are written: httpd has the last one first.
[[nodiscard]] std::vector<const VirtualHost*> hosts_in_order(const Runtime& runtime);

// Sets runtime.advice. Complaints: of certificates that end soon and that nobody watches.
void advise(Runtime& runtime, const server_rec* base, apr_pool_t* temporary,
            CertificateFiles& files, Complaints& complaints);

// Of mod_ssl's lines that change nothing, as the policy is stricter (advise_ssl.cc).
void advise_redundant_lines(const AdviceInput& input);
// Of HSTS by mod_headers (advise_hsts.cc).
void advise_hsts(const AdviceInput& input, const std::vector<ConfigLine>& lines);
// Of redirects to https by mod_rewrite and mod_alias (advise_redirects.cc).
void advise_redirects(const AdviceInput& input, const std::vector<ConfigLine>& lines);
// Of stapling that cannot be, and of certificates that nobody renews (advise_certificates.cc).
void advise_stapling(const AdviceInput& input);
void advise_renewal(const AdviceInput& input, Complaints& complaints);

}  // namespace tlsguard::httpd

#endif
