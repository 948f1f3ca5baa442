// SPDX-License-Identifier: Apache-2.0
#include "renew/spread.h"

namespace tlsguard::renew {

// FNV-1a.
std::uint64_t seed_of(std::string_view identity) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char c : identity) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

// SplitMix64's finalizer.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t salt) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15U * (salt + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

std::int64_t spread(std::uint64_t seed, std::uint64_t salt, std::int64_t below) {
  if (below <= 0) return 0;
  return static_cast<std::int64_t>(mixed(seed, salt) % static_cast<std::uint64_t>(below));
}

}  // namespace tlsguard::renew
