// SPDX-License-Identifier: Apache-2.0
// How deep untrusted JSON (RFC 8259) is nested, before anything is built of it. Pure; thread-safe.
#ifndef TLSGUARD_CORE_JSON_DEPTH_H
#define TLSGUARD_CORE_JSON_DEPTH_H

#include <string_view>

namespace tlsguard {

// True where objects and arrays stand in one another more than limit deep. One pass, no memory.
// Whether the text is JSON is the parser's to say.
[[nodiscard]] bool nested_deeper_than(int limit, std::string_view json);

}  // namespace tlsguard

#endif
