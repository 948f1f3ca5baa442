// SPDX-License-Identifier: Apache-2.0
// For targets that read the project's own files.
#ifndef TLSGUARD_T_FUZZ_ROUND_TRIP_H
#define TLSGUARD_T_FUZZ_ROUND_TRIP_H

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace tlsguard::fuzz {

[[noreturn]] inline void wrong(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// What is read is written and read again as the same. Returns what the first reading has.
template <typename Read>
auto round_trip(std::string_view text, Read&& read) {
  auto first = read(text);
  if (!first) {
    if (first.error().text.empty()) wrong("an error without a text");
    return first;
  }
  std::string written = to_json(*first);
  auto again = read(written);
  if (!again) wrong(again.error().text.c_str());
  if (to_json(*again) != written) wrong("not the same after writing");
  return first;
}

}  // namespace tlsguard::fuzz

#endif
