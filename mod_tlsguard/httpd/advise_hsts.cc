// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/text.h"
#include "httpd/advise.h"
#include "httpd/conf_of.h"
#include "httpd/domain_resolver.h"
#include "web/https_redirect.h"

namespace tlsguard::httpd {

namespace {

struct HeaderLine {
  std::string value;
  bool sure = true;  // for every response: no section, no condition, or one that only asks for TLS
};

// Header [always|onsuccess] action field value [early|env=…|expr=…]
std::optional<HeaderLine> hsts_line(const std::vector<std::string>& words) {
  std::size_t at = 0;
  auto next = [&] { return at < words.size() ? std::string_view(words[at++]) : ""; };
  std::string_view action = next();
  if (equal_ignoring_case(action, "always") || equal_ignoring_case(action, "onsuccess")) {
    action = next();
  }
  bool sets = false;
  for (const char* each : {"set", "add", "append", "merge", "setifempty"}) {
    if (equal_ignoring_case(action, each)) sets = true;
  }
  std::string_view field = next();
  if (field.ends_with(':')) field.remove_suffix(1);
  if (!sets || !equal_ignoring_case(field, "Strict-Transport-Security")) return std::nullopt;
  HeaderLine line{std::string(next())};
  for (std::string_view condition = next(); !condition.empty(); condition = next()) {
    bool over_tls = equal_ignoring_case(condition, "env=HTTPS") ||
                    (condition.starts_with("expr=") &&
                     web::transport_asked(condition.substr(5)) == web::Transport::tls);
    if (!over_tls) line.sure = false;
  }
  return line;
}

// What says the same: " max-age=31536000 includeSubDomains"; "" where the value is no plain one.
std::string same_arguments(const std::string& value) {
  std::vector<std::string> parts = split(value, "; ");
  std::vector<std::string_view> views(parts.begin(), parts.end());
  for (std::string_view part : views) {
    bool plain = part.find_first_not_of("0123456789", part.find('=') + 1) == std::string_view::npos;
    if (part.starts_with("max-age=") && !plain) return "";
  }
  auto setting = web::parse_hsts(views);
  if (!setting || !setting->enabled) return "";
  return ' ' + join(parts, " ");
}

struct Reached {
  std::vector<std::string> with;  // TLSGuardHSTS
  std::vector<std::string> without;
  bool elsewhere = false;  // in clear, perhaps behind somebody who speaks TLS
};

void reach(const Runtime& runtime, const server_rec* s, Reached& reached) {
  const Site& site = *conf_of(s)->site;
  // Over TLS, or behind a proxy that says so.
  if (site.host == nullptr && site.trusted_proxies.empty()) {
    const std::vector<std::string> names = names_of(s);
    bool served = conf_of(s)->server_name &&
                  std::all_of(names.begin(), names.end(), [&](const std::string& name) {
                    return runtime.names.table.find(name) != nullptr;
                  });
    if (!served) reached.elsewhere = true;
    return;
  }
  const char* name = s->server_hostname != nullptr ? s->server_hostname : "it";
  (site.hsts.enabled ? reached.with : reached.without).emplace_back(name);
}

Reached reach_all(const AdviceInput& input) {
  std::vector<const server_rec*> servers;
  for (const server_rec* s = input.base; s != nullptr; s = s->next) {
    if (s != input.base || conf_of(s)->site->host != nullptr) servers.push_back(s);
  }
  Reached reached;
  // httpd has the last one first.
  for (auto s = servers.rbegin(); s != servers.rend(); ++s) reach(input.runtime, *s, reached);
  return reached;
}

struct Found {
  Place place;
  HeaderLine header;
  Reached reached;
};

void advise_line(const AdviceInput& input, const Found& found) {
  const Reached& reached = found.reached;
  if (reached.elsewhere || (reached.with.empty() && reached.without.empty())) return;
  // HSTS for a whole virtual host cannot be taken back for as long as browsers keep it.
  if (!reached.without.empty() && !found.header.sure) return;
  if (reached.with.empty()) {
    input.advice.add(
        "hsts by mod_headers",
        {found.place, "Header",
         fmt::format("Header: 'TLSGuardHSTS{}' sends Strict-Transport-Security on every response "
                     "over TLS, errors too, and never in clear; then this line can go",
                     same_arguments(found.header.value))});
  } else if (reached.without.empty()) {
    input.advice.add(
        "hsts twice",
        {found.place, "Header",
         fmt::format("Header: Strict-Transport-Security is set twice: the one of TLSGuardHSTS "
                     "replaces this one for {}; the line can go",
                     some_of(reached.with))});
  } else {
    input.advice.add(
        "hsts twice for some",
        {found.place, "Header",
         fmt::format("Header: Strict-Transport-Security is set twice: the one of TLSGuardHSTS "
                     "replaces this one for {}; with TLSGuardHSTS for {}, too, the line can go",
                     some_of(reached.with), some_of(reached.without))});
  }
}

}  // namespace

void advise_hsts(const AdviceInput& input, const std::vector<ConfigLine>& lines) {
  const Reached everywhere = reach_all(input);
  std::map<LineKey, Found> found;
  for (const ConfigLine& line : lines) {
    if (!equal_ignoring_case(line.name, "Header")) continue;
    auto header = hsts_line(line.words(input.temporary));
    if (!header) continue;
    if (line.section != nullptr) header->sure = false;
    Found& one =
        found.try_emplace(line_of(line.place()), Found{line.place(), *header, {}}).first->second;
    if (!header->sure) one.header.sure = false;
    // The server's lines are in force in all its virtual hosts.
    if (line.server == input.base) {
      one.reached = everywhere;
    } else {
      reach(input.runtime, line.server, one.reached);
    }
  }
  for (const auto& [key, one] : found) advise_line(input, one);
}

}  // namespace tlsguard::httpd
