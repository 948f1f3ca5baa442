// SPDX-License-Identifier: Apache-2.0
#include "renew/backoff.h"

#include <algorithm>

#include "renew/spread.h"

namespace tlsguard::renew {

std::int64_t backoff_delay(std::uint32_t errors, std::uint64_t seed, BackoffRange range) {
  if (errors == 0) return 0;
  // The middle is at most two thirds of `most`: half as much more is still within.
  std::int64_t middle = std::min(range.first, range.most * 2 / 3);
  for (std::uint32_t i = 1; i < errors && middle < range.most * 2 / 3; ++i) {
    middle = std::min(middle * 2, range.most * 2 / 3);
  }
  return middle / 2 + spread(seed, errors, middle + 1);
}

}  // namespace tlsguard::renew
