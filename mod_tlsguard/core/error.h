// SPDX-License-Identifier: Apache-2.0
// Errors are values: every fallible function of the library returns a Result.
// Thread-safe: plain values, no shared state.
#ifndef TLSGUARD_CORE_ERROR_H
#define TLSGUARD_CORE_ERROR_H

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tlsguard {

// What went wrong, in words an administrator can act on. Context is added on the way up.
struct Error {
  std::string text;

  // "context: text"
  [[nodiscard]] Error within(const std::string& context) const { return {context + ": " + text}; }
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string text) {
  return tl::unexpected<Error>(Error{std::move(text)});
}

}  // namespace tlsguard

#endif
