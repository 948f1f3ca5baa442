// SPDX-License-Identifier: Apache-2.0
#include "core/json_depth.h"

#include <cstddef>

namespace tlsguard {

// The parser's own watch (a callback) takes time by the square of the number of members.
bool nested_deeper_than(int limit, std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace tlsguard
