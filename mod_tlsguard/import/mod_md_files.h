// SPDX-License-Identifier: Apache-2.0
// The JSON files of mod_md's store: what of them matters here. Untrusted text. Pure; thread-safe.
#ifndef TLSGUARD_IMPORT_MOD_MD_FILES_H
#define TLSGUARD_IMPORT_MOD_MD_FILES_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "crypto/secret_bytes.h"
#include "import/imported.h"

namespace tlsguard::import {

// md_store.json: the passphrase of the keys in accounts/ and staging/, 48 bytes.
[[nodiscard]] Result<crypto::SecretBytes> passphrase_from_store_json(std::string_view text);

// domains/<name>/md.json.
struct MdFile {
  std::string name;
  std::vector<std::string> domains;  // in the order of the MDomain
  std::string profile;
  bool agreed = false;  // MDCertificateAgreement accepted
  // As in ImportedDomain.
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;
  std::vector<std::string> notes;
};
[[nodiscard]] Result<MdFile> parse_md_json(std::string_view text);

// accounts/<id>/account.json.
struct MdAccountFile {
  std::string directory_url;
  std::string account_url;
  std::vector<std::string> contacts;
  bool usable = false;  // its status is valid
};
[[nodiscard]] Result<MdAccountFile> parse_md_account_json(std::string_view text);

}  // namespace tlsguard::import

#endif
