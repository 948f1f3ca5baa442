// SPDX-License-Identifier: Apache-2.0
// Host names and alias patterns of virtual hosts, and what belongs to each. The rule is httpd's
// walk in file order: the first name or pattern that matches wins, so a pattern added earlier
// beats an exact name added later. Look-up does not grow with the number of names; only patterns
// of another shape than "*.suffix" are gone through one by one.
// Built by one thread, then read by any.
#ifndef TLSGUARD_CORE_NAME_TABLE_H
#define TLSGUARD_CORE_NAME_TABLE_H

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/dns_name.h"
#include "core/text.h"

namespace tlsguard {

template <typename T>
class NameTable {
 public:
  // Case does not matter. A name that is there already keeps its value; that is returned.
  T& add_name(std::string_view name, T value) {
    return put(exact_, to_lower(name), std::move(value));
  }
  // '*' and '?' as in ServerAlias.
  T& add_pattern(std::string_view pattern, T value) {
    std::string lower = to_lower(pattern);
    bool plain_suffix = lower.size() > 2 && lower.starts_with("*.") &&
                        lower.find_first_of("*?", 1) == std::string::npos;
    if (plain_suffix) return put(suffixes_, lower.substr(1), std::move(value));
    for (Pattern& known : patterns_) {
      if (known.text == lower) return known.entry.value;
    }
    patterns_.push_back({std::move(lower), {next_++, std::move(value)}});
    return patterns_.back().entry.value;
  }

  // nullptr: nobody has it. Names longer than any DNS name (RFC 1035 2.3.4) belong to nobody.
  [[nodiscard]] const T* find(std::string_view asked) const {
    constexpr std::size_t longest = 255;
    if (asked.size() > longest) return nullptr;
    std::array<char, longest> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::transform(asked.begin(), asked.end(), buffer.begin(), [](char c) { return to_lower(c); });
    std::string_view name(buffer.data(), asked.size());

    const Entry* best = nullptr;
    auto consider = [&](const Entry& entry) {
      if (best == nullptr || entry.order < best->order) best = &entry;
    };
    if (auto found = exact_.find(name); found != exact_.end()) consider(found->second);
    if (!suffixes_.empty()) {
      // '*' stands for any run of characters, dots among them, and for none.
      for (auto dot = name.find('.'); dot != std::string_view::npos;
           dot = name.find('.', dot + 1)) {
        if (auto found = suffixes_.find(name.substr(dot)); found != suffixes_.end()) {
          consider(found->second);
        }
      }
    }
    for (const Pattern& pattern : patterns_) {
      if (best != nullptr && pattern.entry.order >= best->order) break;
      if (matches_alias_pattern(name, pattern.text)) consider(pattern.entry);
    }
    return best != nullptr ? &best->value : nullptr;
  }

 private:
  struct Entry {
    std::size_t order = 0;
    T value;
  };
  struct Pattern {
    std::string text;
    Entry entry;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Map = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  T& put(Map& map, std::string key, T value) {
    auto [place, added] = map.try_emplace(std::move(key), Entry{next_, std::move(value)});
    if (added) ++next_;
    return place->second.value;
  }

  std::size_t next_ = 0;  // order of the next name
  Map exact_;
  Map suffixes_;  // "*.example.org" as ".example.org"
  std::vector<Pattern> patterns_;
};

}  // namespace tlsguard

#endif
