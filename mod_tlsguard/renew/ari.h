// SPDX-License-Identifier: Apache-2.0
// What becomes of AriState when the CA has been asked (RFC 9773 4.2, 4.3). Pure; thread-safe.
#ifndef TLSGUARD_RENEW_ARI_H
#define TLSGUARD_RENEW_ARI_H

#include <cstdint>

#include "acme/types.h"
#include "core/error.h"
#include "core/unix_time.h"
#include "renew/schedule.h"

namespace tlsguard::renew {

// An answer. The draw is kept while the window stands, else made anew, even over the window,
// from `random`. A window without length is no answer, and leaves what was known.
void take_window(AriState& state, const acme::RenewalInfo& info, UnixSeconds now,
                 std::uint64_t random);
// No answer. seed: of the domain.
void take_failure(AriState& state, const Error& error, UnixSeconds now, std::uint64_t seed);

}  // namespace tlsguard::renew

#endif
