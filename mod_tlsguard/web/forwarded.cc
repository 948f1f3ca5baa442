// SPDX-License-Identifier: Apache-2.0
#include "web/forwarded.h"

#include <cstddef>

#include "core/text.h"

namespace tlsguard::web {
namespace {

constexpr std::size_t longest_value = 8192;  // httpd's default LimitRequestFieldSize, about

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// RFC 9110 5.6.2.
bool is_token_char(char c) {
  char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// Reads one field value from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Empty if there is none.
  std::string_view token() {
    std::size_t size = 0;
    while (size < text_.size() && is_token_char(text_[size])) ++size;
    std::string_view token = text_.substr(0, size);
    text_.remove_prefix(size);
    return token;
  }
  // RFC 9110 5.6.4, after the opening quote. Whether it is well-formed; `is_https` tells whether
  // what it quotes is https.
  bool quoted_string(bool& is_https);

 private:
  std::string_view text_;
};

constexpr std::string_view https = "https";

bool Reader::quoted_string(bool& is_https) {
  std::size_t length = 0;
  bool same = true;
  while (!text_.empty()) {
    char c = text_.front();
    text_.remove_prefix(1);
    if (c == '"') {
      is_https = same && length == https.size();
      return true;
    }
    if (c == '\\') {
      if (text_.empty()) return false;
      c = text_.front();
      text_.remove_prefix(1);
    }
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
    same = same && length < https.size() && to_lower(c) == https[length];
    ++length;
  }
  return false;  // never closed
}

// RFC 7239 4: `name=value` pairs, or nothing, split by ';', each name once. Whether the element is
// well-formed and its proto is https. Of names given twice only proto matters here.
bool element_says_https(Reader& reader) {
  bool said = false;
  do {
    reader.skip_blanks();
    std::string_view name = reader.token();
    if (name.empty()) continue;  // what stands here instead, if not ';', ends the element
    if (!reader.take('=')) return false;
    bool is_https = false;
    if (reader.take('"')) {
      if (!reader.quoted_string(is_https)) return false;
    } else {
      std::string_view value = reader.token();
      if (value.empty()) return false;
      is_https = equal_ignoring_case(value, https);
    }
    if (equal_ignoring_case(name, "proto")) {
      if (said || !is_https) return false;
      said = true;
    }
    reader.skip_blanks();
  } while (reader.take(';'));
  return said;
}

// Whether the value is a list of which every element says https.
template <typename SaysHttps>
bool all_https(std::string_view value, SaysHttps says_https) {
  if (value.size() > longest_value) return false;
  Reader reader(value);
  do {
    reader.skip_blanks();
    if (!says_https(reader)) return false;
    reader.skip_blanks();
  } while (reader.take(','));
  return reader.at_end();
}

}  // namespace

ForwardedScheme forwarded_scheme(std::optional<std::string_view> x_forwarded_proto,
                                 std::optional<std::string_view> forwarded) {
  if (!x_forwarded_proto && !forwarded) return ForwardedScheme::absent;
  bool https_only = true;
  if (x_forwarded_proto) {
    https_only = all_https(*x_forwarded_proto, [](Reader& reader) {
      return equal_ignoring_case(reader.token(), https);
    });
  }
  if (forwarded) https_only = https_only && all_https(*forwarded, element_says_https);
  return https_only ? ForwardedScheme::https : ForwardedScheme::clear;
}

}  // namespace tlsguard::web
