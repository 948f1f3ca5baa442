// SPDX-License-Identifier: Apache-2.0
// Spreads 64 bits so that each bit of the input moves half of the output: the finaliser of
// MurmurHash3. Not for secrets. Pure.
#ifndef TLSGUARD_LIVE_MIX_H
#define TLSGUARD_LIVE_MIX_H

#include <cstdint>

namespace tlsguard::live {

constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

}  // namespace tlsguard::live

#endif
