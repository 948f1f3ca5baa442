// SPDX-License-Identifier: Apache-2.0
#include "renew/spec_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "core/text.h"

namespace tlsguard::renew {

namespace {

// As inet_ntop writes it; empty: no address.
std::string as_address(std::string_view text) {
  std::string bare(text);
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') {
    bare = bare.substr(1, bare.size() - 2);
  }
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> written{};
  for (int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, bare.c_str(), bytes.data()) != 1) continue;
    if (inet_ntop(family, bytes.data(), written.data(), written.size()) == nullptr) continue;
    return written.data();
  }
  return {};
}

bool is_label(std::string_view label) {
  constexpr std::size_t longest = 63;
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= longest && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), allowed);
}

}  // namespace

Result<std::string> certificate_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  std::string name = to_lower(text);
  if (std::string address = as_address(name); !address.empty()) return address;
  auto wrong = [&](const char* why) {
    return fail(fmt::format("'{}' is no name for a certificate: {}", text, why));
  };
  std::string_view rest = name;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  if (rest.find('*') != std::string_view::npos) {
    return wrong("a wildcard is '*.' before a name, for one whole label");
  }
  if (rest.empty() || name.size() > longest) return wrong("it is empty or longer than 253");
  if (rest.back() == '.') return wrong("leave out the dot at its end");
  for (bool more = true; more;) {
    auto dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) {
      return wrong(
          "valid are labels of letters, digits and hyphens with dots between them (IDNs as "
          "xn--...), and IP addresses");
    }
    more = dot != std::string_view::npos;
    if (more) rest.remove_prefix(dot + 1);
  }
  return name;
}

Result<std::vector<std::string>> certificate_names(const std::vector<std::string>& words) {
  if (words.empty()) return fail("one name at least is needed");
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  for (const std::string& word : words) {
    auto name = certificate_name(word);
    if (!name) return tl::unexpected(name.error());
    if (seen.insert(*name).second) names.push_back(std::move(*name));
  }
  if (names.size() > max_names) {
    return fail(
        fmt::format("{} names are more than the {} of one certificate", names.size(), max_names));
  }
  return names;
}

DomainList parse_domain_list(std::string_view text) {
  DomainList list;
  std::unordered_set<std::string> seen;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end != std::string_view::npos ? end + 1 : text.size());
    auto words = split(line.substr(0, line.find('#')), " \t\r");
    if (words.empty()) continue;
    if (list.lines.size() >= max_list_lines) {
      list.bad.push_back({number, fmt::format("more than {} lines", max_list_lines)});
      break;
    }
    auto names = certificate_names(words);
    if (!names) {
      list.bad.push_back({number, names.error().text});
      continue;
    }
    auto twice = std::find_if(names->begin(), names->end(),
                              [&](const std::string& name) { return seen.contains(name); });
    if (twice != names->end()) {
      list.bad.push_back({number, fmt::format("'{}' is in a line before it, too", *twice)});
      continue;
    }
    seen.insert(names->begin(), names->end());
    list.lines.push_back({number, std::move(*names)});
  }
  return list;
}

}  // namespace tlsguard::renew
