// SPDX-License-Identifier: Apache-2.0
#include "import/json_fields.h"

#include "core/json_depth.h"
#include "import/foreign_files.h"

namespace tlsguard::import {
namespace {

constexpr int max_depth = 32;
constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_list = 2000;

bool is_usable_text(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= longest_text;
}

}  // namespace

Result<Json> parse_foreign_json(std::string_view text) {
  if (text.size() > max_foreign_file || nested_deeper_than(max_depth, text)) {
    return fail("it is too large, or nested too deep");
  }
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail("it is no JSON object, or torn");
  return json;
}

const Json* json_at(const Json& object, Path path) {
  const Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object()) return nullptr;
    auto member = at->find(key);
    if (member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

std::string text_at(const Json& object, Path path) {
  const Json* value = json_at(object, path);
  return value != nullptr && is_usable_text(*value) ? value->get<std::string>() : std::string();
}

std::vector<std::string> texts_at(const Json& object, Path path) {
  std::vector<std::string> texts;
  const Json* list = json_at(object, path);
  if (list == nullptr || !list->is_array() || list->size() > longest_list) return texts;
  for (const Json& value : *list) {
    if (is_usable_text(value)) texts.push_back(value.get<std::string>());
  }
  return texts;
}

bool flag_at(const Json& object, Path path, bool otherwise) {
  const Json* value = json_at(object, path);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

}  // namespace tlsguard::import
