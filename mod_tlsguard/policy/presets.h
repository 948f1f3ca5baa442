// SPDX-License-Identifier: Apache-2.0
// The tables behind presets(): one function a family. Built once; see policy/policy.h.
// A released policy is never edited: a changed document gets a new version beside it.
#ifndef TLSGUARD_POLICY_PRESETS_H
#define TLSGUARD_POLICY_PRESETS_H

#include <vector>

#include "policy/policy.h"

namespace tlsguard::policy {

// Oldest version of a name first.
[[nodiscard]] std::vector<Policy> mozilla_presets();
[[nodiscard]] std::vector<Policy> standard_presets();

}  // namespace tlsguard::policy

#endif
