// SPDX-License-Identifier: Apache-2.0
#include "ctl/report_members.h"

#include <nlohmann/json.hpp>

#include "ctl/output.h"

namespace tlsguard::ctl {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json nothing;
  auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

std::string text_of(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? printable(value.get<std::string>()) : "";
}

std::int64_t number_of(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

}  // namespace tlsguard::ctl
