// SPDX-License-Identifier: Apache-2.0
// provision() and clean_up() for dns-01, dns-account-01 and dns-persist-01. As solver.h.
#ifndef TLSGUARD_RENEW_DNS_SOLVER_H
#define TLSGUARD_RENEW_DNS_SOLVER_H

#include <cstdint>
#include <string>

#include "core/error.h"
#include "renew/persist.h"
#include "renew/solver.h"

namespace tlsguard::renew {

// name: the name to prove, without "*.". type: dns_01 or dns_account_01.
[[nodiscard]] Result<void> set_up_record(SolverContext& context, ChallengeType type,
                                         const std::string& name,
                                         const std::string& key_authorization);
[[nodiscard]] Result<void> await_record(SolverContext& context, ChallengeType type,
                                        const std::string& name,
                                        const std::string& key_authorization);
void clean_up_record(SolverContext& context, ChallengeType type, const std::string& name,
                     const std::string& key_authorization);

// Looks at what the administrator has published. Also where it is found only at some servers, or
// ends soon, it goes on, and says so.
enum class Issuers : std::uint8_t {
  of_challenge,  // certain
  of_directory   // the CA may answer to others, too: a record that names one is let be
};
[[nodiscard]] Result<void> check_persist(SolverContext& context, const PersistClaim& claim,
                                         Issuers issuers);

}  // namespace tlsguard::renew

#endif
