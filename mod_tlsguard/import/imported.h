// SPDX-License-Identifier: Apache-2.0
// What another program's certificates and accounts become. Plain values; keys are wiped when they
// go.
#ifndef TLSGUARD_IMPORT_IMPORTED_H
#define TLSGUARD_IMPORT_IMPORTED_H

#include <string>
#include <utility>
#include <vector>

#include "core/unix_time.h"
#include "crypto/keys.h"
#include "store/certificate_store.h"

namespace tlsguard::import {

struct ImportedDomain {
  std::string name;                         // what the other program calls it
  std::vector<std::string> names;           // the identity first; each is in every certificate
  std::vector<store::StoredKeyPair> pairs;  // each checked: key, chain and names fit
  UnixSeconds issued_at = 0;                // notBefore of the newest
  UnixSeconds not_after = 0;                // the earliest
  std::string profile;                      // ACME profile; empty: none, or not known
  // Settings that stand in a directive of ours, in order: "TLSGuardCA", {"https://…"}.
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;
  std::vector<std::string> notes;  // what an administrator has to look at
};

struct ImportedAccount {
  std::string directory_url;
  std::string account_url;
  std::vector<std::string> contacts;  // addresses without "mailto:"
  crypto::Key key;
};

struct Imported {
  std::vector<ImportedDomain> domains;
  std::vector<ImportedAccount> accounts;
  std::vector<std::string> notes;  // of what could not be imported, and why
};

// For CertificateStore::put().
[[nodiscard]] store::Version version_of(const ImportedDomain& domain);

}  // namespace tlsguard::import

#endif
