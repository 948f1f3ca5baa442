// SPDX-License-Identifier: Apache-2.0
#include "import/foreign_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/descriptor.h"

namespace tlsguard::import {
namespace {

namespace fs = std::filesystem;

// Exactly what fstat() said, or less: a file that grows meanwhile is cut, and its parser complains.
Result<std::string> read_all(int fd, std::size_t size) {
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    ssize_t got = ::read(fd, content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("reading failed");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

}  // namespace

Result<std::string> read_foreign_file(const std::string& path, std::size_t limit) {
  const std::string where = "cannot read '" + path + "'";
  // O_NONBLOCK: a FIFO must not hold us up.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) return system_failure(where);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return system_failure(where);
  if (!S_ISREG(facts.st_mode)) return fail(where + ": it is no regular file");
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size > limit) return fail(fmt::format("{}: it is larger than {} bytes", where, limit));
  auto content = read_all(file.get(), size);
  if (!content) return tl::unexpected(content.error().within(where));
  return content;
}

Result<crypto::SecretBytes> read_foreign_secret(const std::string& path, std::size_t limit) {
  auto text = read_foreign_file(path, limit);
  if (!text) return tl::unexpected(text.error());
  crypto::SecretBytes secret(std::string_view{*text});
  OPENSSL_cleanse(text->data(), text->size());
  return secret;
}

Result<ForeignTree> ForeignTree::open(const std::string& path) {
  std::error_code error;
  const fs::path root = fs::canonical(path, error);
  if (error) return system_failure("cannot open '" + path + "'", error.value());
  if (!fs::is_directory(root, error)) return fail("'" + path + "' is not a directory");
  return ForeignTree(root.string());
}

Result<std::optional<std::string>> ForeignTree::resolve(const std::string& path) const {
  std::error_code error;
  const std::string whole = root_ + "/" + path;
  const std::string real = fs::canonical(whole, error).string();
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    return std::nullopt;
  }
  if (error) return system_failure("cannot open '" + whole + "'", error.value());
  if (real == root_ || real.starts_with(root_ == "/" ? root_ : root_ + "/")) return real;
  return fail("'" + whole + "' leads to '" + real + "', out of the directory that was named");
}

Result<std::optional<std::string>> ForeignTree::read(const std::string& path,
                                                     std::size_t limit) const {
  auto real = resolve(path);
  if (!real) return tl::unexpected(real.error());
  if (!*real) return std::nullopt;
  auto content = read_foreign_file(**real, limit);
  if (!content) return tl::unexpected(content.error());
  return std::optional<std::string>(std::move(*content));
}

Result<std::optional<crypto::SecretBytes>> ForeignTree::read_secret(const std::string& path) const {
  auto real = resolve(path);
  if (!real) return tl::unexpected(real.error());
  if (!*real) return std::nullopt;
  auto secret = read_foreign_secret(**real, max_foreign_file);
  if (!secret) return tl::unexpected(secret.error());
  return std::optional<crypto::SecretBytes>(std::move(*secret));
}

Result<std::vector<std::string>> ForeignTree::names(const std::string& path) const {
  auto real = resolve(path);
  if (!real) return tl::unexpected(real.error());
  std::vector<std::string> found;
  if (!*real) return found;
  std::error_code error;
  fs::directory_iterator entry(**real, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (found.size() == max_foreign_names) {
      return fail(fmt::format("'{}' has more than {} names", **real, max_foreign_names));
    }
    found.push_back(entry->path().filename().string());
  }
  if (error) return system_failure("cannot list '" + **real + "'", error.value());
  std::sort(found.begin(), found.end());
  return found;
}

bool ForeignTree::is_directory(const std::string& path) const {
  auto real = resolve(path);
  std::error_code error;
  return real && *real && fs::is_directory(**real, error);
}

}  // namespace tlsguard::import
