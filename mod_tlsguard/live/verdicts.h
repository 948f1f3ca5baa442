// SPDX-License-Identifier: Apache-2.0
// The verdicts on one ClientHello under all the policies it is judged by. Plain values.
#ifndef TLSGUARD_LIVE_VERDICTS_H
#define TLSGUARD_LIVE_VERDICTS_H

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hello/verdict.h"

namespace tlsguard::live {

// By whom a hello is judged: the policy in force on its virtual host, the one of
// TLSGuardReportPolicy, and three named ones.
enum class Judge : std::uint8_t { in_force, report, baseline, intermediate, modern };
inline constexpr std::size_t judge_count = 5;
inline constexpr std::array<Judge, judge_count> all_judges{
    Judge::in_force, Judge::report, Judge::baseline, Judge::intermediate, Judge::modern};

// "in-force", "report", "baseline", "intermediate", "modern"
[[nodiscard]] std::string_view judge_name(Judge judge);
[[nodiscard]] std::optional<Judge> parse_judge(std::string_view name);

// One verdict a judge, three bits each.
class Verdicts {
 public:
  static constexpr unsigned bits = 3 * judge_count;

  constexpr Verdicts() = default;
  // The upper bits are dropped. Any value is safe: what is no verdict reads as not judged.
  static constexpr Verdicts from_packed(std::uint16_t packed) {
    Verdicts verdicts;
    verdicts.packed_ = static_cast<std::uint16_t>(packed & mask);
    return verdicts;
  }
  [[nodiscard]] constexpr std::uint16_t packed() const { return packed_; }

  constexpr void set(Judge judge, hello::Verdict verdict) {
    put(judge, static_cast<unsigned>(verdict));
  }
  constexpr void clear(Judge judge) { put(judge, not_judged); }
  // nullopt: that judge did not look (there is no report policy).
  [[nodiscard]] constexpr std::optional<hello::Verdict> get(Judge judge) const {
    unsigned value = (packed_ >> shift(judge)) & 7U;
    if (value >= hello::verdict_count) return std::nullopt;
    return static_cast<hello::Verdict>(value);
  }
  // Some judge would turn this hello away: a field that is neither ok nor, as 6 and 7 are, none.
  [[nodiscard]] constexpr bool any_refusal() const {
    constexpr unsigned lowest_bits = 011111;
    unsigned high = packed_ >> 2U;
    unsigned middle = packed_ >> 1U;
    return ((packed_ | middle | high) & ~(middle & high) & lowest_bits) != 0;
  }
  constexpr bool operator==(const Verdicts&) const = default;

 private:
  static_assert(static_cast<unsigned>(hello::Verdict::ok) == 0 && hello::verdict_count == 6);
  static constexpr unsigned not_judged = 7;
  static constexpr std::uint16_t mask = (1U << bits) - 1;
  static constexpr unsigned shift(Judge judge) { return 3U * static_cast<unsigned>(judge); }
  constexpr void put(Judge judge, unsigned value) {
    unsigned cleared = packed_ & ~(7U << shift(judge));
    packed_ = static_cast<std::uint16_t>(cleared | (value << shift(judge)));
  }
  std::uint16_t packed_ = mask;  // nobody has judged
};

}  // namespace tlsguard::live

#endif
