// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/dns_name.h"
#include "core/text.h"
#include "httpd/advise.h"
#include "httpd/conf_of.h"
#include "httpd/domain_resolver.h"
#include "web/https_redirect.h"

namespace tlsguard::httpd {

namespace {

using web::ConditionKind;

constexpr const char* left_for_others = "only hosts that no TLS virtual host has need this one";

struct Found {
  const ConfigLine* line = nullptr;
  bool permanent = false;
  bool proxied = false;  // it asks for X-Forwarded-Proto
};

// mod_rewrite's lines of one virtual host, or of one section in it.
struct Rules {
  bool engine = false;
  bool unsure = false;  // rules that this does not understand stand above
  std::vector<ConditionKind> conditions;
  std::vector<Found> found;
};

class Redirects {
 public:
  Redirects(const AdviceInput& input, const std::vector<ConfigLine>& lines)
      : input_(input), lines_(lines) {
    std::vector<const server_rec*> servers;
    for (const server_rec* s = input.base->next; s != nullptr; s = s->next) servers.push_back(s);
    std::set<std::pair<std::string_view, std::uint16_t>> addresses;
    // httpd has the last one first.
    for (auto s = servers.rbegin(); s != servers.rend(); ++s) {
      for (const server_addr_rec* at = (*s)->addrs; at != nullptr; at = at->next) {
        if (addresses.emplace(at->virthost, at->host_port).second) defaults_.insert(*s);
        if (conf_of(*s)->site->host != nullptr) tls_ports_.insert(at->host_port);
      }
    }
  }

  void look() {
    for (const ConfigLine& line : lines_) {
      if (!equal_ignoring_case(line.name, "Header")) ++uses_[line_of(line.place())].all;
      bool ours = conf_of(line.server)->site->host == nullptr && is_for_all(line);
      if (!ours) continue;
      if (equal_ignoring_case(line.name.substr(0, 8), "Redirect")) {
        note_redirect(line);
      } else if (equal_ignoring_case(line.name.substr(0, 7), "Rewrite")) {
        note_rewrite(line, rules_[{line.server, line.section}]);
      }
    }
    for (const auto& [scope, rules] : rules_) {
      if (!rules.engine) continue;
      for (const Found& found : rules.found) say(found);
    }
    // Where some virtual host that includes it needs it, it stays.
    for (const auto& [line, use] : uses_) {
      if (use.advised > 0 && use.all == use.advised) tell(use);
    }
  }

 private:
  // In the virtual host itself, or in a section that all of it is in.
  [[nodiscard]] bool is_for_all(const ConfigLine& line) const {
    if (line.section == nullptr) return true;
    const ap_directive_t* around = line.section->parent;
    bool outermost = around == nullptr || equal_ignoring_case(around->directive, "<VirtualHost");
    if (line.server == input_.base || !outermost) return false;
    std::string_view name = line.section->directive;
    std::string_view path = trim(line.section->args != nullptr ? line.section->args : "");
    if (path.ends_with('>')) path.remove_suffix(1);
    path = trim(path);
    if (path.size() > 1 && path.front() == '"' && path.back() == '"') {
      path = path.substr(1, path.size() - 2);
    }
    if (path == "/") {
      return equal_ignoring_case(name, "<Location") || equal_ignoring_case(name, "<Directory");
    }
    return equal_ignoring_case(name, "<If") && web::transport_asked(path) == web::Transport::clear;
  }

  [[nodiscard]] static bool has_name(const server_rec* s, std::string_view name) {
    auto names = names_of(s);
    return std::any_of(names.begin(), names.end(), [&](const std::string& own) {
      return own == name || matches_alias_pattern(name, own);
    });
  }

  // Redirect [status] [/] url, RedirectMatch [status] regex url; the path may be the section's.
  void note_redirect(const ConfigLine& line) {
    // One of the server's would send its TLS virtual hosts round in circles.
    if (line.server == input_.base) return;
    std::vector<std::string> words = line.words(input_.temporary);
    const bool match = equal_ignoring_case(line.name, "RedirectMatch");
    const bool in_section = line.section != nullptr;
    std::string status = equal_ignoring_case(line.name, "RedirectPermanent") ? "301" : "302";
    if (words.empty()) return;
    const std::string url = words.back();
    words.pop_back();
    std::string path = in_section ? "/" : "";
    auto is_path = [&](const std::string& word) {
      return match ? !web::redirect_is_permanent(word).has_value() : word.starts_with('/');
    };
    if (!words.empty() && is_path(words.back())) {
      path = words.back();
      words.pop_back();
    }
    if (!words.empty()) status = words.front();
    auto permanent = web::redirect_is_permanent(status);
    bool all = match && !in_section ? web::matches_every_path(path) : path == "/";
    auto target = web::https_target(url);
    // Redirect itself appends what is below its path, but for one in a section.
    bool appends = !match && !in_section;
    if (!permanent || !all || !target || target->keeps_path == appends) return;
    if (target->host.empty() && appends) return;  // no variables there
    if (target->host.empty() || has_name(line.server, target->host)) {
      if (port_fits(target->port)) say({&line, *permanent, false});
    }
  }

  void note_rewrite(const ConfigLine& line, Rules& rules) {
    std::vector<std::string> words = line.words(input_.temporary);
    if (equal_ignoring_case(line.name, "RewriteEngine")) {
      rules.engine = words.size() == 1 && equal_ignoring_case(words[0], "on");
    } else if (words.size() < 2) {
      return;
    } else if (equal_ignoring_case(line.name, "RewriteCond")) {
      auto is_own = [&](std::string_view name) { return has_name(line.server, name); };
      rules.conditions.push_back(web::condition_kind(words[0], words[1], is_own));
    } else if (equal_ignoring_case(line.name, "RewriteRule")) {
      note_rule(line, words, rules);
      rules.conditions.clear();
    }
  }

  void note_rule(const ConfigLine& line, const std::vector<std::string>& words, Rules& rules) {
    auto has = [&](ConditionKind kind) {
      return std::find(rules.conditions.begin(), rules.conditions.end(), kind) !=
             rules.conditions.end();
    };
    const bool lets_challenges_through = words[1] == "-" && web::matches_challenges(words[0]);
    if (lets_challenges_through) return;
    auto target = web::https_target(words[1]);
    auto permanent = web::rewrite_is_permanent(words.size() > 2 ? words[2] : "");
    const bool same_host = target && (target->host.empty() || has_name(line.server, target->host));
    if (rules.unsure || has(ConditionKind::other) || !same_host || !target->keeps_path ||
        !permanent || !web::matches_every_path(words[0]) || !port_fits(target->port)) {
      rules.unsure = true;
      return;
    }
    rules.found.push_back({&line, *permanent, has(ConditionKind::proxy_says)});
  }

  // TLSGuardRequireHTTPS sends to the port of the name's TLS virtual host.
  [[nodiscard]] bool port_fits(std::optional<std::uint16_t> port) const {
    return !port || *port == 443 || tls_ports_.contains(*port);
  }

  void say(const Found& found) {
    const ConfigLine& line = *found.line;
    const ServerConf* conf = conf_of(line.server);
    // Without a ServerName of its own it answers for whatever is asked for. A virtual host without
    // any line that we know shares what httpd keeps of the base server.
    if (!conf->server_name || conf == conf_of(input_.base)) return;
    const Sent sent = names_sent(line.server, *conf->site);
    const bool proxied = !conf->site->trusted_proxies.empty();
    // Followed, it must leave no name in clear that is sent to https now.
    if (sent.refused || (sent.not_served && !proxied)) return;
    Use& use = uses_[line_of(line.place())];
    if (use.advised++ == 0) use.found = found;
    const bool all_sent =
        proxied && (!sent.open.empty() || conf->site->require_https != web::RequireHttps::off);
    if (!all_sent && defaults_.contains(line.server)) use.for_others = true;
    if (sent.later) use.later = true;
    if (sent.open.empty()) {
      use.sent.insert(names_of(line.server).front());
    } else if (proxied) {
      use.here = true;
    } else {
      use.open.insert(sent.open.begin(), sent.open.end());
    }
  }

  // What becomes of the names of a virtual host without this redirect.
  struct Sent {
    bool not_served = false;        // some have no TLS virtual host: they pass in clear
    bool refused = false;           // some get a 403
    bool later = false;             // some pass in clear until their certificate is live
    std::vector<std::string> open;  // without TLSGuardRequireHTTPS; one a TLS virtual host
  };
  [[nodiscard]] Sent names_sent(const server_rec* s, const Site& own) const {
    Sent sent;
    std::set<const Site*> open;
    for (const std::string& name : names_of(s)) {
      const Asked asked = asked_of(own, name);
      if (asked.site == nullptr) sent.not_served = true;
      if (asked.setting == web::RequireHttps::refuse) sent.refused = true;
      if (asked.site != nullptr && asked.site->host->managed.fully) sent.later = true;
      bool is_open = asked.setting == web::RequireHttps::off;
      if (is_open && open.insert(asked.site).second) sent.open.push_back(name);
    }
    return sent;
  }

  struct Asked {
    const Site* site;  // of a TLS virtual host that has the name, or all names of the pattern
    web::RequireHttps setting;
  };
  [[nodiscard]] Asked asked_of(const Site& own, const std::string& name) const {
    const auto& table = input_.runtime.names.table;
    // One entry has to match a pattern whether its '*' stand for much or for nothing.
    const std::string much = filled(name, "**");
    const RequiredName* served = table.find(much);
    if (served == nullptr || served->site->host == nullptr ||
        served != table.find(filled(name, ""))) {
      return {nullptr, own.require_https};
    }
    Asked asked{served->site, own.require_https};
    table.each(much, [&](const RequiredName& one, bool) {
      asked.setting = web::stricter(asked.setting, one.setting);
    });
    if (const ManagedDomain* domain = input_.runtime.domains.find(much)) {
      asked.setting = web::stricter(asked.setting, domain->require_https);
    }
    return asked;
  }

  [[nodiscard]] static std::string filled(const std::string& pattern, std::string_view star) {
    std::string text;
    for (char c : pattern) {
      if (c == '*') {
        text += star;
      } else {
        text += c;
      }
    }
    return text;
  }

  // A line in all virtual hosts that include its file.
  struct Use {
    std::size_t all = 0;
    std::size_t advised = 0;
    Found found{};
    bool for_others = false;     // for hosts that no TLS virtual host has it does something still
    bool later = false;          // once certificates are live
    bool here = false;           // TLSGuardRequireHTTPS has to be in the virtual host itself
    std::set<std::string> open;  // in the TLS virtual hosts of these names
    std::set<std::string> sent;  // already
  };

  void tell(const Use& use) {
    if (use.here && !use.open.empty()) return;  // too much to say
    const bool twice = !use.here && use.open.empty();
    std::string text =
        twice ? fmt::format(
                    "TLSGuardRequireHTTPS answers what comes in clear for "
                    "{} before this does; {}",
                    some_of({use.sent.begin(), use.sent.end()}), gone(use, "the line can go"))
              : what_would(use);
    std::string directive(use.found.line->name);
    std::string kind = twice ? "redirect twice" : "redirect";
    if (use.for_others) kind += " for others";
    if (use.later) kind += " later";
    input_.advice.add(kind, {use.found.line->place(), directive, directive + ": " + text});
  }

  static std::string gone(const Use& use, const char* all) {
    std::string text = use.later ? "once certificates are live, " : "";
    return text + (use.for_others ? left_for_others : all);
  }

  static std::string what_would(const Use& use) {
    std::string where =
        use.here ? "here"
                 : fmt::format("in the TLS virtual host{} of {}", use.open.size() > 1 ? "s" : "",
                               some_of({use.open.begin(), use.open.end()}));
    return fmt::format(
        "'TLSGuardRequireHTTPS {}' {} sends each name in clear to itself over https, keeps the "
        "method, and lets pending challenges pass{}; then {}",
        use.found.permanent ? "permanent" : "temporary", where,
        use.found.proxied
            ? " ('TLSGuardTrustedProxy' names the proxy whose X-Forwarded-Proto counts)"
            : "",
        gone(use, "this redirect can go"));
  }

  std::map<LineKey, Use> uses_;
  std::set<const server_rec*> defaults_;  // of an address: what no other has comes to them
  std::set<std::uint16_t> tls_ports_;
  const AdviceInput& input_;
  const std::vector<ConfigLine>& lines_;
  std::map<std::pair<const server_rec*, const ap_directive_t*>, Rules> rules_;
};

}  // namespace

void advise_redirects(const AdviceInput& input, const std::vector<ConfigLine>& lines) {
  Redirects(input, lines).look();
}

}  // namespace tlsguard::httpd
