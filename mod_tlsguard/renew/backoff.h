// SPDX-License-Identifier: Apache-2.0
// How long after the n-th error in a row. Pure; thread-safe; no n overflows.
#ifndef TLSGUARD_RENEW_BACKOFF_H
#define TLSGUARD_RENEW_BACKOFF_H

#include <cstdint>

namespace tlsguard::renew {

struct BackoffRange {
  std::int64_t first = 30;    // seconds after the first error
  std::int64_t most = 86400;  // never more
};

// `first`, doubled with each error, give or take half of it, never beyond `most`. seed: of the
// domain, so that domains that failed together are not tried together.
[[nodiscard]] std::int64_t backoff_delay(std::uint32_t errors, std::uint64_t seed,
                                         BackoffRange range = {});

}  // namespace tlsguard::renew

#endif
