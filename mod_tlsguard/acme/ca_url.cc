// SPDX-License-Identifier: Apache-2.0
#include "acme/ca_url.h"

#include <algorithm>

#include "core/text.h"

namespace tlsguard::acme {
namespace {

constexpr std::string_view scheme = "https://";

}  // namespace

std::string_view host_of(std::string_view url) {
  std::string_view rest = url.substr(std::min(scheme.size(), url.size()));
  return rest.substr(0, rest.find_first_of("/?#"));
}

bool is_ca_url(std::string_view url) {
  if (url.size() > max_url || !equal_ignoring_case(url.substr(0, scheme.size()), scheme)) {
    return false;
  }
  constexpr std::string_view never = "\"#<>\\^`{|}";
  bool characters = std::all_of(url.begin(), url.end(), [&](char c) {
    return c > ' ' && c <= '~' && never.find(c) == std::string_view::npos;
  });
  std::string_view authority = host_of(url);
  return characters && !authority.empty() && authority.front() != ':' &&
         authority.find('@') == std::string_view::npos;
}

}  // namespace tlsguard::acme
