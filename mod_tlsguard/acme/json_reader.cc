// SPDX-License-Identifier: Apache-2.0
#include "acme/json_reader.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "acme/ca_url.h"
#include "acme/plain_text.h"
#include "core/json_depth.h"
#include "core/text.h"

namespace tlsguard::acme {

using nlohmann::json;

Result<json> parse_object(std::string_view body, const std::string& what) {
  if (body.size() > max_json) {
    return fail(fmt::format("the CA's {} has {} bytes, more than {}", what, body.size(), max_json));
  }
  std::string_view trimmed = trim(body);
  if (trimmed.empty()) return fail(fmt::format("the CA's {} is empty", what));
  if (trimmed.front() == '<') {
    return fail(
        fmt::format("the CA sent HTML instead of its {}: is the URL that of an ACME "
                    "directory, and is no proxy or portal in between?",
                    what));
  }
  if (nested_deeper_than(max_json_depth, body)) {
    return fail(fmt::format("the CA's {} is JSON nested too deep", what));
  }
  json document = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return fail(fmt::format("the CA's {} is no JSON, or torn", what));
  if (!document.is_object()) return fail(fmt::format("the CA's {} is no JSON object", what));
  return document;
}

std::string json_text(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

void JsonReader::complain(const std::string& wrong) {
  if (!error_) error_ = Error{fmt::format("the CA's {}: {}", what_, wrong)};
}

const json* JsonReader::member(const json& object, const char* name) {
  if (error_ || !object.is_object()) return nullptr;
  auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const std::string* JsonReader::string(const json& object, const char* name) {
  const json* found = member(object, name);
  if (found == nullptr) return nullptr;
  if (found->is_string()) return &found->get_ref<const std::string&>();
  complain(fmt::format("'{}' is no text but of type {}", name, found->type_name()));
  return nullptr;
}

std::string JsonReader::text(const json& object, const char* name, std::size_t max) {
  const std::string* found = string(object, name);
  return found == nullptr ? std::string() : plain_text(*found, max);
}

std::string JsonReader::required(const json& object, const char* name, std::size_t max) {
  const std::string* found = string(object, name);
  if (found == nullptr || found->empty()) {
    complain(fmt::format("'{}' is missing", name));
    return {};
  }
  if (found->size() > max) {
    complain(fmt::format("'{}' is longer than {} bytes", name, max));
    return {};
  }
  return *found;
}

std::string JsonReader::url(const json& object, const char* name) {
  const json* found = member(object, name);
  if (found == nullptr) return {};
  if (found->is_string() && found->get_ref<const std::string&>().empty()) return {};
  return url_of(*found, name);
}

std::string JsonReader::url_of(const json& element, const char* name) {
  if (error_) return {};
  if (!element.is_string()) {
    complain(fmt::format("'{}' is no URL but of type {}", name, element.type_name()));
    return {};
  }
  const auto& text = element.get_ref<const std::string&>();
  if (is_ca_url(text)) return text;
  complain(fmt::format("'{}' is no https URL: '{}'", name, plain_text(text, 200)));
  return {};
}

std::string JsonReader::required_url(const json& object, const char* name) {
  std::string found = url(object, name);
  if (found.empty()) complain(fmt::format("'{}' is missing", name));
  return found;
}

bool JsonReader::flag(const json& object, const char* name) {
  const json* found = member(object, name);
  if (found == nullptr) return false;
  if (!found->is_boolean()) {
    complain(fmt::format("'{}' is neither true nor false", name));
    return false;
  }
  return found->get<bool>();
}

const json* JsonReader::list(const json& object, const char* name, std::size_t max) {
  const json* found = member(object, name);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) {
    complain(fmt::format("'{}' is no list but of type {}", name, found->type_name()));
    return nullptr;
  }
  if (found->size() > max) {
    complain(fmt::format("'{}' has {} elements, more than {}", name, found->size(), max));
    return nullptr;
  }
  return found;
}

const json* JsonReader::object(const json& object, const char* name) {
  const json* found = member(object, name);
  if (found == nullptr) return nullptr;
  if (!found->is_object()) {
    complain(fmt::format("'{}' is no object but of type {}", name, found->type_name()));
    return nullptr;
  }
  return found;
}

}  // namespace tlsguard::acme
