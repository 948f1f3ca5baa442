// SPDX-License-Identifier: Apache-2.0
#include "browser_hsts.h"

#include <cctype>
#include <cstddef>
#include <cstring>
#include <set>

namespace tlsguard::test {

namespace {

bool is_token(const std::string& text) {
  for (char c : text) {
    bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
    if (!fits) return false;
  }
  return !text.empty();
}

std::string without_blanks(const std::string& text) {
  std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The parts between semicolons that are not quoted; nullopt if a quote stays open.
std::optional<std::vector<std::string>> directives(const std::string& field) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < field.size(); ++i) {
    char c = field[i];
    if (c == ';' && !quoted) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted && i + 1 < field.size()) parts.back() += field[++i];
  }
  if (quoted) return std::nullopt;
  return parts;
}

// What a token or a quoted-string stands for.
std::optional<std::string> meaning(const std::string& value) {
  if (is_token(value)) return value;
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  std::string inner;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '"' || std::iscntrl(static_cast<unsigned char>(value[i])) != 0) {
      return std::nullopt;
    }
    if (value[i] == '\\') ++i;
    inner += value[i];
  }
  return inner;
}

bool is_delta_seconds(const std::string& text) {
  return !text.empty() && text.size() <= 18 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::optional<BrowserHsts> browser_parses(const std::string& field) {
  auto parts = directives(field);
  if (!parts) return std::nullopt;
  BrowserHsts seen;
  std::set<std::string> names;
  for (const std::string& part : *parts) {
    std::string directive = without_blanks(part);
    if (directive.empty()) continue;
    std::size_t equals = directive.find('=');
    bool has_value = equals != std::string::npos;
    std::string name = without_blanks(directive.substr(0, equals));
    if (!is_token(name)) return std::nullopt;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto value = has_value ? meaning(without_blanks(directive.substr(equals + 1)))
                           : std::optional<std::string>("");
    if (!value || !names.insert(name).second) return std::nullopt;
    if (name == "max-age") {
      if (!is_delta_seconds(*value)) return std::nullopt;
      seen.max_age = std::stoll(*value);
    } else if (name == "includesubdomains") {
      if (has_value) return std::nullopt;
      seen.include_sub_domains = true;
    } else if (name == "preload") {
      seen.preload = true;
    } else {
      seen.unknown.push_back(name);
    }
  }
  if (names.count("max-age") == 0) return std::nullopt;
  return seen;
}

}  // namespace tlsguard::test
