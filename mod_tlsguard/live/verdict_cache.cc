// SPDX-License-Identifier: Apache-2.0
#include "live/verdict_cache.h"

#include "live/mix.h"

namespace tlsguard::live {
namespace {

constexpr unsigned proof_shift = 16;  // below it: used bit and verdicts
constexpr std::uint64_t used = 1U << Verdicts::bits;
static_assert(Verdicts::bits + 1 <= proof_shift);

constexpr std::uint64_t key_of(std::uint64_t fingerprint, std::uint32_t virtual_host) {
  return mix(fingerprint ^ mix(virtual_host + 1ULL));
}
// The upper 48 bits are the proof, the lowest 12 choose the entry: no bit serves twice.
constexpr std::uint64_t proof_of(std::uint64_t key) { return key >> proof_shift << proof_shift; }
constexpr std::size_t index_of(std::uint64_t key) { return key & (VerdictCache::entries - 1); }
static_assert(VerdictCache::entries <= 1U << proof_shift);

}  // namespace

std::optional<Verdicts> VerdictCache::find(std::uint64_t fingerprint,
                                           std::uint32_t virtual_host) const noexcept {
  std::uint64_t key = key_of(fingerprint, virtual_host);
  std::uint64_t word = words_[index_of(key)].load(std::memory_order_relaxed);
  if ((word & used) == 0 || proof_of(word) != proof_of(key)) return std::nullopt;
  return Verdicts::from_packed(static_cast<std::uint16_t>(word));
}

void VerdictCache::put(std::uint64_t fingerprint, std::uint32_t virtual_host,
                       Verdicts verdicts) noexcept {
  std::uint64_t key = key_of(fingerprint, virtual_host);
  words_[index_of(key)].store(proof_of(key) | used | verdicts.packed(), std::memory_order_relaxed);
}

}  // namespace tlsguard::live
