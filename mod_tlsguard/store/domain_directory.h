// SPDX-License-Identifier: Apache-2.0
// One domain's directory in certs/: which versions are in it, and which numbers were used. For
// CertificateStore. Thread-safe as Directory is.
#ifndef TLSGUARD_STORE_DOMAIN_DIRECTORY_H
#define TLSGUARD_STORE_DOMAIN_DIRECTORY_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "store/certificate_store.h"
#include "store/state_file.h"
#include "store/version_files.h"

namespace tlsguard::store {

// nullopt: nothing is live. An error where the file is torn.
[[nodiscard]] Result<std::optional<Current>> read_current(const Directory& domain);
// nullopt where it is missing or torn.
[[nodiscard]] std::optional<Current> read_previous(const Directory& domain);

// All that look like versions, complete or not, ascending.
[[nodiscard]] Result<std::vector<std::uint32_t>> version_numbers(const Directory& domain);
// What meta.json says. An error where it is missing, torn or of another version or domain.
[[nodiscard]] Result<VersionFile> read_version_file(const Directory& version,
                                                    const std::string& identity,
                                                    std::uint32_t number);
[[nodiscard]] Result<std::string> read_chain(const Directory& version,
                                             const VersionFile::Certificate& certificate);
[[nodiscard]] Result<std::string> read_sealed_key(const Directory& version,
                                                  const VersionFile::Certificate& certificate);
// That a version is complete: all of its files are there, its chains whole. Keys are not opened.
[[nodiscard]] Result<void> check_complete(const Directory& domain, const std::string& identity,
                                          std::uint32_t number);

// The next version's number: above all that are there, that `current` or `previous` names, and that
// were deleted.
[[nodiscard]] Result<std::uint32_t> next_number(const Directory& domain);
// To be called before a version is deleted: its number is not used again.
[[nodiscard]] Result<void> remember_number(const Directory& domain, std::uint32_t number);
// Removes what a writer that died has left.
[[nodiscard]] Result<void> remove_unfinished(const Directory& domain);
// The name of a version that is being written.
[[nodiscard]] std::string unfinished_name(std::uint32_t number);

}  // namespace tlsguard::store

#endif
