// SPDX-License-Identifier: Apache-2.0
#include "ctl/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "ctl/domain_reports.h"
#include "ctl/output.h"
#include "policy/policy.h"

namespace tlsguard::ctl {
namespace {

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const auto& [alias, id] : policy::aliases()) names.push_back(alias);
  for (const policy::Policy& policy : policy::presets()) names.push_back(policy.id());
  return names;
}

// How bash completes an argument of this name; empty: by nothing that could be known.
std::string words_for(std::string_view argument) {
  static const std::map<std::string_view, std::string_view> known{
      {"domain", "$(_tlsguardctl_domains)"},        {"name", "$(_tlsguardctl_domains)"},
      {"directory", "$(compgen -d -- \"$cur\")"},   {"DIR", "$(compgen -d -- \"$cur\")"},
      {"certificate", "$(compgen -f -- \"$cur\")"}, {"key", "$(compgen -f -- \"$cur\")"},
      {"USER", "$(compgen -u -- \"$cur\")"},        {"GROUP", "$(compgen -g -- \"$cur\")"}};
  if (argument.ends_with("policy")) return join(policy_names(), " ");
  auto found = known.find(argument);
  return found == known.end() ? "" : std::string(found->second);
}

// "what it is: one, two, three" lists words; nothing where these are none.
std::string words_in(const std::string& help) {
  auto colon = help.rfind(": ");
  std::string list = colon == std::string::npos ? help : help.substr(colon + 2);
  if (list.find(", ") == std::string::npos) return "";
  auto words = std::count(list.begin(), list.end(), ' ');
  if (words != std::count(list.begin(), list.end(), ',')) return "";
  std::erase(list, ',');
  return list;
}

// Of an option that takes a value.
std::string values_of(const CLI::Option& option) {
  std::string words = words_in(option.get_description());
  if (!words.empty()) return words;
  words = words_for(option.get_type_name());
  return words.empty() ? words_for(option.get_single_name()) : words;
}

struct Script {
  std::string steps;   // what leads from one command to the next
  std::string values;  // of options
  std::string words;   // of everything else
};

void add_command(Script& script, const CLI::App& command, const std::string& path) {
  std::vector<std::string> words;
  for (const CLI::App* each : command.get_subcommands(nullptr)) {
    std::string below = path + " " + each->get_name();
    script.steps += fmt::format("      '{}') path='{}' ;;\n", below, below);
    words.push_back(each->get_name());
    add_command(script, *each, below);
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      std::string of = words_for(option->get_name());
      bool known = std::find(words.begin(), words.end(), of) != words.end();
      if (!of.empty() && !known) words.push_back(of);
      continue;
    }
    for (const std::string& name : option->get_lnames()) {
      words.push_back("--" + name);
      if (option->get_type_size() == 0) continue;
      script.values +=
          fmt::format("    '{} --{}') words=\"{}\" ;;\n", path, name, values_of(*option));
    }
  }
  script.words += fmt::format("    '{}') words=\"{}\" ;;\n", path, join(words, " "));
}

constexpr std::string_view frame =
    R"(# bash completion of tlsguardctl; written by: tlsguardctl completion
_tlsguardctl_domains() {{
  local i store=()
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    [[ ${{COMP_WORDS[i]}} == --store ]] && store=(--store "${{COMP_WORDS[i + 1]}}")
  done
  tlsguardctl completion --domains "${{store[@]}}" 2>/dev/null
}}
_tlsguardctl() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} path='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${{COMP_WORDS[i]}}" in
{}    esac
  done
  case "$path ${{COMP_WORDS[COMP_CWORD - 1]}}" in
{}    *) words='-' ;;
  esac
  [[ $words != - ]] || case $path in
{}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -F _tlsguardctl tlsguardctl
)";

}  // namespace

std::string bash_completion(const CLI::App& app) {
  Script script;
  add_command(script, app, "");
  return fmt::format(frame, script.steps, script.values, script.words);
}

int print_domain_names(const std::string& store) {
  auto all = all_domains(store);
  if (!all) return exit_fine;
  for (const nlohmann::json& domain : all->at("domains")) {
    print(printable(domain.at("domain").get<std::string>()) + "\n");
  }
  return exit_fine;
}

}  // namespace tlsguard::ctl
