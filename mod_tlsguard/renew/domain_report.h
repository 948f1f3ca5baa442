// SPDX-License-Identifier: Apache-2.0
// What is known of a domain, as JSON for status: the same from the agent and, where httpd is down,
// from the store. Any thread; blocking (reads the store).
#ifndef TLSGUARD_RENEW_DOMAIN_REPORT_H
#define TLSGUARD_RENEW_DOMAIN_REPORT_H

#include <cstdint>
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

// Of one version: key_type, serial, issuer, not_before, not_after, sha256 each.
[[nodiscard]] nlohmann::json certificates_report(const std::string& identity, std::uint32_t version,
                                                 const store::CertificateStore& certificates);
// The part of domain_report() that the state alone says: without versions and certificates.
[[nodiscard]] nlohmann::json state_report(const JobState& state,
                                          const std::vector<std::string>& names);

}  // namespace tlsguard::renew

#endif
