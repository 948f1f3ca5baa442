// SPDX-License-Identifier: Apache-2.0
// ClientHellos of every kind, sound and odd, from a seed.
#ifndef TLSGUARD_T_UNIT_RANDOM_OFFER_H
#define TLSGUARD_T_UNIT_RANDOM_OFFER_H

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "hello/offer.h"

namespace tlsguard::test {

// One sequence on every machine (the standard's distributions differ between libraries).
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() { return engine_(); }
  // 0 … count - 1
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename List>
  auto pick(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(below(std::size(list))));
  }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return *(list.begin() + below(list.size()));
  }
  // Some of the list, in any order; each with the given chance.
  template <typename List>
  auto some(const List& list, unsigned percent) {
    std::vector<std::decay_t<decltype(*std::begin(list))>> result;
    for (const auto& element : list) {
      if (!chance(percent)) continue;
      result.insert(result.begin() + static_cast<std::ptrdiff_t>(below(result.size() + 1)),
                    element);
    }
    return result;
  }

 private:
  std::mt19937_64 engine_;
};

// The public part of a key in each group this OpenSSL can make one of; empty for others.
class Shares {
 public:
  const std::vector<std::uint8_t>& of(std::uint16_t group);

 private:
  std::map<std::uint16_t, std::vector<std::uint8_t>> made_;
};

// A client that wants to connect, with a few things missing now and then.
hello::Offer random_offer(Random& random, Shares& shares);

// One byte or bit of a handshake message changed, added or taken away, or its end cut off; the
// length of the message itself is right.
std::vector<std::uint8_t> mutate(std::vector<std::uint8_t> message, Random& random);

}  // namespace tlsguard::test

#endif
