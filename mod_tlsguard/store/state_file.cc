// SPDX-License-Identifier: Apache-2.0
// The files of a Directory.
#include "store/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/descriptor.h"
#include "store/state_name.h"

namespace tlsguard::store {
namespace {

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

// A new file with all of it. An errno, or 0.
int make_file(int directory, const std::string& name, std::string_view content, mode_t mode,
              bool synced) {
  Descriptor file(::openat(directory, name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return errno;
  int error = write_all(file.get(), content);
  if (error == 0 && ::fchmod(file.get(), mode) != 0) error = errno;
  if (error == 0 && synced && ::fsync(file.get()) != 0) error = errno;
  return error;
}

}  // namespace

tl::unexpected<Error> torn(std::string text) {
  Error error{std::move(text)};
  error.kind = torn_kind;
  return tl::unexpected<Error>(std::move(error));
}

Result<void> Directory::write(const std::string& name, std::string_view content, mode_t mode,
                              Durability durability) const {
  if (auto checked = check_name(name); !checked) return checked;
  const std::string where = "cannot write '" + path_of(name) + "'";
  std::optional<WriterLock> lock;
  if (durability == Durability::synced && !lock.emplace(fd_).held()) {
    if (errno == EWOULDBLOCK) return fail(where + ": another process is writing in there");
    return system_failure(where + ": cannot lock the directory");
  }
  const bool synced = durability != Durability::quick;
  const std::string temporary = "." + name + ".tmp";
  int error = make_file(fd_, temporary, content, mode, synced);
  // Under the lock, or of one writer, the name is ours: what is there is left from a crash.
  if (error == EEXIST) {
    error = ::unlinkat(fd_, temporary.c_str(), 0) == 0
                ? make_file(fd_, temporary, content, mode, synced)
                : errno;
  }
  if (error == 0 && ::renameat(fd_, temporary.c_str(), fd_, name.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlinkat(fd_, temporary.c_str(), 0);
    return system_failure(where, error);
  }
  if (synced && ::fsync(fd_) != 0) {
    return system_failure(where + ": cannot sync the directory");
  }
  return {};
}

Result<void> Directory::create(const std::string& name, std::string_view content,
                               mode_t mode) const {
  if (auto checked = check_name(name); !checked) return checked;
  int error = make_file(fd_, name, content, mode, false);
  if (error == 0) return {};
  if (error != EEXIST) ::unlinkat(fd_, name.c_str(), 0);
  return system_failure("cannot write '" + path_of(name) + "'", error);
}

Result<void> Directory::sync(const std::vector<std::string>& files) const {
  for (const std::string& name : files) {
    if (auto checked = check_name(name); !checked) return checked;
    Descriptor file(::openat(fd_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.valid() || ::fsync(file.get()) != 0) {
      return system_failure("cannot sync '" + path_of(name) + "'");
    }
  }
  if (::fsync(fd_) != 0) return system_failure("cannot sync the directory '" + path_ + "'");
  return {};
}

Result<std::optional<std::string>> Directory::read(const std::string& name,
                                                   std::size_t limit) const {
  if (auto checked = check_name(name); !checked) return tl::unexpected(checked.error());
  const std::string where = "cannot read '" + path_of(name) + "'";
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
  if (!accepts(facts.st_uid)) {
    return fail(fmt::format("{}: it belongs to user {}, neither root nor {}", where, facts.st_uid,
                            accepted_users()));
  }
  auto content = read_all(file.get(), limit, static_cast<std::size_t>(facts.st_size));
  if (!content) return tl::unexpected(content.error().within(where));
  if (content->size() > limit) {
    return torn(fmt::format("{}: it is larger than {} bytes", where, limit));
  }
  return std::optional<std::string>(std::move(*content));
}

Result<void> Directory::link(const std::string& name, const std::string& second) const {
  for (const std::string& each : {name, second}) {
    if (auto checked = check_name(each); !checked) return checked;
  }
  const std::string where = "cannot link '" + path_of(name) + "' as '" + second + "'";
  const std::string temporary = "." + second + ".tmp";
  if (::unlinkat(fd_, temporary.c_str(), 0) != 0 && errno != ENOENT) return system_failure(where);
  if (::linkat(fd_, name.c_str(), fd_, temporary.c_str(), 0) != 0 ||
      ::renameat(fd_, temporary.c_str(), fd_, second.c_str()) != 0) {
    return system_failure(where);
  }
  // rename() leaves both names where they are one file already.
  if (::unlinkat(fd_, temporary.c_str(), 0) != 0 && errno != ENOENT) return system_failure(where);
  return {};
}

Result<void> Directory::set_aside(const std::string& name) const {
  if (auto checked = check_name(name); !checked) return checked;
  const std::string bad = name + ".bad";
  if (::renameat(fd_, name.c_str(), fd_, bad.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return system_failure("cannot rename '" + path_of(name) + "' to '" + bad + "'");
  }
  if (::fsync(fd_) != 0) return system_failure("cannot sync the directory '" + path_ + "'");
  return {};
}

Result<void> Directory::remove(const std::string& name) const {
  if (auto checked = check_name(name); !checked) return checked;
  if (::unlinkat(fd_, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return system_failure("cannot remove '" + path_of(name) + "'");
}

}  // namespace tlsguard::store
