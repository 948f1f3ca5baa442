// SPDX-License-Identifier: Apache-2.0
#include "policy/suggest.h"

#include <algorithm>

#include "core/text.h"

namespace tlsguard::policy {
namespace {

constexpr std::size_t longest_name = 64;

// Levenshtein's distance: letters inserted, deleted or replaced.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > longest_name) return {};
  const std::string wanted = to_lower(name);
  std::size_t best = std::max<std::size_t>(1, wanted.size() / 4) + 1;
  const std::string* nearest = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t away = distance(wanted, to_lower(candidate));
    if (away >= best) continue;
    best = away;
    nearest = &candidate;
  }
  return nearest != nullptr ? " (did you mean " + *nearest + "?)" : std::string{};
}

}  // namespace tlsguard::policy
