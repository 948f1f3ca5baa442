// SPDX-License-Identifier: Apache-2.0
// Directories: opened, made, listed, removed.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "core/descriptor.h"
#include "store/state_file.h"
#include "store/state_name.h"

namespace tlsguard::store {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::size_t max_files = 1000;  // of a directory that is removed

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseStream>;

tl::unexpected<Error> cannot_open(const std::string& path) {
  if (errno == ELOOP || errno == ENOTDIR) {
    return torn("'" + path + "' is not a directory (a symbolic link to one is not accepted)");
  }
  return system_failure("cannot open directory '" + path + "'");
}

}  // namespace

Directory::Directory(Directory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), trusted_(other.trusted_) {}

Directory& Directory::operator=(Directory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(trusted_, other.trusted_);
  return *this;
}

Directory::~Directory() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Directory> Directory::adopt(int fd, std::string path, std::optional<uid_t> trusted) {
  Directory directory(fd, std::move(path), trusted);
  if (auto checked = directory.check_owner(); !checked) return tl::unexpected(checked.error());
  return directory;
}

Result<Directory> Directory::open(const std::string& path, std::optional<uid_t> trusted) {
  // "link/" would follow the link.
  std::string bare = path;
  while (bare.size() > 1 && bare.back() == '/') bare.pop_back();
  int fd = ::open(bare.c_str(), directory_flags);
  if (fd < 0) return cannot_open(bare);
  return adopt(fd, std::move(bare), trusted);
}

Result<Directory> Directory::open_or_create(const std::string& path, mode_t mode,
                                            std::optional<uid_t> trusted) {
  struct stat facts {};
  bool missing = ::lstat(path.c_str(), &facts) != 0 && errno == ENOENT;
  bool created = missing && ::mkdir(path.c_str(), 0700) == 0;
  if (missing && !created && errno != EEXIST) {
    return system_failure("cannot make directory '" + path + "'");
  }
  auto directory = open(path, trusted);
  if (!directory || !created) return directory;
  if (::fchmod(directory->fd_, mode) != 0) {
    return system_failure(fmt::format("cannot set mode {:o} of directory '{}'", mode, path));
  }
  return directory;
}

Result<std::optional<Directory>> Directory::below(const std::string& name) const {
  if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
  int fd = ::openat(fd_, name.c_str(), directory_flags);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) return cannot_open(path_of(name));
  auto directory = adopt(fd, path_of(name), trusted_);
  if (!directory) return tl::unexpected(directory.error());
  return std::optional<Directory>(std::move(*directory));
}

Result<Directory> Directory::make_below(const std::string& name, mode_t mode) const {
  if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
  // It mostly is there, and even a vain mkdir locks the directory above it.
  if (auto there = below(name); !there || *there) {
    if (!there) return tl::unexpected(there.error());
    return std::move(**there);
  }
  bool created = ::mkdirat(fd_, name.c_str(), mode & 0777) == 0;
  if (!created && errno != EEXIST) {
    return system_failure("cannot make directory '" + path_of(name) + "'");
  }
  auto found = below(name);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail("directory '" + path_of(name) + "' is gone again");
  Directory directory = std::move(**found);
  if (!created) return directory;
  struct stat facts {};
  auto as_wanted = [&] {
    return ::fstat(directory.fd_, &facts) == 0 && (facts.st_mode & 07777) == mode;
  };
  if (!as_wanted() && (::fchmod(directory.fd_, mode) != 0 || !as_wanted())) {
    auto failure = fail(
        fmt::format("directory '{}' has mode {:o} instead of {:o}: start the process with umask "
                    "022 or 027, and let '{}' have the setgid bit",
                    directory.path_, facts.st_mode & 07777, mode, path_));
    ::unlinkat(fd_, name.c_str(), AT_REMOVEDIR);
    return failure;
  }
  return directory;
}

bool Directory::accepts(uid_t owner) const {
  return owner == 0 || owner == ::geteuid() || trusted_ == owner || trusted_ == any_owner;
}

std::string Directory::accepted_users() const {
  std::string text = fmt::format("the user this process runs as ({})", ::geteuid());
  if (trusted_) text += fmt::format(" or user {}", *trusted_);
  return text;
}

Result<void> Directory::check_owner() const {
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) return system_failure("cannot look at directory '" + path_ + "'");
  if (!accepts(facts.st_uid)) {
    return fail(fmt::format("directory '{}' belongs to user {}: it must belong to root or to {}",
                            path_, facts.st_uid, accepted_users()));
  }
  if ((facts.st_mode & S_IWOTH) != 0) {
    return fail("directory '" + path_ + "' is writable by everybody: chmod o-w it");
  }
  return {};
}

Result<std::vector<std::string>> Directory::names(std::size_t limit) const {
  const std::string where = "cannot list directory '" + path_ + "'";
  // Opened anew: a duplicate would share the position.
  Descriptor own(::openat(fd_, ".", directory_flags));
  Stream stream(own.valid() ? ::fdopendir(own.get()) : nullptr);
  if (!stream) return system_failure(where);
  static_cast<void>(own.release());  // it is the stream's now
  std::vector<std::string> found;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return system_failure(where);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (found.size() == limit) return fail(fmt::format("{}: more than {} names", where, limit));
    found.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> Directory::rename(const std::string& from, const std::string& to) const {
  for (const std::string& each : {from, to}) {
    if (auto checked = check_name(each); !checked) return checked;
  }
  if (::renameat(fd_, from.c_str(), fd_, to.c_str()) != 0) {
    return system_failure("cannot rename '" + path_of(from) + "' to '" + to + "'");
  }
  if (::fsync(fd_) != 0) return system_failure("cannot sync the directory '" + path_ + "'");
  return {};
}

Result<void> Directory::remove_with_files(const std::string& name) const {
  auto directory = below(name);
  if (!directory) return tl::unexpected(directory.error());
  if (!*directory) return {};
  auto files = (*directory)->names(max_files);
  if (!files) return tl::unexpected(files.error());
  for (const std::string& file : *files) {
    if (::unlinkat((*directory)->fd_, file.c_str(), 0) != 0 && errno != ENOENT) {
      return system_failure("cannot remove '" + path_of(name) + "/" + file + "'");
    }
  }
  if (::unlinkat(fd_, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return system_failure("cannot remove '" + path_of(name) + "'");
  }
  return {};
}

}  // namespace tlsguard::store
