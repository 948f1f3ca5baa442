// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables whose keys come from
// strangers, who could make names collide in an unkeyed one. Pure; thread-safe.
#ifndef TLSGUARD_LIVE_SIP_HASH_H
#define TLSGUARD_LIVE_SIP_HASH_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tlsguard::live {

class SipHash {
 public:
  SipHash(std::uint64_t k0, std::uint64_t k1)
      : v_{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
           k1 ^ 0x7465646279746573} {}

  [[nodiscard]] std::uint64_t operator()(std::string_view text) const {
    State v = v_;
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * (i % 8));
      if (i % 8 != 7) continue;
      v.absorb(word);
      word = 0;
    }
    v.absorb(word | std::uint64_t{text.size()} << 56);
    v.c ^= 0xff;
    for (int i = 0; i < 4; ++i) v.round();
    return v.a ^ v.b ^ v.c ^ v.d;
  }

 private:
  struct State {
    std::uint64_t a, b, c, d;
    void round() {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
    void absorb(std::uint64_t word) {
      d ^= word;
      round();
      round();
      a ^= word;
    }
  };
  State v_;
};

}  // namespace tlsguard::live

#endif
