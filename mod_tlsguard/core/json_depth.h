// SPDX-License-Identifier: Apache-2.0
// How deep JSON is nested, before anything is built of it: for untrusted text. Pure; thread-safe.
#ifndef TLSGUARD_CORE_JSON_DEPTH_H
#define TLSGUARD_CORE_JSON_DEPTH_H

#include <string_view>

namespace tlsguard {

// True where more than max_depth objects and lists are open within each other. One pass, no
// memory; whether the text is JSON at all is not asked.
[[nodiscard]] bool is_json_deeper(std::string_view text, int max_depth);

}  // namespace tlsguard

#endif
