// SPDX-License-Identifier: Apache-2.0
// The files of live/ in the state directory: torn, foreign or written by somebody else. What is
// read is written and read again as the same.
// Input: one byte that chooses the file, then its content.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "live/runtime_file.h"
#include "live/snapshot.h"

namespace {

using namespace tlsguard;

template <typename Read, typename Write>
void round_trip(std::string_view text, Read&& read, Write&& write) {
  auto first = read(text);
  if (!first) {
    if (first.error().text.empty()) std::abort();
    return;
  }
  auto again = read(write(*first));
  if (again && *again == *first) return;
  std::fprintf(stderr, "not the same after writing: %s\n",
               again ? "other values" : again.error().text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 2) {
    case 0:
      round_trip(text, live::runtime_from_json, [](const auto& v) { return live::to_json(v); });
      break;
    default:
      round_trip(text, live::parse_snapshot, [](const auto& v) { return live::to_json(v); });
  }
  return 0;
}
