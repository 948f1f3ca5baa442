// SPDX-License-Identifier: Apache-2.0
// Policies and settings as text, for tlsguardctl, DUMP_TLSGUARD and the golden files under
// t/golden. Pure; thread-safe.
#ifndef TLSGUARD_POLICY_DESCRIBE_H
#define TLSGUARD_POLICY_DESCRIBE_H

#include <string>
#include <vector>

#include "hello/server_settings.h"
#include "policy/policy.h"

namespace tlsguard::policy {

// "key: value" lines, stable: the golden dump.
[[nodiscard]] std::string dump(const Policy& policy);
// The settings in force, one line a kind, each line begun with indent.
[[nodiscard]] std::string dump(const hello::ServerSettings& settings, const std::string& indent);
// What moving from a to b takes away and adds, in the field's terms, and newly_cut_off(); "no
// difference" if none.
[[nodiscard]] std::string diff(const Policy& a, const Policy& b);
// Whom b refuses and a does not, a sentence each; empty: nobody, or nobody that can be named.
[[nodiscard]] std::vector<std::string> newly_cut_off(const Policy& a, const Policy& b);
// Prose: whom it is for, what it admits and why, what it cuts off, its source and date.
[[nodiscard]] std::string explain(const Policy& policy);

}  // namespace tlsguard::policy

#endif
