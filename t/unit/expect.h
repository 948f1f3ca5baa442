// SPDX-License-Identifier: Apache-2.0
// What the unit tests have in common: texts compared, Results opened.
#ifndef TLSGUARD_T_UNIT_EXPECT_H
#define TLSGUARD_T_UNIT_EXPECT_H

#include "suites.h"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/error.h"

namespace tlsguard::test {

inline void expect_text(std::string_view got, std::string_view wanted) {
  ck_assert_msg(got == wanted, "got '%s', wanted '%s'", std::string(got).c_str(),
                std::string(wanted).c_str());
}

inline void expect_contains(std::string_view text, std::string_view part) {
  ck_assert_msg(text.find(part) != std::string_view::npos, "'%s' is not in '%s'",
                std::string(part).c_str(), std::string(text).c_str());
}

// The test ends where there is an error.
template <typename T>
T value_of(Result<T> result) {
  ck_assert_msg(result.has_value(), "%s", result ? "" : result.error().text.c_str());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The test ends where there is none.
template <typename T>
std::string error_of(const Result<T>& result) {
  ck_assert_msg(!result.has_value(), "no error");
  return result ? "" : result.error().text;
}

}  // namespace tlsguard::test

#endif
