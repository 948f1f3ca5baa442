// SPDX-License-Identifier: Apache-2.0
// What can be found wrong before an attempt at the CA is spent: names that do not resolve, somebody
// else who answers at them, CAA records (RFC 8659, RFC 8657) that forbid this CA, a record of
// dns-persist-01 that is missing. Blocking, in a job's own thread; bounded: a minute for a domain
// of few names, ten minutes at most.
#ifndef TLSGUARD_RENEW_PREFLIGHT_H
#define TLSGUARD_RENEW_PREFLIGHT_H

#include <string>
#include <vector>

#include "acme/types.h"
#include "core/error.h"
#include "renew/solver.h"

namespace tlsguard::renew {

// names: of one domain, as in its DomainSpec. An error is what would fail at the CA, too, for the
// administrator to mend: kind "preflight" (back_off: looked at again later), or "actionNeeded" as
// provision(). What cannot be known from here never is an error. Fills context.findings anew.
// While it runs there are probes in the ChallengeStore.
[[nodiscard]] Result<void> preflight(SolverContext& context, const std::vector<std::string>& names,
                                     const acme::Directory& directory);

}  // namespace tlsguard::renew

#endif
