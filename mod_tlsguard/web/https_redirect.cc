// SPDX-License-Identifier: Apache-2.0
#include "web/https_redirect.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <initializer_list>
#include <iterator>

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

// A pattern of one word: "!=on", "!^on$", "on".
struct Word {
  bool negated = false;
  std::string_view text;
};
Word word_in(std::string_view pattern) {
  Word word;
  word.negated = take_prefix(pattern, "!");
  if (!take_prefix(pattern, "=")) {
    take_prefix(pattern, "^");
    take_suffix(pattern, "$");
  }
  word.text = pattern;
  return word;
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

bool matches_challenges(std::string_view pattern) {
  std::string path;
  std::copy_if(pattern.begin(), pattern.end(), std::back_inserter(path),
               [](char c) { return c != '\\'; });
  std::string_view rest = path;
  take_prefix(rest, "^");
  if (take_prefix(rest, "/")) take_prefix(rest, "?");
  if (!take_prefix(rest, ".well-known/acme-challenge")) return false;
  return one_of(rest, {"", "/", "/.*", "/.*$", "/(.*)", "/(.*)$", "/.+", "/.+$", "/(.+)", "/(.+)$",
                       "/[0-9a-zA-Z_-]+$"});
}

bool matches_every_path(std::string_view pattern) {
  if (take_prefix(pattern, "!")) return matches_challenges(pattern);
  take_prefix(pattern, "^");
  for (std::string_view begin : {"(?!", "/(?!", "/?(?!"}) {
    if (!pattern.starts_with(begin)) continue;
    pattern.remove_prefix(begin.size());
    for (std::string_view end : {").*$", ").*", ")(.*)$", ")(.*)", ")"}) {
      if (take_suffix(pattern, end)) return matches_challenges(pattern);
    }
    return false;
  }
  if (one_of(pattern, {"", "/", "/?"})) return true;
  take_suffix(pattern, "$");
  return one_of(pattern, {".*", "(.*)", "/.*", "/(.*)", "(/.*)", "/?.*", "/?(.*)", ".+", "(.+)"});
}

ConditionKind condition_kind(std::string_view tested, std::string_view pattern,
                             const std::function<bool(std::string_view)>& is_own) {
  const Word word = word_in(pattern);
  auto when = [](bool holds, ConditionKind kind) { return holds ? kind : ConditionKind::other; };
  auto is_word = [&](std::string_view plain, std::string_view negated) {
    return equal_ignoring_case(word.text, word.negated ? negated : plain);
  };
  if (one_of(tested, {"%{HTTPS}"})) return when(is_word("off", "on"), ConditionKind::in_clear);
  if (one_of(tested, {"%{SERVER_PORT}"})) {
    return when(is_word("80", "443"), ConditionKind::in_clear);
  }
  if (one_of(tested, {"%{REQUEST_SCHEME}"})) {
    return when(is_word("http", "https"), ConditionKind::in_clear);
  }
  if (one_of(tested, {"%{HTTP:X-Forwarded-Proto}"})) {
    return when(is_word("http", "https"), ConditionKind::proxy_says);
  }
  if (one_of(tested, {"%{REQUEST_URI}"})) {
    bool all_but = take_prefix(pattern, "!") && matches_challenges(pattern);
    return when(all_but, ConditionKind::no_challenge);
  }
  if (one_of(tested, {"%{HTTP_HOST}", "%{SERVER_NAME}"})) {
    std::string name = plain_name(pattern);
    return when(is_host(name) && is_own(name), ConditionKind::own_name);
  }
  return ConditionKind::other;
}

Transport transport_asked(std::string_view expression) {
  std::string text;
  for (char c : expression) {
    if (c == '"') c = '\'';
    if (c != ' ' && c != '\t' && c != '\\') text += to_lower(c);
  }
  if (one_of(text,
             {"%{https}=='on'", "%{https}='on'", "%{https}!='off'", "%{request_scheme}=='https'",
              "%{request_scheme}='https'", "%{request_scheme}!='http'"})) {
    return Transport::tls;
  }
  if (one_of(text,
             {"%{https}=='off'", "%{https}='off'", "%{https}!='on'", "%{request_scheme}=='http'",
              "%{request_scheme}='http'", "%{request_scheme}!='https'"})) {
    return Transport::clear;
  }
  return Transport::unsure;
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
