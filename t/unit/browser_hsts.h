// SPDX-License-Identifier: Apache-2.0
// A browser's view of Strict-Transport-Security, written from RFC 6797 6.1 and 8.1 alone and
// sharing nothing with the module: what the tests hold the module's field values against.
#ifndef TLSGUARD_T_UNIT_BROWSER_HSTS_H
#define TLSGUARD_T_UNIT_BROWSER_HSTS_H

#include <optional>
#include <string>
#include <vector>

namespace tlsguard::test {

struct BrowserHsts {
  long long max_age = 0;
  bool include_sub_domains = false;
  bool preload = false;              // not in the RFC: what the preload list looks for
  std::vector<std::string> unknown;  // names of directives the RFC says to ignore
};

// nullopt: the browser ignores the field.
std::optional<BrowserHsts> browser_parses(const std::string& field);

}  // namespace tlsguard::test

#endif
