// SPDX-License-Identifier: Apache-2.0
#include "web/https_redirect.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <initializer_list>

#include "core/text.h"

namespace tlsguard::web {

namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return equal_ignoring_case(text, word); });
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Of "/.well-known/acme-challenge/", escaped or not.
bool names_challenges(std::string_view pattern) {
  return contains(pattern, "well-known") || contains(pattern, "well\\-known");
}

bool is_host(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
}

std::string_view take_host(std::string_view& url) {
  std::string_view host = url.substr(0, url.find_first_of("/:?#$%"));
  url.remove_prefix(host.size());
  return host;
}

bool take_port(std::string_view& url, std::optional<std::uint16_t>& port) {
  if (!url.starts_with(':')) return true;
  url.remove_prefix(1);
  std::uint16_t number = 0;
  auto [end, error] = std::from_chars(url.data(), url.data() + url.size(), number);
  if (error != std::errc() || number == 0) return false;
  url.remove_prefix(static_cast<std::size_t>(end - url.data()));
  port = number;
  return true;
}

// "=name", "^name$" or "^name": a name, where it is one; with "www." before it or not.
std::string plain_name(std::string_view pattern) {
  if (take_prefix(pattern, "=")) return to_lower(pattern);
  if (!take_prefix(pattern, "^")) return "";
  take_suffix(pattern, "$");
  for (std::string_view optional : {R"((www\.)?)", R"((?:www\.)?)"}) {
    if (take_prefix(pattern, optional)) break;
  }
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    name += pattern[i];
  }
  return to_lower(name);
}

}  // namespace

std::optional<HttpsTarget> https_target(std::string_view url) {
  HttpsTarget target;
  if (!take_prefix(url, "https://")) return std::nullopt;
  if (!take_prefix(url, "%{HTTP_HOST}") && !take_prefix(url, "%{SERVER_NAME}")) {
    target.host = to_lower(take_host(url));
    if (!is_host(target.host)) return std::nullopt;
  }
  if (!take_port(url, target.port)) return std::nullopt;
  take_suffix(url, "?%{QUERY_STRING}");
  target.keeps_path = one_of(url, {"%{REQUEST_URI}", "/%{REQUEST_URI}", "$1", "/$1", "$0", "/$0"});
  if (!target.keeps_path && !url.empty() && url != "/") return std::nullopt;
  return target;
}

bool matches_every_path(std::string_view pattern) {
  if (pattern.starts_with('!')) return names_challenges(pattern);
  for (std::string_view begin : {"^(?!", "^/(?!", "^/?(?!"}) {
    if (pattern.starts_with(begin)) return names_challenges(pattern);
  }
  take_prefix(pattern, "^");
  if (one_of(pattern, {"", "/", "/?"})) return true;
  take_suffix(pattern, "$");
  return one_of(pattern, {".*", "(.*)", "/.*", "/(.*)", "(/.*)", "/?.*", "/?(.*)", ".+", "(.+)"});
}

ConditionKind condition_kind(std::string_view tested, std::string_view pattern,
                             const std::function<bool(std::string_view)>& is_own) {
  const bool negated = pattern.starts_with('!');
  auto when = [](bool holds, ConditionKind kind) { return holds ? kind : ConditionKind::other; };
  const bool secure = contains(to_lower(pattern), "https");
  if (one_of(tested, {"%{HTTPS}"})) {
    return when(negated || contains(to_lower(pattern), "off"), ConditionKind::in_clear);
  }
  if (one_of(tested, {"%{SERVER_PORT}"})) {
    return when(contains(pattern, negated ? "443" : "80"), ConditionKind::in_clear);
  }
  if (one_of(tested, {"%{REQUEST_SCHEME}"})) {
    return when(negated == secure, ConditionKind::in_clear);
  }
  if (one_of(tested, {"%{HTTP:X-Forwarded-Proto}"})) {
    return when(negated == secure, ConditionKind::proxy_says);
  }
  if (one_of(tested, {"%{REQUEST_URI}"})) {
    return when(negated && names_challenges(pattern), ConditionKind::no_challenge);
  }
  if (one_of(tested, {"%{HTTP_HOST}", "%{SERVER_NAME}"})) {
    std::string name = plain_name(pattern);
    return when(is_host(name) && is_own(name), ConditionKind::own_name);
  }
  return ConditionKind::other;
}

std::optional<bool> redirect_is_permanent(std::string_view status) {
  if (one_of(status, {"permanent", "301", "308"})) return true;
  if (one_of(status, {"temp", "302", "307"})) return false;
  return std::nullopt;
}

std::optional<bool> rewrite_is_permanent(std::string_view flags) {
  // An absolute URL is a redirect for now (302) without any flag.
  std::optional<bool> permanent = false;
  take_prefix(flags, "[");
  take_suffix(flags, "]");
  for (const std::string& flag : split(flags, ", ")) {
    if (one_of(flag, {"P", "proxy", "F", "forbidden", "G", "gone"})) return std::nullopt;
    std::string_view rest = flag;
    bool with_status = take_prefix(rest, "R=") || take_prefix(rest, "redirect=");
    if (with_status) permanent = redirect_is_permanent(rest);
  }
  return permanent;
}

}  // namespace tlsguard::web
