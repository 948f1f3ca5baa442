// SPDX-License-Identifier: Apache-2.0
// The command line of what is about managed domains: renew, hold, resume, rollback, revoke,
// account, ca, events, store, export and import.
#ifndef TLSGUARD_CTL_MANAGED_COMMANDS_H
#define TLSGUARD_CTL_MANAGED_COMMANDS_H

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "ctl/ctl_domains.h"
#include "ctl/ctl_export.h"
#include "ctl/ctl_import.h"

namespace tlsguard::ctl {

// Where CLI11 puts what it reads.
struct ManagedArguments {
  bool json = false;
  std::string store = TLSGUARD_STATE_DIR "/tlsguard";
  std::string domain;
  std::string ca;
  DomainOptions on_domain;
  ExportOptions exporting;
  ImportOptions importing;
};

// take: called with what was asked for, while the arguments are parsed. Both outlive app.
void add_managed_commands(CLI::App& app, ManagedArguments& arguments,
                          const std::function<void(std::function<int()>)>& take);

}  // namespace tlsguard::ctl

#endif
