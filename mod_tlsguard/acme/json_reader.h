// SPDX-License-Identifier: Apache-2.0
// JSON from a CA: bounded before it is parsed, and read member by member; JSON for it. One thread
// at a time.
#ifndef TLSGUARD_ACME_JSON_READER_H
#define TLSGUARD_ACME_JSON_READER_H

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tlsguard::acme {

// An order with 100 names, a problem and subproblems for each of them takes half of it.
inline constexpr std::size_t max_json = 256UL * 1024;
inline constexpr int max_json_depth = 32;

// what: "order", for the error. An error where it is too large, nested too deep, or no JSON object.
[[nodiscard]] Result<nlohmann::json> parse_object(std::string_view body, const std::string& what);

// What a CA is sent. Text that is no UTF-8 is replaced, not thrown over.
[[nodiscard]] std::string json_text(const nlohmann::json& object);

// Keeps the first thing that is wrong, and gives empty values from then on. A member that is null
// counts as missing: some CAs write empty lists so.
class JsonReader {
 public:
  explicit JsonReader(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  // The value, unless something was wrong.
  template <typename T>
  [[nodiscard]] Result<T> result(T value) const {
    if (error_) return tl::unexpected(*error_);
    return value;
  }

  // Missing: empty. For people: made plain.
  std::string text(const nlohmann::json& object, const char* name, std::size_t max);
  // An error where it is missing; exactly what is there, max bytes at most.
  std::string required(const nlohmann::json& object, const char* name, std::size_t max);
  // is_ca_url; where it is missing: empty, or an error.
  std::string url(const nlohmann::json& object, const char* name);
  std::string required_url(const nlohmann::json& object, const char* name);
  // An element of the list of this name, which must be a URL.
  std::string url_of(const nlohmann::json& element, const char* name);
  bool flag(const nlohmann::json& object, const char* name);  // missing: false
  // nullptr: missing. An error with more than max elements.
  const nlohmann::json* list(const nlohmann::json& object, const char* name, std::size_t max);
  const nlohmann::json* object(const nlohmann::json& object, const char* name);

  void complain(const std::string& wrong);

 private:
  const nlohmann::json* member(const nlohmann::json& object, const char* name);
  const std::string* string(const nlohmann::json& object, const char* name);

  std::string what_;
  std::optional<Error> error_;
};

}  // namespace tlsguard::acme

#endif
