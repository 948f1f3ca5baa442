// SPDX-License-Identifier: Apache-2.0
// Away from what is live: to the version before, or revoked at the CA. While nobody else works on
// the domain. Blocking.
#ifndef TLSGUARD_RENEW_REVOCATION_H
#define TLSGUARD_RENEW_REVOCATION_H

#include <optional>
#include <string>

#include "core/error.h"
#include "renew/http_clients.h"
#include "renew/state.h"
#include "renew/workshop.h"
#include "store/certificate_store.h"

namespace tlsguard::renew {

// The newest version older than what is live that is whole, in its dates and not revoked.
[[nodiscard]] Result<store::Version> version_before(const store::CertificateStore& certificates,
                                                    const std::string& identity,
                                                    const JobState& state, UnixSeconds now);

// RFC 8555 7.6, each of its certificates. Afterwards the version is never gone back to, and a new
// one is due at once. reason: RFC 5280 5.3.1.
[[nodiscard]] Result<void> revoke_live(const Workshop& shop, HttpClients& clients,
                                       const DomainSpec& spec, JobState& state,
                                       std::optional<int> reason);

}  // namespace tlsguard::renew

#endif
