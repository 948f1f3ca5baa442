// SPDX-License-Identifier: Apache-2.0
#include "renew/json_members.h"

#include <fmt/format.h>

#include "core/json_depth.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t last_time = 253402300799;  // the end of the year 9999

}  // namespace

Result<Json> parse_object(std::string_view text, JsonBounds bounds) {
  if (text.size() > bounds.bytes) {
    return fail(fmt::format("it is longer than {} bytes", bounds.bytes));
  }
  if (nested_deeper_than(bounds.depth, text)) {
    return fail(fmt::format("it is nested more than {} deep", bounds.depth));
  }
  Json parsed = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return fail("it is not JSON, or it is torn");
  if (!parsed.is_object()) return fail("it is not an object");
  return parsed;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Members::Members(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) note(where_ + " is not an object");
}

bool Members::has(const char* key) const {
  if (!object_.is_object()) return false;
  auto member = object_.find(key);
  return member != object_.end() && !member->is_null();
}

const Json* Members::find(const char* key) {
  if (!object_.is_object()) return nullptr;
  auto member = object_.find(key);
  if (member != object_.end()) return &*member;
  note(fmt::format("{}.{} is missing", where_, key));
  return nullptr;
}

void Members::wrong(const char* key, std::string_view wanted) {
  note(fmt::format("{}.{} is not {}", where_, key, wanted));
}

void Members::text(const char* key, std::string& out, std::size_t longest) {
  const Json* member = find(key);
  if (member == nullptr) return;
  if (!member->is_string()) return wrong(key, "a text");
  const auto& read = member->get_ref<const std::string&>();
  if (read.size() > longest) return wrong(key, fmt::format("of at most {} bytes", longest));
  out = read;
}

void Members::flag(const char* key, bool& out) {
  const Json* member = find(key);
  if (member == nullptr) return;
  if (!member->is_boolean()) return wrong(key, "true or false");
  out = member->get<bool>();
}

std::optional<std::int64_t> Members::integer(const char* key, std::int64_t min, std::int64_t max) {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  // A number over the signed range is unsigned in this library's eyes.
  bool fits = member->is_number_integer() &&
              (!member->is_number_unsigned() ||
               member->get<std::uint64_t>() <=
                   static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  std::int64_t read = fits ? member->get<std::int64_t>() : 0;
  if (fits && read >= min && read <= max) return read;
  wrong(key, fmt::format("a number from {} to {}", min, max));
  return std::nullopt;
}

void Members::time(const char* key, std::int64_t& out) { number(key, out, 0, last_time); }

const Json* Members::array(const char* key, std::size_t most) {
  const Json* member = find(key);
  if (member == nullptr) return nullptr;
  if (member->is_array() && member->size() <= most) return member;
  wrong(key, fmt::format("a list of at most {}", most));
  return nullptr;
}

void Members::texts(const char* key, std::vector<std::string>& out, std::size_t most,
                    std::size_t longest) {
  const Json* list = array(key, most);
  if (list == nullptr) return;
  for (const Json& element : *list) {
    if (!element.is_string() || element.get_ref<const std::string&>().size() > longest) {
      return wrong(key, fmt::format("a list of texts of at most {} bytes", longest));
    }
    out.push_back(element.get_ref<const std::string&>());
  }
}

void Members::note(std::string text) {
  if (!error_) error_ = Error{std::move(text)};
}

}  // namespace tlsguard::renew
