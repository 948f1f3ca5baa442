// SPDX-License-Identifier: Apache-2.0
#include "ctl/managed_commands.h"

#include "ctl/ctl_account.h"
#include "ctl/ctl_store.h"
#include "ctl/output.h"
#include "ctl/store_access.h"

namespace tlsguard::ctl {
namespace {

using renew::ControlCommand;
using Take = std::function<void(std::function<int()>)>;

class Adder {
 public:
  Adder(ManagedArguments& arguments, const Take& take) : arguments_(arguments), take_(take) {}

  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& help,
                    const std::function<int()>& action) {
    CLI::App& command = *parent.add_subcommand(name, help);
    command.add_flag("--json", arguments_.json, "print JSON");
    command.add_option("--store", arguments_.store, "directory of TLSGuardStore")
        ->type_name("DIR")
        ->capture_default_str();
    command.callback([take = take_, action, &arguments = arguments_] {
      take([action, &arguments] {
        auto may = check_rights(arguments.store);
        return may ? action() : trouble(may.error());
      });
    });
    return command;
  }

  CLI::App& group(CLI::App& parent, const std::string& name, const std::string& help) {
    CLI::App& group = *parent.add_subcommand(name, help);
    group.require_subcommand(0, 1);
    return group;
  }

 private:
  ManagedArguments& arguments_;
  const Take& take_;
};

void add_text(CLI::App& command, const std::string& name, std::string& target,
              const std::string& help) {
  command.add_option(name, target, help)->required()->type_name("");
}

void add_on_domain(CLI::App& app, ManagedArguments& all, Adder& add, ControlCommand what,
                   const std::string& help) {
  CLI::App& command =
      add.command(app, std::string(renew::control_command_name(what)), help, [&all, what] {
        all.on_domain.command = what;
        all.on_domain.store = all.store;
        all.on_domain.json = all.json;
        return act_on_domain(all.on_domain);
      });
  add_text(command, "domain", all.on_domain.domain, "its first name");
  if (what != ControlCommand::revoke) return;
  command
      .add_option("--reason", all.on_domain.reason,
                  "keyCompromise, affiliationChanged, superseded, cessationOfOperation, "
                  "privilegeWithdrawn, unspecified")
      ->type_name("NAME");
}

void add_domains(CLI::App& app, ManagedArguments& all, Adder& add) {
  add_on_domain(app, all, add, ControlCommand::renew, "obtain a new certificate now");
  add_on_domain(app, all, add, ControlCommand::hold, "renew nothing until resume");
  add_on_domain(app, all, add, ControlCommand::resume, "renew again when it is time");
  add_on_domain(app, all, add, ControlCommand::rollback, "serve the version before");
  add_on_domain(app, all, add, ControlCommand::revoke,
                "revoke the certificate at its CA, and obtain another");
}

void add_accounts(CLI::App& app, ManagedArguments& all, Adder& add) {
  CLI::App& account = add.group(app, "account", "accounts at CAs");
  add.command(account, "show", "list them", [&all] { return account_show(all.store, all.json); });
  CLI::App& rollover = add.command(account, "rollover", "give them new keys", [&all] {
    return account_rollover(all.store, all.ca, all.json);
  });
  rollover.add_option("ca", all.ca, "name or URL of a CA [all]")->type_name("");
  account.allow_extras();  // only now, as subcommands inherit it
  CLI::App& ca = add.group(app, "ca", "the internal CA");
  add.command(ca, "root", "print its root, which clients have to trust",
              [&all] { return ca_root(all.store, all.json); });
  ca.allow_extras();
}

void add_store(CLI::App& app, ManagedArguments& all, Adder& add) {
  CLI::App& what = add.command(app, "events", "what has happened to managed domains",
                               [&all] { return events(all.store, all.domain, all.json); });
  what.add_option("domain", all.domain, "its first name [all]")->type_name("");
  CLI::App& store = add.group(app, "store", "the store itself");
  add.command(store, "verify", "whether all that is kept is whole",
              [&all] { return store_verify(all.store, all.json); });
  add.command(store, "gc", "delete what is not served any more",
              [&all] { return store_gc(all.store, all.json); });
  store.allow_extras();
}

void add_export(CLI::App& app, ManagedArguments& all, Adder& add) {
  ExportOptions& options = all.exporting;
  CLI::App& command =
      add.command(app, "export", "write a live certificate and its key as PEM files", [&all] {
        all.exporting.store = all.store;
        all.exporting.json = all.json;
        return export_domain(all.exporting);
      });
  add_text(command, "domain", options.domain, "its first name");
  command.add_option("--to", options.directory, "where to")->required()->type_name("DIR");
  CLI::Option* watch =
      command.add_flag("--watch", options.watch, "stay, and write again after each renewal");
  command.add_option("--exec", options.command, "run this by sh after each time")
      ->type_name("COMMAND")
      ->needs(watch);
}

CLI::App& add_import_from(CLI::App& parent, ManagedArguments& all, Adder& add,
                          const std::string& name, const std::string& help, ImportFrom from) {
  CLI::App& command = add.command(parent, name, help, [&all, from] {
    all.importing.from = from;
    all.importing.store = all.store;
    all.importing.json = all.json;
    return import(all.importing);
  });
  command.add_option("--agent-user", all.importing.agent_user, "as in TLSGuardAgentUser")
      ->type_name("USER");
  command.add_option("--httpd-group", all.importing.httpd_group, "as in httpd's Group")
      ->type_name("GROUP");
  return command;
}

void add_imports(CLI::App& app, ManagedArguments& all, Adder& add) {
  CLI::App& parent = add.group(
      app, "import", "take over certificates and accounts, and print the configuration to paste");
  add_text(add_import_from(parent, all, add, "mod_md", "from mod_md's store", ImportFrom::mod_md),
           "directory", all.importing.source, "MDStoreDir");
  add_text(add_import_from(parent, all, add, "certbot", "from certbot", ImportFrom::certbot),
           "directory", all.importing.source, "certbot's, such as /etc/letsencrypt");
  CLI::App& pem = add_import_from(parent, all, add, "pem", "from PEM files", ImportFrom::pem);
  add_text(pem, "certificate", all.importing.source, "with its chain");
  add_text(pem, "key", all.importing.key, "its key");
  parent.allow_extras();
}

}  // namespace

void add_managed_commands(CLI::App& app, ManagedArguments& arguments, const Take& take) {
  Adder add(arguments, take);
  add_domains(app, arguments, add);
  add_accounts(app, arguments, add);
  add_store(app, arguments, add);
  add_export(app, arguments, add);
  add_imports(app, arguments, add);
}

}  // namespace tlsguard::ctl
