// SPDX-License-Identifier: Apache-2.0
// Members of a report that another process wrote: one that is missing or of another type is empty.
// Pure; thread-safe.
#ifndef TLSGUARD_CTL_REPORT_MEMBERS_H
#define TLSGUARD_CTL_REPORT_MEMBERS_H

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tlsguard::ctl {

[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* key);
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* key);  // printable()
[[nodiscard]] std::int64_t number_of(const nlohmann::json& object, const char* key);

}  // namespace tlsguard::ctl

#endif
