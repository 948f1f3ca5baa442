// SPDX-License-Identifier: Apache-2.0
#include "httpd/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/text.h"

namespace tlsguard::httpd {

namespace {

// Of one kind, each with its own line; more are told together.
constexpr std::size_t most_of_a_kind = 5;

}  // namespace

LineKey line_of(const Place& place) {
  // mod_macro calls its text: macro 'name' (defined on line 1 of "file") used on line 2 of "file"
  std::string_view file = place.file;
  if (file.starts_with("macro '")) file = file.substr(0, file.find(" used on line "));
  return {std::string(file), place.line};
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown)));
  std::string text = join(first, ", ");
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

void AdviceCollector::add(std::string_view kind, Advice advice) {
  auto found = std::find_if(kinds_.begin(), kinds_.end(),
                            [&](const auto& known) { return known.first == kind; });
  if (found == kinds_.end()) {
    kinds_.emplace_back(kind, std::vector<Advice>{});
    found = kinds_.end() - 1;
  }
  advice.where.file = line_of(advice.where).first;
  found->second.push_back(std::move(advice));
}

std::vector<Advice> AdviceCollector::take() {
  auto before = [](const Advice& a, const Advice& b) {
    return std::tie(a.where.file, a.where.line, a.text) <
           std::tie(b.where.file, b.where.line, b.text);
  };
  std::vector<Advice> all;
  for (auto& [kind, pieces] : kinds_) {
    std::sort(pieces.begin(), pieces.end(), before);
    if (pieces.size() > most_of_a_kind) {
      std::vector<std::string> places;
      for (std::size_t i = 1; i < pieces.size(); ++i) places.push_back(pieces[i].where.text());
      pieces.front().text += "; likewise at " + some_of(places);
      pieces.resize(1);
    }
    std::move(pieces.begin(), pieces.end(), std::back_inserter(all));
  }
  kinds_.clear();
  std::sort(all.begin(), all.end(), before);
  return all;
}

}  // namespace tlsguard::httpd
