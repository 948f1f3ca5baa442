// SPDX-License-Identifier: Apache-2.0
// JSON documents of ours, read with bounds: what is in a file, a memfd or a socket may be torn,
// foreign or hostile. Pure; one thread at a time for each object.
#ifndef TLSGUARD_RENEW_JSON_MEMBERS_H
#define TLSGUARD_RENEW_JSON_MEMBERS_H

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"

namespace tlsguard::renew {

using Json = nlohmann::json;

struct JsonBounds {
  std::size_t bytes = 0;
  int depth = 0;
};
// An error where the text is longer or nested deeper, or is not one object.
[[nodiscard]] Result<Json> parse_object(std::string_view text, JsonBounds bounds);
// Bytes that are no UTF-8 are replaced: nothing throws.
[[nodiscard]] std::string dump(const Json& json);

// Reads the members of one object and keeps the first error, so that a reader is a plain list of
// members. What the object has beyond those is ignored: it may be of a later version.
class Members {
 public:
  // object must outlive this. where: for errors ("domains[3]").
  Members(const Json& object, std::string where);

  [[nodiscard]] bool has(const char* key) const;  // present, and not null

  void text(const char* key, std::string& out, std::size_t longest);
  void optional_text(const char* key, std::string& out, std::size_t longest) {
    if (has(key)) text(key, out, longest);
  }
  void flag(const char* key, bool& out);
  void optional_flag(const char* key, bool& out) {
    if (has(key)) flag(key, out);
  }
  template <typename Int>
  void number(const char* key, Int& out, std::int64_t min, std::int64_t max) {
    static_assert(std::is_integral_v<Int>);
    static_assert(sizeof(Int) <= sizeof(std::int64_t));
    if (auto read = integer(key, min, max)) out = static_cast<Int>(*read);
  }
  template <typename Int>
  void optional_number(const char* key, Int& out, std::int64_t min, std::int64_t max) {
    if (has(key)) number(key, out, min, max);
  }
  // A moment: 1970 to the end of the year 9999.
  void time(const char* key, std::int64_t& out);
  void optional_time(const char* key, std::int64_t& out) {
    if (has(key)) time(key, out);
  }
  void texts(const char* key, std::vector<std::string>& out, std::size_t most, std::size_t longest);
  // An array of at most `most` objects, each given to `read` (Members& element, T& item).
  template <typename T, typename Read>
  void objects(const char* key, std::vector<T>& out, std::size_t most, Read&& read) {
    const Json* list = array(key, most);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->size() && !error_; ++i) {
      Members element((*list)[i], where_ + "." + key + "[" + std::to_string(i) + "]");
      T item{};
      if (!element.error_) read(element, item);
      if (element.error_) error_ = element.error_;
      out.push_back(std::move(item));
    }
  }
  // A member that is an object, given to `read` (Members& member).
  template <typename Read>
  void object(const char* key, Read&& read) {
    const Json* member = find(key);
    if (member == nullptr) return;
    Members inner(*member, where_ + "." + key);
    if (!inner.error_) read(inner);
    if (inner.error_ && !error_) error_ = inner.error_;
  }
  // nullptr: noted as missing.
  const Json* find(const char* key);

  void note(std::string text);
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<std::int64_t> integer(const char* key, std::int64_t min, std::int64_t max);
  const Json* array(const char* key, std::size_t most);
  void wrong(const char* key, std::string_view wanted);

  const Json& object_;
  std::string where_;
  std::optional<Error> error_;
};

}  // namespace tlsguard::renew

#endif
