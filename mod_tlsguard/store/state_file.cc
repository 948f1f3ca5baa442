// SPDX-License-Identifier: Apache-2.0
#include "store/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tlsguard::store {
namespace {

constexpr std::size_t max_name = 200;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// The lock of a directory against other writers, for as long as this object lives.
class WriterLock {
 public:
  explicit WriterLock(int fd) : fd_(fd), held_(::flock(fd, LOCK_EX | LOCK_NB) == 0) {}
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock() {
    if (held_) ::flock(fd_, LOCK_UN);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  int fd_;
  bool held_;
};

tl::unexpected<Error> system_failure(const std::string& what, int error = errno) {
  return fail(what + ": " + std::system_category().message(error));
}

// Root's files and our own may be trusted; those of anybody else may change under our hands.
bool owned_by_us_or_root(const struct stat& facts) {
  return facts.st_uid == 0 || facts.st_uid == ::geteuid();
}

Result<void> check_name(const std::string& name) {
  if (name.empty() || name.size() > max_name || name == "." || name == ".." ||
      name.find_first_of(std::string("/\0", 2)) != std::string::npos) {
    return fail("'" + name + "' is no name of a state file");
  }
  return {};
}

int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// At most limit + 1 bytes, so that the caller sees a file that grew.
Result<std::string> read_all(int fd, std::size_t limit, std::size_t expected) {
  std::string content;
  content.resize(std::min(limit, expected) + 1);
  std::size_t size = 0;
  for (;;) {
    if (size == content.size()) {
      if (size > limit) break;
      content.resize(std::min(2 * size, limit + 1));
    }
    ssize_t got = ::read(fd, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("reading failed");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

}  // namespace

Directory::Directory(Directory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

Directory& Directory::operator=(Directory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

Directory::~Directory() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Directory> Directory::open(const std::string& path) {
  // "link/" would follow the link.
  std::string bare = path;
  while (bare.size() > 1 && bare.back() == '/') bare.pop_back();
  Descriptor fd(::open(bare.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ELOOP || errno == ENOTDIR) {
      return fail("'" + bare + "' is not a directory (a symbolic link to one is not accepted)");
    }
    return system_failure("cannot open directory '" + bare + "'");
  }
  Directory directory(fd.release(), std::move(bare));
  if (auto checked = directory.check_owner(); !checked) return tl::unexpected(checked.error());
  return directory;
}

Result<Directory> Directory::open_or_create(const std::string& path, mode_t mode) {
  bool created = ::mkdir(path.c_str(), 0700) == 0;
  if (!created && errno != EEXIST) return system_failure("cannot make directory '" + path + "'");
  auto directory = open(path);
  if (!directory || !created) return directory;
  if (::fchmod(directory->fd_, mode) != 0) {
    return system_failure(fmt::format("cannot set mode {:o} of directory '{}'", mode, path));
  }
  return directory;
}

Result<void> Directory::check_owner() const {
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) return system_failure("cannot look at directory '" + path_ + "'");
  if (!owned_by_us_or_root(facts)) {
    return fail(
        fmt::format("directory '{}' belongs to user {}: it must belong to root or to the "
                    "user this process runs as ({})",
                    path_, facts.st_uid, ::geteuid()));
  }
  if ((facts.st_mode & S_IWOTH) != 0) {
    return fail("directory '" + path_ + "' is writable by everybody: chmod o-w it");
  }
  return {};
}

Result<void> Directory::write(const std::string& name, std::string_view content,
                              mode_t mode) const {
  if (auto checked = check_name(name); !checked) return checked;
  const std::string where = "cannot write '" + path_ + "/" + name + "'";
  WriterLock lock(fd_);
  if (!lock.held()) {
    if (errno == EWOULDBLOCK) return fail(where + ": another process is writing in there");
    return system_failure(where + ": cannot lock the directory");
  }
  // Under the lock the name is ours, so what is there is left from a crash.
  const std::string temporary = "." + name + ".tmp";
  if (::unlinkat(fd_, temporary.c_str(), 0) != 0 && errno != ENOENT) return system_failure(where);
  Descriptor file(
      ::openat(fd_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return system_failure(where);
  int error = write_all(file.get(), content);
  if (error == 0 && ::fchmod(file.get(), mode) != 0) error = errno;
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0 && ::renameat(fd_, temporary.c_str(), fd_, name.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlinkat(fd_, temporary.c_str(), 0);
    return system_failure(where, error);
  }
  if (::fsync(fd_) != 0) return system_failure(where + ": cannot sync the directory");
  return {};
}

Result<std::optional<std::string>> Directory::read(const std::string& name,
                                                   std::size_t limit) const {
  if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
  const std::string where = "cannot read '" + path_ + "/" + name + "'";
  // O_NONBLOCK: a FIFO in its place must not hold us up.
  Descriptor file(::openat(fd_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) return fail(where + ": it is a symbolic link");
    return system_failure(where);
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return system_failure(where);
  if (!S_ISREG(facts.st_mode)) return fail(where + ": it is no regular file");
  if (!owned_by_us_or_root(facts)) {
    return fail(
        fmt::format("{}: it belongs to user {}, neither root nor the user this process "
                    "runs as ({})",
                    where, facts.st_uid, ::geteuid()));
  }
  auto content = read_all(file.get(), limit, static_cast<std::size_t>(facts.st_size));
  if (!content) return tl::unexpected(content.error().within(where));
  if (content->size() > limit) {
    return fail(fmt::format("{}: it is larger than {} bytes", where, limit));
  }
  return std::optional<std::string>(std::move(*content));
}

Result<void> Directory::set_aside(const std::string& name) const {
  if (auto checked = check_name(name); !checked) return checked;
  const std::string bad = name + ".bad";
  if (::renameat(fd_, name.c_str(), fd_, bad.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return system_failure("cannot rename '" + path_ + "/" + name + "' to '" + bad + "'");
  }
  if (::fsync(fd_) != 0) return system_failure("cannot sync the directory '" + path_ + "'");
  return {};
}

}  // namespace tlsguard::store
