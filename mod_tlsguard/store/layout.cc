// SPDX-License-Identifier: Apache-2.0
#include "store/layout.h"

#include <algorithm>
#include <span>

#include "core/text.h"
#include "crypto/digest.h"

namespace tlsguard::store {
namespace {

// With ".pem", ".bad" or ".tmp" it stays below what a state file may be called.
constexpr std::size_t longest = 150;
constexpr std::size_t digest_bytes = 16;
constexpr std::string_view wildcard = "*.";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

// Of an IPv6 address, which consists of nothing else.
bool is_address_part(char c) {
  return c == ':' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string directory_of(std::string_view identity) {
  const std::string name = to_lower(identity);
  std::string_view rest = name;
  std::string directory;
  if (rest.starts_with(wildcard)) {
    directory = "_wildcard.";
    rest.remove_prefix(wildcard.size());
  }
  const bool address = rest.find(':') != std::string_view::npos &&
                       std::all_of(rest.begin(), rest.end(), is_address_part);
  bool faithful = !rest.empty() && rest.front() != '.' &&
                  directory.size() + rest.size() <= longest && !(address && !directory.empty());
  for (char c : rest.substr(0, longest)) {
    faithful = faithful && (is_plain(c) || (address && c == ':'));
    directory += is_plain(c) ? c : '_';
  }
  if (faithful) return directory;
  const crypto::Sha256 digest = crypto::sha256(name);
  directory.resize(std::min(directory.size(), longest - 2 * digest_bytes - 1));
  if (directory.starts_with('.')) directory.front() = '_';
  return directory + "~" + crypto::hex(std::span(digest).first(digest_bytes));
}

std::string report_file_of(std::string_view identity) { return directory_of(identity) + ".json"; }

}  // namespace tlsguard::store
