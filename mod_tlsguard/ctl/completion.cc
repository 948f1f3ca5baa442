// SPDX-License-Identifier: Apache-2.0
#include "ctl/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "ctl/domain_reports.h"
#include "ctl/output.h"
#include "ctl/running_server.h"
#include "policy/policy.h"

namespace tlsguard::ctl {
namespace {

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const auto& [alias, id] : policy::aliases()) names.push_back(alias);
  for (const policy::Policy& policy : policy::presets()) names.push_back(policy.id());
  return names;
}

std::string offer(const std::vector<std::string>& words) {
  return words.empty() ? "" : "_tlsguardctl_words " + join(words, " ");
}

// The statement by which bash offers what an argument of this name may be; empty: nothing could be
// known.
std::string offer_for(std::string_view argument) {
  static const std::map<std::string_view, std::string_view> known{
      {"domain", "_tlsguardctl_ask --domains"}, {"name", "_tlsguardctl_ask --domains"},
      {"ca", "_tlsguardctl_ask --cas"},         {"directory", "_tlsguardctl_paths -d"},
      {"DIR", "_tlsguardctl_paths -d"},         {"certificate", "_tlsguardctl_paths -f"},
      {"key", "_tlsguardctl_paths -f"},         {"USER", "_tlsguardctl_accounts -u"},
      {"GROUP", "_tlsguardctl_accounts -g"}};
  if (argument.ends_with("policy")) return offer(policy_names());
  auto found = known.find(argument);
  return found == known.end() ? "" : std::string(found->second);
}

// "what it is: one, two, three" lists words; nothing where these are none.
std::vector<std::string> words_in(const std::string& help) {
  auto colon = help.rfind(": ");
  std::string list = colon == std::string::npos ? help : help.substr(colon + 2);
  auto commas = std::count(list.begin(), list.end(), ',');
  bool words = commas > 0 && commas == std::count(list.begin(), list.end(), ' ');
  return words ? split(list, ", ") : std::vector<std::string>();
}

// Of an option that takes a value.
std::string offer_of(const CLI::Option& option) {
  std::string offered = offer(words_in(option.get_description()));
  if (!offered.empty()) return offered;
  offered = offer_for(option.get_type_name());
  return offered.empty() ? offer_for(option.get_single_name()) : offered;
}

struct Script {
  std::string steps;   // what leads from one command to the next
  std::string values;  // of options
  std::string words;   // of everything else
};

void add_command(Script& script, const CLI::App& command, const std::string& path) {
  std::vector<std::string> words;
  std::set<std::string> offers;
  for (const CLI::App* each : command.get_subcommands(nullptr)) {
    std::string below = path + " " + each->get_name();
    script.steps += fmt::format("      '{}') path='{}' ;;\n", below, below);
    words.push_back(each->get_name());
    add_command(script, *each, below);
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      if (std::string of = offer_for(option->get_name()); !of.empty()) offers.insert(of);
      continue;
    }
    for (const std::string& name : option->get_lnames()) {
      words.push_back("--" + name);
      if (option->get_type_size() == 0) continue;
      std::string offered = offer_of(*option);
      script.values += fmt::format("    '{} --{}') {}; return ;;\n", path, name,
                                   offered.empty() ? ":" : offered);
    }
  }
  offers.insert(offer(words));
  script.words +=
      fmt::format("    '{}') {} ;;\n", path, join({offers.begin(), offers.end()}, "; "));
}

// What files, domains and CAs are called is compared with what is typed, and never expanded: that
// would run commands, as root.
constexpr std::string_view frame =
    R"(# bash completion of tlsguardctl; written by: tlsguardctl completion
_tlsguardctl_words() {{
  local word
  for word in "$@"; do
    [[ $word != "$cur"* ]] || COMPREPLY+=("$word")
  done
}}
_tlsguardctl_lines() {{
  local lines
  mapfile -t lines
  _tlsguardctl_words "${{lines[@]}}"
}}
_tlsguardctl_paths() {{
  local paths
  compopt -o filenames 2>/dev/null
  mapfile -t paths < <(compgen "$1" -- "$cur")
  COMPREPLY+=("${{paths[@]}}")
}}
_tlsguardctl_accounts() {{
  _tlsguardctl_lines < <(compgen "$1" -- "$cur")
}}
_tlsguardctl_ask() {{
  local i store=()
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    [[ ${{COMP_WORDS[i]}} != --store ]] || store=(--store "${{COMP_WORDS[i + 1]}}")
  done
  _tlsguardctl_lines < <(tlsguardctl completion "$1" "${{store[@]}}" 2>/dev/null)
}}
_tlsguardctl() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} path='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${{COMP_WORDS[i]}}" in
{}    esac
  done
  case "$path ${{COMP_WORDS[COMP_CWORD - 1]}}" in
{}  esac
  case $path in
{}  esac
}}
complete -F _tlsguardctl tlsguardctl
)";

// A name that can mean nothing but itself to any shell: of DNS, a wildcard, an address, a CA.
bool is_plain(std::string_view name) {
  constexpr std::string_view others = ".-_*:";
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [&](char c) {
    bool word = (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
    return word || others.find(c) != std::string_view::npos;
  });
}

void print_plain(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    if (is_plain(name)) print(name + "\n");
  }
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  Script script;
  add_command(script, app, "");
  return fmt::format(frame, script.steps, script.values, script.words);
}

int print_domain_names(const std::string& store) {
  auto all = all_domains(store);
  if (!all) return exit_fine;
  std::set<std::string> names;
  for (const nlohmann::json& domain : all->at("domains")) {
    names.insert(domain.at("domain").get<std::string>());
  }
  print_plain(names);
  return exit_fine;
}

// A URL is none of these: bash takes its colon for the end of a word. The internal CA has no
// account.
int print_ca_names(const std::string& store) {
  auto server = read_server(store);
  if (!server) return exit_fine;
  std::set<std::string> names;
  for (const live::RuntimeDomain& domain : server->domains) {
    for (const std::string& ca : domain.cas) {
      if (ca != "internal" && ca.find(':') == std::string::npos) names.insert(ca);
    }
  }
  print_plain(names);
  return exit_fine;
}

}  // namespace tlsguard::ctl
