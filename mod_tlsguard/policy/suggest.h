// SPDX-License-Identifier: Apache-2.0
// The tail of an "unknown name" error: the nearest valid name. Pure; thread-safe.
#ifndef TLSGUARD_POLICY_SUGGEST_H
#define TLSGUARD_POLICY_SUGGEST_H

#include <string>
#include <string_view>
#include <vector>

namespace tlsguard::policy {

// " (did you mean NAME?)", or empty where none of the candidates is near. Case plays no part.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& candidates);

}  // namespace tlsguard::policy

#endif
