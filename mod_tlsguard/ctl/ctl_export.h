// SPDX-License-Identifier: Apache-2.0
// tlsguardctl export: the certificate that is live, with its key, as PEM files for other programs.
#ifndef TLSGUARD_CTL_CTL_EXPORT_H
#define TLSGUARD_CTL_CTL_EXPORT_H

#include <string>

namespace tlsguard::ctl {

struct ExportOptions {
  std::string domain;
  std::string directory;  // must exist
  bool watch = false;     // waits, and exports again whenever another version is live
  std::string command;    // run by sh after each export; empty: none
  std::string store;
  bool json = false;
};

// fullchain.pem and privkey.pem (0600) of the first key type, fullchain.<type>.pem and
// privkey.<type>.pem of further ones; each file replaced whole, keys first. The exit status.
[[nodiscard]] int export_domain(const ExportOptions& options);

}  // namespace tlsguard::ctl

#endif
