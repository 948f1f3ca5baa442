// SPDX-License-Identifier: Apache-2.0
#include "renew/registered_domain.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "core/dns_name.h"
#include "core/text.h"

namespace tlsguard::renew {
namespace {

std::string_view parent_of(std::string_view name) {
  auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

std::string network_of(std::string_view address) {
  std::string text(address);
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return text;
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), 0);
  std::array<char, INET6_ADDRSTRLEN> out{};
  ::inet_ntop(AF_INET6, &bytes, out.data(), out.size());
  return std::string(out.data()) + "/64";
}

// Without a list: under a country's two letters a second level of at most three ("co.uk",
// "com.br") or of the usual words belongs to the registry.
bool seems_suffix(std::string_view name) {
  constexpr std::array<std::string_view, 5> words{"gouv", "info", "asso", "nom", "ltd"};
  std::string_view top = parent_of(name);
  if (top.empty()) return true;
  if (top.size() != 2) return false;
  std::string_view second = name.substr(0, name.find('.'));
  return second.size() <= 3 || std::find(words.begin(), words.end(), second) != words.end();
}

}  // namespace

PublicSuffixes PublicSuffixes::parse(std::string_view text) {
  PublicSuffixes list;
  for (const std::string& line : split(text, "\r\n")) {
    std::string_view rule = trim(line);
    if (rule.empty() || rule.starts_with("//")) continue;
    rule = rule.substr(0, rule.find_first_of(" \t"));
    if (rule.starts_with("!")) {
      list.exceptions_.emplace(rule.substr(1));
    } else if (rule.starts_with("*.")) {
      list.wildcards_.emplace(rule.substr(2));
    } else {
      list.rules_.emplace(rule);
    }
  }
  return list;
}

PublicSuffixes PublicSuffixes::load(const std::string& path) {
  constexpr std::size_t largest = std::size_t{4} << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text;
  text.resize(largest);
  file.read(text.data(), static_cast<std::streamsize>(largest));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse(text);
}

bool PublicSuffixes::is_suffix(std::string_view name) const {
  std::string_view parent = parent_of(name);
  if (rules_.empty()) return seems_suffix(name);
  if (exceptions_.contains(std::string(name))) return false;
  if (rules_.contains(std::string(name))) return true;
  // An unknown top level is a suffix, too.
  return parent.empty() || wildcards_.contains(std::string(parent));
}

std::string PublicSuffixes::registered_domain(std::string_view name) const {
  if (is_ip_literal(name)) return network_of(name);
  if (name.starts_with("*.")) name.remove_prefix(2);
  // The longest suffix decides: the first that is met from the left.
  std::string_view child = name;
  if (is_suffix(name)) return std::string(name);
  for (std::string_view at = parent_of(name); !at.empty(); at = parent_of(at)) {
    if (is_suffix(at)) return std::string(child);
    child = at;
  }
  return std::string(name);
}

}  // namespace tlsguard::renew
