// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_TEMP_DIR_H
#define TLSGUARD_T_UNIT_TEMP_DIR_H

#include "suites.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace tlsguard::test {

// A directory of the test's own, mode 0700, gone with this object.
class TempDir {
 public:
  TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "tlsguard-unit-XXXXXX";
    ck_assert_ptr_nonnull(::mkdtemp(pattern.data()));
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  ck_assert_msg(file.good(), "cannot write %s", path.c_str());
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  ck_assert_msg(file.good(), "cannot read %s", path.c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tlsguard::test

#endif
