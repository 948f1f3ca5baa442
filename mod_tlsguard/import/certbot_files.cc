// SPDX-License-Identifier: Apache-2.0
#include "import/certbot_files.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "import/foreign_files.h"
#include "import/json_fields.h"
#include "import/settings_text.h"

namespace tlsguard::import {
namespace {

constexpr std::size_t longest_value = 1024;
constexpr std::array<std::string_view, 4> hooks{"pre_hook", "post_hook", "renew_hook",
                                                "deploy_hook"};

std::string_view unquoted(std::string_view value) {
  bool in_quotes = value.size() >= 2 && value.front() == value.back() &&
                   (value.front() == '"' || value.front() == '\'');
  return in_quotes ? value.substr(1, value.size() - 2) : value;
}

bool is_yes(std::string_view value) { return equal_ignoring_case(value, "true"); }

// "30 days"; certbot knows more words, which nobody writes.
std::string window_of(std::string_view text) {
  std::vector<std::string> words = split(text, " ");
  if (words.size() != 2) return {};
  for (const char* unit : {"day", "hour", "week"}) {
    if (words[1].starts_with(unit)) return keep_window(words[0] + unit[0]);
  }
  return {};
}

void take_of_any_section(RenewalConf& conf, std::string_view key, std::string_view value) {
  if (key == "autorenew" && !is_yes(value)) conf.automatic = false;
  if (key != "renew_before_expiry" || value.size() > longest_value) return;
  conf.renew_window = window_of(value);
  if (conf.renew_window.empty()) {
    conf.notes.push_back("renew_before_expiry is '" + std::string(value) +
                         "': say it in TLSGuardRenewWindow");
  }
}

void note_what_is_left_out(RenewalConf& conf, std::string_view key, std::string_view value) {
  if (key == "must_staple" && is_yes(value)) {
    conf.notes.emplace_back("must_staple: CAs have stopped issuing such certificates");
  }
  if (key == "reuse_key" && is_yes(value)) {
    conf.notes.emplace_back("reuse_key: here each certificate has a new key");
  }
  if (key == "http01_port" && value != "80") {
    conf.notes.push_back("http01_port is " + keep_word(std::string(value)) +
                         ": where port 80 of the outside leads there, TLSGuardPortMap says so");
  }
}

bool is_nothing(std::string_view value) { return value.empty() || value == "None"; }

void take(RenewalConf& conf, std::string_view key, std::string_view value) {
  if (is_nothing(value) || value.size() > longest_value) return;
  note_what_is_left_out(conf, key, value);
  const std::string text(value);
  if (key == "server") conf.server = keep_url(text);
  if (key == "account") conf.account = keep_word(text);
  if (key == "authenticator") conf.authenticator = keep_word(text);
  if (key == "preferred_chain") conf.preferred_chain = text;
  if (key == "preferred_profile" || key == "required_profile") conf.profile = keep_word(text);
  if (key == "required_profile") conf.profile_required = true;
  // "dns-01," is a list of one; older versions wrote "dns".
  if (key == "pref_challs") {
    for (const std::string& each : split(text, ", ")) {
      auto known = known_challenges({each == "dns" || each == "http" ? each + "-01" : each});
      conf.challenges.insert(conf.challenges.end(), known.begin(), known.end());
    }
  }
  if (std::find(hooks.begin(), hooks.end(), key) != hooks.end()) conf.has_hooks = true;
}

}  // namespace

Result<RenewalConf> parse_renewal_conf(std::string_view text) {
  if (text.size() > max_foreign_file) return fail("it is too large");
  RenewalConf conf;
  bool found = false;
  bool inside = false;
  bool within = false;  // a section of its section
  for (const std::string& each : split(text, "\r\n")) {
    std::string_view line = trim(each);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line == "[renewalparams]";  // a section within it has other keys
      within = line.starts_with("[[");
      found = found || inside;
      continue;
    }
    const auto sign = line.find('=');
    if (within || sign == std::string_view::npos) continue;
    const auto key = trim(line.substr(0, sign));
    const auto value = unquoted(trim(line.substr(sign + 1)));
    take_of_any_section(conf, key, value);
    if (inside) take(conf, key, value);
  }
  if (!found) return fail("it has no [renewalparams]: it is no renewal configuration of certbot");
  return conf;
}

Result<std::string> account_url_from_regr_json(std::string_view text) {
  auto json = parse_foreign_json(text);
  if (!json) return tl::unexpected(json.error());
  std::string url = keep_url(text_at(*json, {"uri"}));
  if (url.empty()) return fail("the account's URL is missing");
  return url;
}

}  // namespace tlsguard::import
