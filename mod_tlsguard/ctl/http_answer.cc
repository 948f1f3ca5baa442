// SPDX-License-Identifier: Apache-2.0
#include "ctl/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <system_error>

#include "core/text.h"

namespace tlsguard::ctl {
namespace {

constexpr std::size_t max_fields_kept = 16;

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  auto is_tchar = [others](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           others.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_tchar);
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes one line, with its end, off the front. False: there is no whole line.
bool take_line(std::string_view& text, std::string_view& line) {
  auto end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  text.remove_prefix(end + 1);
  return true;
}

// "HTTP/1.1 200 OK". nullopt: no status line.
std::optional<int> parse_status(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
  std::string_view digits = line.substr(9, 3);
  if (!is_digits(digits) || (line.size() > 12 && line[12] != ' ')) return std::nullopt;
  int status = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return status;
}

// One part of a field: directive-name [ "=" directive-value ].
struct HstsDirective {
  std::string name;  // in lower case; empty: an empty part, which the grammar allows
  std::optional<std::string> value;
};

// Takes a token or quoted-string off the front. nullopt: neither, or the quote does not end.
std::optional<std::string> take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    std::string_view token = text.substr(0, text.find_first_of("; \t"));
    if (!is_token(token)) return std::nullopt;
    text.remove_prefix(token.size());
    return std::string(token);
  }
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    value += text[i];
  }
  return std::nullopt;
}

std::string_view skip_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Takes one directive and the ';' after it off the front.
Result<HstsDirective> take_directive(std::string_view& text) {
  HstsDirective directive;
  text = skip_blanks(text);
  std::string_view name = text.substr(0, text.find_first_of("=; \t"));
  text = skip_blanks(text.substr(name.size()));
  if (!name.empty() && !is_token(name)) return fail(fmt::format("'{}' is no directive", name));
  directive.name = to_lower(name);
  if (text.starts_with('=')) {
    text = skip_blanks(text.substr(1));
    directive.value = take_value(text);
    if (name.empty() || !directive.value) return fail("a directive is malformed");
    text = skip_blanks(text);
  }
  if (!text.empty() && text.front() != ';') return fail("directives are not separated by ';'");
  text.remove_prefix(std::min<std::size_t>(1, text.size()));
  return directive;
}

std::uint64_t to_number(std::string_view digits) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} ? number : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

std::string http_request(const std::string& host) {
  return fmt::format(
      "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: tlsguardctl/{}\r\nAccept: */*\r\n"
      "Connection: close\r\n\r\n",
      host, TLSGUARD_VERSION);
}

bool http_header_ends(std::string_view received) {
  constexpr std::string_view start = "HTTP/1.";
  std::size_t seen = std::min(received.size(), start.size());
  if (received.substr(0, seen) != start.substr(0, seen)) return true;
  return received.size() >= max_http_header || received.find("\n\n") != std::string_view::npos ||
         received.find("\n\r\n") != std::string_view::npos;
}

std::optional<HttpFacts> parse_http_answer(std::string_view received) {
  std::string_view line;
  if (!take_line(received, line)) return std::nullopt;
  auto status = parse_status(line);
  if (!status) return std::nullopt;
  HttpFacts facts;
  facts.status = *status;
  while (take_line(received, line) && !line.empty()) {
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    std::string value(trim(line.substr(colon + 1)));
    if (equal_ignoring_case(name, "Strict-Transport-Security")) {
      if (facts.hsts.size() < max_fields_kept) facts.hsts.push_back(std::move(value));
    } else if (equal_ignoring_case(name, "Location") && facts.location.empty()) {
      facts.location = std::move(value);
    }
  }
  return facts;
}

Result<HstsField> parse_hsts_field(std::string_view value) {
  HstsField field;
  std::set<std::string> seen;
  while (!value.empty()) {
    auto directive = take_directive(value);
    if (!directive) return tl::unexpected(directive.error());
    if (directive->name.empty()) continue;
    if (!seen.insert(directive->name).second) {
      return fail(fmt::format("{} stands twice", directive->name));
    }
    if (directive->name == "max-age") {
      if (!directive->value || !is_digits(*directive->value)) {
        return fail("max-age is no number of seconds");
      }
      field.max_age = to_number(*directive->value);
    } else if (directive->name == "includesubdomains") {
      if (directive->value) return fail("includeSubDomains has a value");
      field.include_sub_domains = true;
    } else if (directive->name == "preload") {
      field.preload = true;
    }
  }
  if (!seen.contains("max-age")) return fail("max-age is missing");
  return field;
}

}  // namespace tlsguard::ctl
