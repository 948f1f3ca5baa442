// SPDX-License-Identifier: Apache-2.0
// What works with managed domains, but not as one may think. Configuration time, one thread; once
// virtual hosts are made and the default ones are known.
#ifndef TLSGUARD_HTTPD_DOMAIN_WARNINGS_H
#define TLSGUARD_HTTPD_DOMAIN_WARNINGS_H

#include "httpd/complaints.h"
#include "httpd/runtime.h"

struct server_rec;

namespace tlsguard::httpd {

void warn_of_domains(const Runtime& runtime, const server_rec* base, Complaints& complaints);

}  // namespace tlsguard::httpd

#endif
