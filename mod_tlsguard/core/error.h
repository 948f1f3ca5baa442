// SPDX-License-Identifier: Apache-2.0
// Errors are values: every fallible function of the library returns a Result.
// Thread-safe: plain values, no shared state.
#ifndef TLSGUARD_CORE_ERROR_H
#define TLSGUARD_CORE_ERROR_H

#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tlsguard {

// What whoever meets an error does next.
enum class Next : std::uint8_t {
  back_off,  // try again, later each time
  wait,      // try again after Error::after, as the other side asked (RFC 9110 10.2.3)
  never,     // the same again would fail the same way: something must be changed first
};

// What went wrong, in words an administrator can act on. Context is added on the way up.
struct Error {
  std::string text;
  Next next = Next::back_off;
  std::chrono::seconds after{0};  // of Next::wait
  // For whoever decides by the kind of error: an ACME problem type without its prefix
  // ("rateLimited"); else empty.
  std::string kind = {};

  // "context: text"
  [[nodiscard]] Error within(const std::string& context) const {
    return {context + ": " + text, next, after, kind};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string text) {
  return tl::unexpected<Error>(Error{std::move(text)});
}
inline tl::unexpected<Error> fail_for_good(std::string text) {
  return tl::unexpected<Error>(Error{std::move(text), Next::never});
}
inline tl::unexpected<Error> fail_until(std::chrono::seconds after, std::string text) {
  return tl::unexpected<Error>(Error{std::move(text), Next::wait, after});
}

}  // namespace tlsguard

#endif
