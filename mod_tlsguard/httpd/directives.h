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
  apr_pool_t* pool;  // of the reading of files
  ServerConf& conf;
  Place place;
  std::vector<std::string> words;  // its arguments, quotes taken away
  bool in_directory = false;       // <Directory>, <Location>, <Files>, <If> or .htaccess
  bool in_htaccess = false;

  // A path of the configuration as one of the file system: relative ones begin at ServerRoot.
  [[nodiscard]] std::string resolve(const std::string& path) const;
};

// Fails with a text that names the offending value and what would be valid; the directive's name
// is put before it.
using Take = Result<void> (*)(Use& use);

// An error that tells the syntax where there are fewer or more words.
[[nodiscard]] Result<void> need_words(const Use& use, std::size_t least, std::size_t most,
                                      const char* syntax);

// For module::cmds; the rows in use, then empty ones. Constant-initialised: no code runs when
// httpd loads the module.
struct CommandTable {
  command_rec commands[160];
};
extern const CommandTable command_table;

}  // namespace tlsguard::httpd

#endif
