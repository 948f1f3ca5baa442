// SPDX-License-Identifier: Apache-2.0
// What a probe found, held against a policy. Pure; thread-safe.
#ifndef TLSGUARD_CTL_GRADE_H
#define TLSGUARD_CTL_GRADE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/facts.h"
#include "policy/policy.h"

namespace tlsguard::ctl {

struct Finding {
  enum class Kind : std::uint8_t {
    weaker,    // weaker than the policy, or than any policy
    outside,   // as strong, but not what the policy admits
    expected,  // the policy expects it, the server lacks it: certificates, HSTS
    lacks,     // the policy admits it, the server does not have it: a stricter server fits, too
    note,      // worth knowing, no matter of the policy
  };
  Kind kind = Kind::note;
  std::string subject;             // "protocol", "cipher", "group", "signature", "certificate", …
  std::vector<std::string> items;  // what it is about: suite names, groups … may be empty
  std::string text;                // what is the matter with them
  bool operator==(const Finding&) const = default;

  [[nodiscard]] bool fits() const { return kind == Kind::lacks || kind == Kind::note; }
};
// weaker outside expected lacks note
[[nodiscard]] std::string_view kind_name(Finding::Kind kind);

struct Grade {
  std::string policy;             // its id
  std::vector<Finding> findings;  // the worst kind first
  [[nodiscard]] bool fits() const;
};

// A policy says what may be negotiated at most, so the server fits if all it negotiates is in the
// policy and what the policy expects of certificates and HSTS is there. Names in the findings come
// from certificates: not yet fit for a terminal.
[[nodiscard]] Grade grade(const Facts& facts, const policy::Policy& policy);

}  // namespace tlsguard::ctl

#endif
