// SPDX-License-Identifier: Apache-2.0
// tlsguardctl import: what mod_md, certbot or anybody else obtained is put into the store, and the
// configuration to paste is printed; so a migration orders nothing.
#ifndef TLSGUARD_CTL_CTL_IMPORT_H
#define TLSGUARD_CTL_CTL_IMPORT_H

#include <cstdint>
#include <string>

namespace tlsguard::ctl {

enum class ImportFrom : std::uint8_t { mod_md, certbot, pem };

struct ImportOptions {
  ImportFrom from = ImportFrom::pem;
  std::string source;       // a directory; of pem: the certificate with its chain
  std::string key;          // of pem
  std::string agent_user;   // of a store that is made; empty: as StoreAccess finds it
  std::string httpd_group;  // the same
  std::string store;
  bool json = false;
};

// The exit status: 1 where nothing could be imported.
[[nodiscard]] int import(const ImportOptions& options);

}  // namespace tlsguard::ctl

#endif
