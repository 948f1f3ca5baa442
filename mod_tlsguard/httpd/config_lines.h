// SPDX-License-Identifier: Apache-2.0
// Lines of modules that have no public interface, read from httpd's own tree of the configuration:
// of mod_headers, mod_rewrite and mod_alias. <IfModule>, Include, macros and the like are resolved
// in it. Configuration time, one thread; the views are the tree's.
#ifndef TLSGUARD_HTTPD_CONFIG_LINES_H
#define TLSGUARD_HTTPD_CONFIG_LINES_H

#include <string>
#include <string_view>
#include <vector>

#include "httpd/includes.h"
#include "httpd/written.h"

namespace tlsguard::httpd {

struct ConfigLine {
  std::string_view name;       // as written: "header"
  const char* arguments = "";  // as written
  const ap_directive_t* directive = nullptr;
  const server_rec* server = nullptr;
  // The innermost section inside of the virtual host, or of the server; null: none.
  const ap_directive_t* section = nullptr;

  [[nodiscard]] Place place() const;
  // The arguments, quotes taken away.
  [[nodiscard]] std::vector<std::string> words(apr_pool_t* pool) const;
};

// Those that the rules of advice look at, in the order of the tree.
[[nodiscard]] std::vector<ConfigLine> config_lines(const server_rec* base);

}  // namespace tlsguard::httpd

#endif
