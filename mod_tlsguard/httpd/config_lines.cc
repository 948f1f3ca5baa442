// SPDX-License-Identifier: Apache-2.0
#include "httpd/config_lines.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/text.h"

namespace tlsguard::httpd {

namespace {

constexpr std::string_view wanted[] = {
    "Header",       "Redirect",    "RedirectMatch", "RedirectPermanent",
    "RedirectTemp", "RewriteCond", "RewriteEngine", "RewriteRule"};

bool is_wanted(std::string_view name) {
  char first = name.empty() ? '\0' : to_lower(name.front());
  if (first != 'h' && first != 'r') return false;
  return std::any_of(std::begin(wanted), std::end(wanted),
                     [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

class Walk {
 public:
  explicit Walk(const server_rec* base) : base_(base) {
    for (const server_rec* s = base->next; s != nullptr; s = s->next) {
      if (s->defn_name != nullptr) servers_.emplace(key(s->defn_name, s->defn_line_number), s);
    }
  }

  [[nodiscard]] std::vector<ConfigLine> lines() {
    below(ap_conftree, base_, nullptr);
    return std::move(lines_);
  }

 private:
  using Key = std::pair<std::string_view, unsigned>;
  static Key key(const char* file, unsigned line) { return {file, line}; }

  // A section's server; null: httpd has dropped it.
  [[nodiscard]] const server_rec* server_of(const ap_directive_t* section) const {
    auto found =
        section->filename != nullptr
            ? servers_.find(key(section->filename, static_cast<unsigned>(section->line_num)))
            : servers_.end();
    return found != servers_.end() ? found->second : nullptr;
  }

  void below(const ap_directive_t* first, const server_rec* server, const ap_directive_t* section) {
    for (const ap_directive_t* d = first; d != nullptr; d = d->next) {
      std::string_view name = d->directive;
      if (d->first_child != nullptr) {
        bool host = equal_ignoring_case(name, "<VirtualHost");
        const server_rec* inside = host ? server_of(d) : server;
        if (inside != nullptr) below(d->first_child, inside, host ? nullptr : d);
      } else if (is_wanted(name)) {
        lines_.push_back({name, d->args != nullptr ? d->args : "", d, server, section});
      }
    }
  }

  const server_rec* base_;
  std::map<Key, const server_rec*> servers_;
  std::vector<ConfigLine> lines_;
};

}  // namespace

Place ConfigLine::place() const {
  return {directive->filename != nullptr ? directive->filename : "", directive->line_num};
}

std::vector<std::string> ConfigLine::words(apr_pool_t* pool) const {
  std::vector<std::string> words;
  for (const char* rest = arguments; *rest != '\0';) {
    words.emplace_back(ap_getword_conf(pool, &rest));
  }
  return words;
}

std::vector<ConfigLine> config_lines(const server_rec* base) { return Walk(base).lines(); }

}  // namespace tlsguard::httpd
