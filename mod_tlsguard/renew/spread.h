// SPDX-License-Identifier: Apache-2.0
// Numbers that look random and are the same at every call: what keeps thousands of domains apart
// without a generator whose state would have to outlive restarts. Not secret. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_SPREAD_H
#define TLSGUARD_RENEW_SPREAD_H

#include <cstdint>
#include <string_view>

namespace tlsguard::renew {

[[nodiscard]] std::uint64_t seed_of(std::string_view identity);
[[nodiscard]] std::uint64_t mixed(std::uint64_t seed, std::uint64_t salt);
// Even over 0 … below - 1; 0 where below is not positive.
[[nodiscard]] std::int64_t spread(std::uint64_t seed, std::uint64_t salt, std::int64_t below);

}  // namespace tlsguard::renew

#endif
