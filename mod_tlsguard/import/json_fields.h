// SPDX-License-Identifier: Apache-2.0
// JSON files of other programs: bounded before they are parsed, then asked for what we know; what
// is missing or of another type counts as empty. Pure; thread-safe.
#ifndef TLSGUARD_IMPORT_JSON_FIELDS_H
#define TLSGUARD_IMPORT_JSON_FIELDS_H

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::import {

using Json = nlohmann::json;

// An error where it is too large, nested too deep, or no object.
[[nodiscard]] Result<Json> parse_foreign_json(std::string_view text);

using Path = std::initializer_list<const char*>;

// nullptr: there is none.
[[nodiscard]] const Json* json_at(const Json& object, Path path);
[[nodiscard]] std::string text_at(const Json& object, Path path);
// The texts in a list; other elements are left out.
[[nodiscard]] std::vector<std::string> texts_at(const Json& object, Path path);
[[nodiscard]] bool flag_at(const Json& object, Path path, bool otherwise);

}  // namespace tlsguard::import

#endif
