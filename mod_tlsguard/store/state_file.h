// SPDX-License-Identifier: Apache-2.0
// Small files that must survive a crash: each is replaced whole, or not at all. A Directory is
// opened once; everything in it is reached through its descriptor, so nothing that happens to the
// path later leads elsewhere. Symbolic links are never followed in the last component.
// One thread at a time for each Directory; several processes may write into one directory: each
// write takes the directory's lock (flock), and one that meets another fails and may be tried
// again. Blocking (fsync): not for a thread that serves requests.
#ifndef TLSGUARD_STORE_STATE_FILE_H
#define TLSGUARD_STORE_STATE_FILE_H

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tlsguard::store {

class Directory {
 public:
  // An error unless it is a directory, no symbolic link, belongs to root or to this process's
  // user, and is not writable by everybody.
  [[nodiscard]] static Result<Directory> open(const std::string& path);
  // The same, and it is made first where it is missing, with exactly this mode. Its parent must
  // exist.
  [[nodiscard]] static Result<Directory> open_or_create(const std::string& path, mode_t mode);

  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  // Replaces the file by one with this content and exactly this mode: written beside it, synced,
  // renamed, the directory synced. After an error the old content stands.
  [[nodiscard]] Result<void> write(const std::string& name, std::string_view content,
                                   mode_t mode) const;
  // The whole content; nullopt where there is no such file. An error where it is larger than
  // limit, is no regular file, or belongs to somebody else than root or this process's user.
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name,
                                                        std::size_t limit) const;
  // Renames the file to `<name>.bad`, over an older one: for content that turned out to be torn
  // or foreign, so that it is neither lost nor met again. No such file: nothing to do.
  [[nodiscard]] Result<void> set_aside(const std::string& name) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Directory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  [[nodiscard]] Result<void> check_owner() const;

  int fd_ = -1;  // O_CLOEXEC
  std::string path_;
};

}  // namespace tlsguard::store

#endif
