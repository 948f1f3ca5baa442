// SPDX-License-Identifier: Apache-2.0
// A cache of verdicts, so that a hello is judged once a worker and not once a handshake. Private
// to a process, for the life of one configuration: settings, and thus verdicts, do not change in
// it. Any number of threads, no lock: an entry is one atomic word that holds its own proof.
//
// The word is 48 bits of proof, a bit that says it is used, and the packed verdicts. Fingerprint
// and virtual host are mixed into 64 bits, of which 12 choose the entry and 48 others are the
// proof, so a look-up meets a wrong entry once in 2^48. Nobody can bring that about on purpose: a
// fingerprint is seeded with a number no client knows. A wrong entry would put one handshake into
// the wrong column of the census; enforcement is OpenSSL's and never asks here.
#ifndef TLSGUARD_LIVE_VERDICT_CACHE_H
#define TLSGUARD_LIVE_VERDICT_CACHE_H

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "live/verdicts.h"

namespace tlsguard::live {

class VerdictCache {
 public:
  static constexpr std::size_t entries = 4096;  // 32 KiB; a power of two

  // virtual_host: any number that stands for the settings judged by.
  [[nodiscard]] std::optional<Verdicts> find(std::uint64_t fingerprint,
                                             std::uint32_t virtual_host) const noexcept;
  // Replaces whatever shares the entry. verdicts without hello::Verdict::sni: that one depends on
  // the name asked for, which is no part of the fingerprint.
  void put(std::uint64_t fingerprint, std::uint32_t virtual_host, Verdicts verdicts) noexcept;

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  std::array<std::atomic<std::uint64_t>, entries> words_{};
};

}  // namespace tlsguard::live

#endif
