// SPDX-License-Identifier: Apache-2.0
#include "import/settings_text.h"

#include <algorithm>

#include "core/text.h"
#include "crypto/general_names.h"
#include "crypto/keys.h"

namespace tlsguard::import {
namespace {

constexpr std::size_t longest = 1024;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Printable ASCII that httpd's parser does not see as anything special.
bool is_plain(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"'\\$").find(c) == std::string_view::npos;
}

// One argument of a directive: in quotes where it has blanks; quotes and backslashes escaped. '$'
// cannot be: httpd would look for a variable.
std::string quoted(const std::string& argument) {
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), is_plain)) {
    return argument;
  }
  std::string text = "\"";
  for (char c : argument) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '$') continue;
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// A comment is one line.
std::string comment(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '\\') c = ' ';
  }
  return "# " + text + "\n";
}

std::string key_types_of(const ImportedDomain& domain) {
  std::string text;
  for (const auto& pair : domain.pairs) {
    text += " " + std::string(crypto::key_type_name(pair.type));
  }
  return text;
}

std::string section_of(const ImportedDomain& domain) {
  std::string text = comment("from " + domain.name);
  for (const std::string& note : domain.notes) text += comment("  " + note);
  text += "<TLSGuardDomain " + join(domain.names, " ") + ">\n";
  text += "    TLSGuardKeyTypes" + key_types_of(domain) + "\n";
  for (const auto& [directive, arguments] : domain.settings) {
    text += "    " + directive;
    for (const std::string& argument : arguments) text += " " + quoted(argument);
    text += "\n";
  }
  return text + "</TLSGuardDomain>\n";
}

}  // namespace

void add_setting(Settings& settings, const std::string& directive,
                 std::vector<std::string> arguments) {
  arguments.erase(std::remove(arguments.begin(), arguments.end(), ""), arguments.end());
  if (!arguments.empty()) settings.emplace_back(directive, std::move(arguments));
}

std::vector<std::string> keep_names(const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    auto ip = crypto::canonical_ip(name);
    if (ip) kept.push_back(*ip);
    if (!ip && crypto::is_dns_identifier(name)) kept.push_back(to_lower(name));
  }
  return kept;
}

std::string keep_url(const std::string& url) {
  const std::string lower = to_lower(url.substr(0, 8));
  bool web = lower.starts_with("https://") || lower.starts_with("http://");
  bool good = web && url.size() <= longest && std::all_of(url.begin(), url.end(), is_plain);
  return good ? url : std::string();
}

std::vector<std::string> keep_urls(std::vector<std::string> urls) {
  for (std::string& url : urls) url = keep_url(url);
  urls.erase(std::remove(urls.begin(), urls.end(), ""), urls.end());
  return urls;
}

std::vector<std::string> contact_addresses(const std::vector<std::string>& contacts) {
  constexpr std::string_view scheme = "mailto:";
  std::vector<std::string> addresses;
  for (const std::string& contact : contacts) {
    std::string address = contact.starts_with(scheme) ? contact.substr(scheme.size()) : contact;
    const auto at = address.find('@');
    bool good = at != std::string::npos && at > 0 && at + 1 < address.size() &&
                address.size() <= longest && address.find_first_of(",?&;:/") == std::string::npos &&
                std::all_of(address.begin(), address.end(), is_plain);
    if (good) addresses.push_back(std::move(address));
  }
  return addresses;
}

std::vector<std::string> known_challenges(const std::vector<std::string>& types) {
  std::vector<std::string> known;
  for (const std::string& type : types) {
    if (type == "http-01" || type == "tls-alpn-01" || type == "dns-01") known.push_back(type);
  }
  return known;
}

bool add_challenges(Settings& settings, std::vector<std::string> types,
                    const std::vector<std::string>& names) {
  const std::string dns = "dns-01";
  bool has_dns = std::find(types.begin(), types.end(), dns) != types.end();
  bool wild = std::any_of(names.begin(), names.end(),
                          [](const auto& name) { return name.starts_with("*."); });
  if (wild && !has_dns) types.push_back(dns);
  add_setting(settings, "TLSGuardChallenges", std::move(types));
  if (wild || has_dns) add_setting(settings, "TLSGuardDNSCommand", {"/usr/local/sbin/CHANGE-ME"});
  return wild || has_dns;
}

std::string keep_word(const std::string& word) {
  bool good = word.size() <= longest && std::all_of(word.begin(), word.end(), [](char c) {
                return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
              });
  return good ? word : std::string();
}

std::string keep_window(const std::string& window) {
  auto end = std::find_if_not(window.begin(), window.end(), is_digit);
  const std::string_view unit(window.data() + (end - window.begin()),
                              static_cast<std::size_t>(window.end() - end));
  constexpr std::string_view units[] = {"", "%", "s", "m", "h", "d", "w", "y"};
  bool known = std::find(std::begin(units), std::end(units), unit) != std::end(units);
  bool good = end != window.begin() && end - window.begin() <= 6 && known;
  return good ? window : std::string();
}

std::string configuration_of(const std::vector<ImportedDomain>& domains, bool agreed,
                             const std::vector<std::string>& remarks) {
  std::string text;
  for (const std::string& remark : remarks) text += comment(remark);
  if (agreed) text += "TLSGuardAgreement accepted\n";
  for (const ImportedDomain& domain : domains) text += section_of(domain);
  return text;
}

}  // namespace tlsguard::import
