// SPDX-License-Identifier: Apache-2.0
// Files of other programs, read with bounds. Symbolic links are followed as far as they stay below
// the directory that was named (certbot's live/ consists of them). The directory's owner is
// trusted; what is in the files is not. One thread at a time.
#ifndef TLSGUARD_IMPORT_FOREIGN_FILES_H
#define TLSGUARD_IMPORT_FOREIGN_FILES_H

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "crypto/secret_bytes.h"

namespace tlsguard::import {

inline constexpr std::size_t max_foreign_file = 512UL * 1024;
inline constexpr std::size_t max_foreign_names = 100'000;

// One file by its path, wherever it is. An error where it is missing, no regular file, or larger
// than limit.
[[nodiscard]] Result<std::string> read_foreign_file(const std::string& path, std::size_t limit);
// The same for a key: no copy of it is left in memory.
[[nodiscard]] Result<crypto::SecretBytes> read_foreign_secret(const std::string& path,
                                                              std::size_t limit);

class ForeignTree {
 public:
  [[nodiscard]] static Result<ForeignTree> open(const std::string& path);

  // path: below the directory. nullopt: there is no such file.
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& path,
                                                        std::size_t limit = max_foreign_file) const;
  [[nodiscard]] Result<std::optional<crypto::SecretBytes>> read_secret(
      const std::string& path) const;
  // Names in a directory, sorted; none where it is missing.
  [[nodiscard]] Result<std::vector<std::string>> names(const std::string& path) const;
  [[nodiscard]] bool is_directory(const std::string& path) const;
  [[nodiscard]] const std::string& path() const { return root_; }

 private:
  explicit ForeignTree(std::string root) : root_(std::move(root)) {}
  // Without links; nullopt: nothing is there. An error where it leads out of the tree.
  [[nodiscard]] Result<std::optional<std::string>> resolve(const std::string& path) const;

  std::string root_;  // absolute, without links
};

}  // namespace tlsguard::import

#endif
