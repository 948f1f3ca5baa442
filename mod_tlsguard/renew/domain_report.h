// SPDX-License-Identifier: Apache-2.0
// What is known of a domain, as JSON for status: the same from the agent and, where httpd is down,
// from the store. Any thread; blocking (reads the store).
#ifndef TLSGUARD_RENEW_DOMAIN_REPORT_H
#define TLSGUARD_RENEW_DOMAIN_REPORT_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "renew/state.h"
#include "store/certificate_store.h"

namespace tlsguard::renew {

// Members: domain, names, phase, reason, errors, error, failed_at, hold, forced, ari, history,
// live (null: nothing is) with its certificates, versions, revoked. Moments are UNIX seconds; 0:
// never.
[[nodiscard]] nlohmann::json domain_report(const JobState& state,
                                           const std::vector<std::string>& names,
                                           const store::CertificateStore& certificates);

}  // namespace tlsguard::renew

#endif
