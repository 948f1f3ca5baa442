// SPDX-License-Identifier: Apache-2.0
// Small charts as inline SVG, coloured by the page's classes. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_CHART_H
#define TLSGUARD_STATUS_CHART_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/unix_time.h"

namespace tlsguard::status {

struct Slice {
  std::string name;  // plain text
  std::uint64_t count = 0;
  std::string color;  // a class; empty: the next of the palette
};

// A bar of shares with a legend below; "" where nothing was counted. title: plain text.
[[nodiscard]] std::string stacked_bar(std::string_view title, std::vector<Slice> slices);

// The life of a certificate: what has passed, the moment of its renewal, what is left.
struct Life {
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  UnixSeconds now = 0;
  UnixSeconds renew_at = 0;  // 0: not planned
};
// color: a class. words: plain text for those who do not see it.
[[nodiscard]] std::string life_bar(const Life& life, std::string_view color,
                                   std::string_view words);

// The bar, and below it how much is left.
[[nodiscard]] std::string expiry(const Life& life, std::string_view color);

// A thin bar of one share.
[[nodiscard]] std::string share_bar(std::uint64_t part, std::uint64_t whole,
                                    std::string_view color);

}  // namespace tlsguard::status

#endif
