// SPDX-License-Identifier: Apache-2.0
// The domain that somebody registered, by which CAs count: one label more than its public suffix
// (publicsuffix.org). Rules come from the list that Debian's package publicsuffix installs; without
// it from a rule of thumb that keeps more names apart than it throws together.
// Immutable once made; thread-safe.
#ifndef TLSGUARD_RENEW_REGISTERED_DOMAIN_H
#define TLSGUARD_RENEW_REGISTERED_DOMAIN_H

#include <string>
#include <string_view>
#include <unordered_set>

namespace tlsguard::renew {

class PublicSuffixes {
 public:
  static constexpr char usual_file[] = "/usr/share/publicsuffix/public_suffix_list.dat";

  PublicSuffixes() = default;  // no list: the rule of thumb
  // Text of the list; lines that are no rule are passed over.
  [[nodiscard]] static PublicSuffixes parse(std::string_view text);
  [[nodiscard]] static PublicSuffixes load(const std::string& path);  // missing: no list

  // name: lower case; a wildcard counts as the name below it, an IPv4 address as itself, an IPv6
  // address as its /64.
  [[nodiscard]] std::string registered_domain(std::string_view name) const;
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  [[nodiscard]] bool is_suffix(std::string_view name) const;

  std::unordered_set<std::string> rules_;
  std::unordered_set<std::string> wildcards_;   // "ck" for "*.ck"
  std::unordered_set<std::string> exceptions_;  // "www.ck" for "!www.ck"
};

}  // namespace tlsguard::renew

#endif
