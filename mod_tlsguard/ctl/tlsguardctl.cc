// SPDX-License-Identifier: Apache-2.0
// tlsguardctl: the command line. Each subcommand is a function of its own file; here stand only
// their names, arguments and help.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.h"
#include "ctl/completion.h"
#include "ctl/ctl_check.h"
#include "ctl/ctl_policy.h"
#include "ctl/ctl_status.h"
#include "ctl/managed_commands.h"
#include "ctl/output.h"

namespace tlsguard::ctl {
namespace {

// What the arguments ask for, to be run once all of them are read.
using Action = std::function<int()>;

struct Arguments {
  bool json = false;
  std::string store = TLSGUARD_STATE_DIR "/tlsguard";
  std::string first;  // positional arguments of policy subcommands
  std::string second;
  CheckOptions check;
  StatusOptions status;
  int plain_port = 80;
  ManagedArguments managed;
  bool domains = false;  // of completion
  bool cas = false;
  Action action;
};

void add_json(CLI::App& command, Arguments& arguments) {
  command.add_flag("--json", arguments.json, "print JSON");
}

void add_store(CLI::App& command, Arguments& arguments) {
  command.add_option("--store", arguments.store, "directory of TLSGuardStore")
      ->type_name("DIR")
      ->capture_default_str();
}

CLI::App& add_policy_command(CLI::App& policy, Arguments& arguments, const std::string& name,
                             const std::string& help, Action action) {
  CLI::App& command = *policy.add_subcommand(name, help);
  add_json(command, arguments);
  command.callback([&arguments, action] { arguments.action = action; });
  return command;
}

void add_name(CLI::App& command, std::string& target, const std::string& what) {
  command.add_option(what, target, "name, name@version or alias")->required()->type_name("");
}

void add_policy(CLI::App& app, Arguments& arguments) {
  CLI::App& policy = *app.add_subcommand("policy", "the built-in policies");
  policy.require_subcommand(0, 1);
  add_policy_command(policy, arguments, "list", "name them all",
                     [&arguments] { return policy_list(arguments.json); });
  CLI::App& show =
      add_policy_command(policy, arguments, "show", "print all that a policy admits",
                         [&arguments] { return policy_show(arguments.first, arguments.json); });
  add_name(show, arguments.first, "policy");
  CLI::App& diff = add_policy_command(
      policy, arguments, "diff", "print what moving from one policy to another changes",
      [&arguments] { return policy_diff(arguments.first, arguments.second, arguments.json); });
  add_name(diff, arguments.first, "from-policy");
  add_name(diff, arguments.second, "to-policy");
  CLI::App& explain = add_policy_command(
      policy, arguments, "explain", "say whom a policy is for, what it cuts off, and why",
      [&arguments] { return policy_explain(arguments.first, arguments.json); });
  add_name(explain, arguments.first, "policy");
  policy.allow_extras();  // only now, as subcommands inherit it: see no_command()
}

void add_check(CLI::App& app, Arguments& arguments) {
  CLI::App& command = *app.add_subcommand(
      "check",
      "probe a server and hold it against a policy; without host:port, every TLS virtual "
      "host of this server against its own");
  CheckOptions& options = arguments.check;
  command.add_option("host:port", options.target, "any TLS server; the port defaults to 443")
      ->type_name("");
  command.add_option("--policy", options.policy, "policy to hold it against [baseline]")
      ->type_name("NAME");
  command.add_option("--servername", options.server_name, "name to ask for, instead of the host")
      ->type_name("NAME");
  command.add_option("--timeout", options.timeout, "seconds that one server may take")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600).description(""));
  CLI::Option* plain =
      command
          .add_option("--http", arguments.plain_port, "also ask this port in clear for a redirect")
          ->type_name("PORT")
          ->check(CLI::Range(1, 65535).description(""));
  add_store(command, arguments);
  add_json(command, arguments);
  command.callback([&arguments, plain] {
    arguments.check.store = arguments.store;
    arguments.check.json = arguments.json;
    if (plain->count() > 0) {
      arguments.check.plain_port = static_cast<std::uint16_t>(arguments.plain_port);
    }
    arguments.action = [&arguments] { return check(arguments.check); };
  });
}

void add_status(CLI::App& app, Arguments& arguments) {
  CLI::App& command = *app.add_subcommand(
      "status", "managed domains, what clients negotiate, and whom a policy would cut off");
  StatusOptions& options = arguments.status;
  command.add_option("name", options.name, "a domain or a virtual host [all]")->type_name("");
  command
      .add_option("--policy", options.policy,
                  "whom would it cut off: modern, intermediate, baseline, report, in-force")
      ->type_name("NAME");
  add_store(command, arguments);
  add_json(command, arguments);
  command.callback([&arguments] {
    arguments.status.store = arguments.store;
    arguments.status.json = arguments.json;
    arguments.action = [&arguments] { return status(arguments.status); };
  });
}

void add_completion(CLI::App& app, Arguments& arguments) {
  CLI::App& command = *app.add_subcommand(
      "completion", "print what bash needs to complete the command line: eval it, or keep it");
  command.add_flag("--domains", arguments.domains,
                   "print the managed domains instead, as it asks for them");
  command.add_flag("--cas", arguments.cas, "print the CAs that httpd uses, for the same");
  add_store(command, arguments);
  command.callback([&app, &arguments] {
    arguments.action = [&app, &arguments] {
      if (arguments.domains) return print_domain_names(arguments.store);
      if (arguments.cas) return print_ca_names(arguments.store);
      print(bash_completion(app));
      return static_cast<int>(exit_fine);
    };
  });
}

std::string version_text() {
  return fmt::format("tlsguardctl {} ({})", TLSGUARD_VERSION, OpenSSL_version(OPENSSL_VERSION));
}

// Help and --version are "errors" of CLI11 with status 0.
int take_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    app.exit(error);
    return exit_fine;
  }
  return wrong_arguments(Error{fmt::format("{} (see tlsguardctl --help)", error.what())});
}

// CLI11 would say that a subcommand is required, but not which word is none.
int no_command(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> valid;
  for (const CLI::App* command : at->get_subcommands(nullptr)) valid.push_back(command->get_name());
  std::string commands = join(valid, ", ");
  std::vector<std::string> unknown = app.remaining(true);
  std::string text = fmt::format("unknown command '{}': valid are {}",
                                 unknown.empty() ? "" : unknown.front(), commands);
  if (unknown.empty()) {
    text = fmt::format("a command is missing: one of {} (see tlsguardctl --help)", commands);
  } else if (unknown.front().starts_with('-')) {
    text = fmt::format("unknown option '{}' (see tlsguardctl --help)", unknown.front());
  }
  return wrong_arguments(Error{text});
}

// Of arguments that may be wrong, too.
bool ask_for_json(std::span<char*> arguments) {
  auto end = std::find(arguments.begin(), arguments.end(), std::string_view("--"));
  return std::find(arguments.begin(), end, std::string_view("--json")) != end;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Looks at the TLS of this server, and of others. Exit status: 0 fine, 1 trouble "
      "found, 2 wrong arguments.",
      "tlsguardctl");
  Arguments arguments;
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", version_text());
  add_policy(app, arguments);
  add_check(app, arguments);
  add_status(app, arguments);
  add_managed_commands(app, arguments.managed,
                       [&arguments](Action action) { arguments.action = std::move(action); });
  add_completion(app, arguments);
  app.allow_extras();
  if (ask_for_json({argv, static_cast<std::size_t>(argc)})) answer_in_json();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return take_error(app, error);
  }
  return arguments.action ? arguments.action() : no_command(app);
}

}  // namespace
}  // namespace tlsguard::ctl

int main(int argc, char** argv) {
  using namespace tlsguard::ctl;
  // A peer, or a reader of our output, that goes away must not end us.
  (void)std::signal(SIGPIPE, SIG_IGN);
  try {
    int status = run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    if (errno != EPIPE) complain("the output could not be written");
    return exit_trouble;
  } catch (const std::exception& error) {
    return trouble(tlsguard::Error{error.what()});
  }
}
