// SPDX-License-Identifier: Apache-2.0
// Whether reading takes time by the size of a text, and not by its square. By CPU time, so that
// other programs do not matter much.
#ifndef TLSGUARD_T_UNIT_GROWTH_H
#define TLSGUARD_T_UNIT_GROWTH_H

#include "suites.h"

#include <algorithm>
#include <ctime>
#include <string>

namespace tlsguard::test {

// read: takes a text. text: makes one of so many parts.
template <typename Read, typename Text>
void expect_linear(Read&& read, Text&& text) {
  constexpr int few = 4000;
  constexpr int times = 15;
  auto shortest = [&](int parts) {
    const std::string whole = text(parts);
    std::clock_t best = 0;
    for (int round = 0; round < 3; ++round) {
      std::clock_t began = std::clock();
      read(whole);
      std::clock_t took = std::max<std::clock_t>(std::clock() - began, 1);
      best = round == 0 ? took : std::min(best, took);
    }
    return best;
  };
  const std::clock_t one = shortest(few);
  const std::clock_t all = shortest(few * times);
  // By the square it would be times * times.
  ck_assert_msg(all < one * times * 4, "%d parts take %ld, %d take %ld", few,
                static_cast<long>(one), few * times, static_cast<long>(all));
}

}  // namespace tlsguard::test

#endif
