// SPDX-License-Identifier: Apache-2.0
// ASCII text: comparing, splitting, joining. Locale plays no part. Thread-safe.
#ifndef TLSGUARD_CORE_TEXT_H
#define TLSGUARD_CORE_TEXT_H

#include <string>
#include <string_view>
#include <vector>

namespace tlsguard {

[[nodiscard]] char to_lower(char c);
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view trim(std::string_view text);
// Splits at any of the separators; empty parts are left out.
[[nodiscard]] std::vector<std::string> split(std::string_view text, std::string_view separators);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace tlsguard

#endif
