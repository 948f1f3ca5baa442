// SPDX-License-Identifier: Apache-2.0
// Moments. Whoever decides by the clock gets it from outside, so that tests run through years.
#ifndef TLSGUARD_CORE_UNIX_TIME_H
#define TLSGUARD_CORE_UNIX_TIME_H

#include <cstdint>
#include <functional>

namespace tlsguard {

// Seconds since 1970-01-01T00:00:00Z. A wall clock: it may jump.
using UnixSeconds = std::int64_t;
using Clock = std::function<UnixSeconds()>;

}  // namespace tlsguard

#endif
