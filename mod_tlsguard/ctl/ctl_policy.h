// SPDX-License-Identifier: Apache-2.0
// tlsguardctl policy list|show|diff|explain: the built-in policies. Each returns the exit status.
#ifndef TLSGUARD_CTL_CTL_POLICY_H
#define TLSGUARD_CTL_CTL_POLICY_H

#include <string>

namespace tlsguard::ctl {

[[nodiscard]] int policy_list(bool json);
[[nodiscard]] int policy_show(const std::string& name, bool json);
[[nodiscard]] int policy_diff(const std::string& from, const std::string& to, bool json);
[[nodiscard]] int policy_explain(const std::string& name, bool json);

}  // namespace tlsguard::ctl

#endif
