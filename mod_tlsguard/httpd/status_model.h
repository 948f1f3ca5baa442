// SPDX-License-Identifier: Apache-2.0
// What the status page is made from, gathered in a worker from the boards, the configuration and
// the agent's reports. Nothing read there is trusted.
#ifndef TLSGUARD_HTTPD_STATUS_MODEL_H
#define TLSGUARD_HTTPD_STATUS_MODEL_H

#include "httpd/runtime.h"
#include "status/model.h"

struct request_rec;

namespace tlsguard::httpd {

// page: the domains of one page, with their reports. all: every domain, without. sums: none of
// them, only their number.
enum class Extent { page, all, sums };
[[nodiscard]] status::Model status_model(request_rec* r, const Runtime& runtime,
                                         status::Query query, Extent extent);

// The census of the virtual hosts of this configuration.
[[nodiscard]] live::Snapshot census_of(const Runtime& runtime);

}  // namespace tlsguard::httpd

#endif
