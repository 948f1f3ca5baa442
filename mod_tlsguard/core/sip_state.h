// SPDX-License-Identifier: Apache-2.0
// The state of SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), and its
// round: what hashes over texts and over code points share. Plain value.
#ifndef TLSGUARD_CORE_SIP_STATE_H
#define TLSGUARD_CORE_SIP_STATE_H

#include <bit>
#include <cstdint>

namespace tlsguard {

struct SipState {
  SipState(std::uint64_t k0, std::uint64_t k1)
      : a(k0 ^ 0x736f6d6570736575U),
        b(k1 ^ 0x646f72616e646f6dU),
        c(k0 ^ 0x6c7967656e657261U),
        d(k1 ^ 0x7465646279746573U) {}

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
  // rounds: of SipHash-<rounds>-x.
  template <int rounds>
  void absorb(std::uint64_t word) {
    d ^= word;
    for (int i = 0; i < rounds; ++i) round();
    a ^= word;
  }
  template <int rounds>
  [[nodiscard]] std::uint64_t finish() {
    c ^= 0xff;
    for (int i = 0; i < rounds; ++i) round();
    return a ^ b ^ c ^ d;
  }

  std::uint64_t a, b, c, d;
};

}  // namespace tlsguard

#endif
