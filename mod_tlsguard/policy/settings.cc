// SPDX-License-Identifier: Apache-2.0
// The five single settings: judged by themselves, and put in place of a policy's own.
#include <algorithm>

#include "core/text.h"
#include "policy/cipher_spec.h"
#include "policy/policy.h"
#include "policy/suggest.h"

namespace tlsguard::policy {
namespace {

using Names = std::vector<std::string>;

// OpenSSL's own list syntax is not ours: a list is in order of preference, and what this OpenSSL
// lacks is left out without '?'.
bool has_list_syntax(const std::string& name) {
  return name.find_first_of("?*/") != std::string::npos || name.starts_with("-");
}

// kind: "group"; find: the table's look-up; valid: its names. Names that this OpenSSL lacks are
// kept: whether anything is left is for tighten() to say, which is no error in report mode.
template <typename Find>
Result<Names> canonical(const Names& written, const char* kind, Find find, const Names& valid) {
  Names names;
  for (const std::string& part : written) {
    for (const std::string& name : split(part, ":, ")) {
      const auto* entry = find(name);
      if (entry == nullptr) {
        return fail(std::string("unknown ") + kind + " '" + name + "'" +
                    (has_list_syntax(name) ? " (write names alone: what this OpenSSL lacks is left "
                                             "out by itself)"
                                           : did_you_mean(name, valid)) +
                    ": valid are " + join(valid, ", "));
      }
      if (std::find(names.begin(), names.end(), entry->name) == names.end()) {
        names.emplace_back(entry->name);
      }
    }
  }
  if (names.empty()) return fail(std::string("no ") + kind + " is named");
  return names;
}

Result<Names> canonical_groups(const Names& written) {
  return canonical(
      written, "group", [](const auto& name) { return find_group(name); }, all_group_names());
}

Result<Names> canonical_signature_algorithms(const Names& written) {
  return canonical(
      written, "signature algorithm",
      [](const auto& name) { return find_signature_algorithm(name); },
      all_signature_algorithm_names());
}

Result<void> replace_lists(Policy& policy, const Settings& settings) {
  if (settings.cipher_suite) {
    auto selection = select_ciphers(*settings.cipher_suite);
    if (!selection) return tl::unexpected(selection.error());
    policy.ciphers = std::move(selection->ciphers);
    policy.security_level = selection->security_level;
  }
  if (settings.tls13_cipher_suite) {
    auto suites = select_tls13_suites(*settings.tls13_cipher_suite);
    if (!suites) return tl::unexpected(suites.error());
    policy.suites = std::move(*suites);
  }
  if (settings.groups) {
    auto groups = canonical_groups(*settings.groups);
    if (!groups) return tl::unexpected(groups.error());
    policy.groups = std::move(*groups);
  }
  if (settings.signature_algorithms) {
    auto algorithms = canonical_signature_algorithms(*settings.signature_algorithms);
    if (!algorithms) return tl::unexpected(algorithms.error());
    policy.signature_algorithms = std::move(*algorithms);
  }
  return {};
}

}  // namespace

Result<void> check_cipher_suite(const std::string& spec) {
  auto known = select_ciphers(spec);
  if (!known) return tl::unexpected(known.error());
  return {};
}

Result<void> check_tls13_cipher_suite(const std::string& list) {
  auto known = select_tls13_suites(list);
  if (!known) return tl::unexpected(known.error());
  return {};
}

Result<void> check_groups(const Names& names) {
  auto known = canonical_groups(names);
  if (!known) return tl::unexpected(known.error());
  return {};
}

Result<void> check_signature_algorithms(const Names& names) {
  auto known = canonical_signature_algorithms(names);
  if (!known) return tl::unexpected(known.error());
  return {};
}

std::string Policy::id() const { return version.empty() ? name : name + "@" + version; }

Result<Policy> with_settings(const Policy& base, const Settings& settings) {
  Policy policy = base;
  if (auto replaced = replace_lists(policy, settings); !replaced) {
    return tl::unexpected(replaced.error());
  }
  policy.min_protocol = settings.min_protocol.value_or(base.min_protocol);
  policy.max_protocol = settings.max_protocol.value_or(base.max_protocol);
  if (policy.min_protocol > policy.max_protocol) {
    return fail("the minimum version " + std::string(protocol_name(policy.min_protocol)) +
                " is above the maximum " + std::string(protocol_name(policy.max_protocol)) +
                " (policy " + base.id() + " has " + std::string(protocol_name(base.min_protocol)) +
                " to " + std::string(protocol_name(base.max_protocol)) + ")");
  }
  if (policy != base) (policy.version.empty() ? policy.name : policy.version) += "+";
  return policy;
}

}  // namespace tlsguard::policy
