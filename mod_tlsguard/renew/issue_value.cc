// SPDX-License-Identifier: Apache-2.0
#include "renew/issue_value.h"

#include <algorithm>

#include "core/text.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t max_parameters = 64;

bool is_alphanumeric(char c) {
  char l = to_lower(c);
  return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9');
}

// RFC 8659's blanks: no line ends.
std::string_view trim_blanks(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT) )
bool is_label(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_issuer(std::string_view text) {
  while (!text.empty()) {
    auto dot = std::min(text.find('.'), text.size());
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
  return false;  // empty, or it ended with a dot
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7E && c != ';'; });
}

}  // namespace

std::size_t IssueValue::count(std::string_view tag) const {
  return static_cast<std::size_t>(
      std::count_if(parameters.begin(), parameters.end(),
                    [&](const auto& parameter) { return parameter.first == tag; }));
}

std::optional<std::string_view> IssueValue::find(std::string_view tag) const {
  for (const auto& [name, value] : parameters) {
    if (name == tag) return value;
  }
  return std::nullopt;
}

Result<IssueValue> parse_issue_value(std::string_view text) {
  IssueValue value;
  auto end = std::min(text.find(';'), text.size());
  std::string_view issuer = trim_blanks(text.substr(0, end));
  // The root alone is no issuer.
  if (issuer.size() > 1 && issuer.ends_with('.')) issuer.remove_suffix(1);
  if (!issuer.empty() && !is_issuer(issuer)) return fail("its issuer is no domain name");
  value.issuer = to_lower(issuer);
  if (end == text.size()) return value;
  text.remove_prefix(end + 1);
  // One ';' after the issuer may stand alone; one after a parameter may not.
  if (trim_blanks(text).empty()) return value;
  for (bool more = true; more;) {
    end = std::min(text.find(';'), text.size());
    more = end < text.size();
    std::string_view parameter = text.substr(0, end);
    text.remove_prefix(more ? end + 1 : end);
    auto equals = parameter.find('=');
    if (equals == std::string_view::npos) return fail("a parameter in it is not tag=value");
    std::string_view tag = trim_blanks(parameter.substr(0, equals));
    std::string_view content = trim_blanks(parameter.substr(equals + 1));
    if (!is_label(tag)) return fail("the tag of a parameter in it is no word");
    if (!is_value(content)) return fail("the value of a parameter in it has foreign characters");
    if (value.parameters.size() == max_parameters) return fail("it has too many parameters");
    value.parameters.emplace_back(to_lower(tag), content);
  }
  return value;
}

}  // namespace tlsguard::renew
