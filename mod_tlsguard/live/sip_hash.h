// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4: a keyed hash for tables whose keys come from strangers, who could make names collide
// in an unkeyed one. Pure; thread-safe.
#ifndef TLSGUARD_LIVE_SIP_HASH_H
#define TLSGUARD_LIVE_SIP_HASH_H

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/sip_state.h"

namespace tlsguard::live {

class SipHash {
 public:
  SipHash(std::uint64_t k0, std::uint64_t k1) : state_(k0, k1) {}

  [[nodiscard]] std::uint64_t operator()(std::string_view text) const {
    SipState state = state_;
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * (i % 8));
      if (i % 8 != 7) continue;
      state.absorb<2>(word);
      word = 0;
    }
    state.absorb<2>(word | std::uint64_t{text.size()} << 56);
    return state.finish<4>();
  }

 private:
  SipState state_;
};

}  // namespace tlsguard::live

#endif
