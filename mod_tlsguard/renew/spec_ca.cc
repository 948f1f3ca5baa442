// SPDX-License-Identifier: Apache-2.0
#include "renew/spec_ca.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace tlsguard::renew {

namespace {

constexpr KnownCa table[] = {
    {"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", false, false},
    {"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory", false, false},
    {"zerossl", "https://acme.zerossl.com/v2/DV90", true, true},
    {"google", "https://dv.acme-v02.api.pki.goog/directory", true, true},
    {"actalis", "https://acme-api.actalis.com/acme/directory", true, true},
    {"ssl.com", "https://acme.ssl.com/sslcom-dv-ecc", true, true},
    {"internal", "", false, false},
};

constexpr std::size_t longest_url = 2048;

bool is_https_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (text.size() <= scheme.size() || text.size() > longest_url ||
      !equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
    return false;
  }
  char first = text[scheme.size()];
  return first != '/' && first != '?' && first != '#' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::span<const KnownCa> known_cas() { return table; }

Result<CaSpec> parse_ca(std::string_view text) {
  for (const KnownCa& known : table) {
    if (equal_ignoring_case(known.name, text)) {
      return CaSpec{std::string(known.name), std::string(known.url)};
    }
  }
  if (is_https_url(text)) return CaSpec{std::string(text), std::string(text)};
  std::string names;
  for (const KnownCa& known : table) names += fmt::format("{}, ", known.name);
  return fail(fmt::format("unknown CA '{}': valid are {}and the https:// URL of an ACME directory",
                          text, names));
}

const KnownCa* find_known_ca(const CaSpec& ca) {
  const auto* found = std::find_if(std::begin(table), std::end(table), [&](const KnownCa& known) {
    return ca.internal() ? known.url.empty() : known.url == ca.directory_url;
  });
  return found != std::end(table) ? found : nullptr;
}

}  // namespace tlsguard::renew
