// SPDX-License-Identifier: Apache-2.0
#include "httpd/list_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace tlsguard::httpd {

Result<renew::DomainList> read_list(const std::string& path) {
  std::error_code error;
  auto size = std::filesystem::file_size(path, error);
  if (error) return fail(fmt::format("file '{}': {}", path, error.message()));
  if (size > renew::max_list_bytes) {
    return fail(fmt::format("file '{}' is larger than {} bytes", path, renew::max_list_bytes));
  }
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file.is_open() || file.bad()) return fail(fmt::format("file '{}' cannot be read", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return renew::parse_domain_list(text);
}

}  // namespace tlsguard::httpd
