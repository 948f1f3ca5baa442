// SPDX-License-Identifier: Apache-2.0
// mod_md's store (MDStoreDir): domains/<name>/{md.json, privkey[.type].pem, pubcert[.type].pem};
// staging/<name>/ the same, renewed but not yet live there, keys encrypted; accounts/<id>/
// {account.json, account.pem}, keys encrypted with the passphrase in md_store.json. Blocking; one
// thread at a time.
#ifndef TLSGUARD_IMPORT_MOD_MD_H
#define TLSGUARD_IMPORT_MOD_MD_H

#include "core/error.h"
#include "core/unix_time.h"
#include "import/foreign_files.h"
#include "import/imported.h"

namespace tlsguard::import {

struct ImportedModMd {
  Imported imported;
  bool agreed = false;               // to the CAs' terms of service, by every domain
  std::vector<std::string> remarks;  // for who replaces the configuration
};

// What cannot be read is left out, with a note. An error where it is no store of mod_md.
[[nodiscard]] Result<ImportedModMd> import_mod_md(const ForeignTree& store, UnixSeconds now);

}  // namespace tlsguard::import

#endif
