// SPDX-License-Identifier: Apache-2.0
// The one table of directives. A directive is added in two places: its row here and its member in
// ServerConf. docs/directives.md is checked against the table.
#ifndef TLSGUARD_HTTPD_DIRECTIVES_H
#define TLSGUARD_HTTPD_DIRECTIVES_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "httpd/includes.h"
#include "httpd/server_conf.h"

namespace tlsguard::httpd {

// One directive as it is met in a file.
struct Use {
  ServerConf& conf;
  Place place;
  std::vector<std::string> words;  // its arguments, quotes taken away
  bool in_directory = false;       // <Directory>, <Location>, <Files>, <If> or .htaccess
  bool in_htaccess = false;
};

// Fails with a text that names the offending value and what would be valid; the directive's name
// is put before it.
using Take = Result<void> (*)(Use& use);

// For module::cmds; the rows in use, then empty ones. Constant-initialised: no code runs when
// httpd loads the module.
struct CommandTable {
  command_rec commands[128];
};
extern const CommandTable command_table;

}  // namespace tlsguard::httpd

#endif
