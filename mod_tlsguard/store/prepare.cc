// SPDX-License-Identifier: Apache-2.0
#include "store/prepare.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/descriptor.h"
#include "store/layout.h"

namespace tlsguard::store {
namespace {

constexpr char lock_file[] = "lock";
constexpr mode_t private_mode = 0600;

struct Wanted {
  const char* name;
  uid_t owner;
  gid_t group;
  mode_t mode;
};

Result<void> check(const std::string& path, int fd, const Wanted& wanted) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return system_failure("cannot look at directory '" + path + "'");
  constexpr mode_t permissions = 07777;
  if (facts.st_uid != wanted.owner || facts.st_gid != wanted.group) {
    return fail(
        fmt::format("directory '{}' belongs to user {} and group {}, not to {} and {}: "
                    "'chown -hR {}:{} {}' if its content is to be trusted",
                    path, facts.st_uid, facts.st_gid, wanted.owner, wanted.group, wanted.owner,
                    wanted.group, path));
  }
  if ((facts.st_mode & permissions) != wanted.mode) {
    return fail(
        fmt::format("directory '{}' has mode {:o}, not {:o}: 'chmod {:o} {}' if its content "
                    "is to be trusted",
                    path, facts.st_mode & permissions, wanted.mode, wanted.mode, path));
  }
  return {};
}

// Made under a name that nobody looks at, so that it is right from the moment on that it is there.
Result<void> make(int top, const std::string& path, const Wanted& wanted) {
  std::string draft = std::string(".new-") + wanted.name;
  if (::unlinkat(top, draft.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return system_failure("cannot make directory '" + path + "'");
  }
  if (::mkdirat(top, draft.c_str(), 0700) != 0) {
    return system_failure("cannot make directory '" + path + "'");
  }
  Descriptor fd(::openat(top, draft.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid() || ::fchown(fd.get(), wanted.owner, wanted.group) != 0 ||
      ::fchmod(fd.get(), wanted.mode) != 0 ||
      ::renameat(top, draft.c_str(), top, wanted.name) != 0 || ::fsync(top) != 0) {
    return system_failure("cannot make directory '" + path + "'");
  }
  return check(path, fd.get(), wanted);
}

Result<void> prepare(int top, const std::string& store, const Wanted& wanted) {
  std::string path = store + '/' + wanted.name;
  Descriptor fd(::openat(top, wanted.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.valid()) return check(path, fd.get(), wanted);
  if (errno == ENOENT) return make(top, path, wanted);
  if (errno == ELOOP || errno == ENOTDIR) {
    return fail(fmt::format("'{}' is a symbolic link or no directory: remove it", path));
  }
  return system_failure("cannot open directory '" + path + "'");
}

// A file that is there belongs to this process's user, and nobody else may read it.
Result<void> check_private(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return {};
    return system_failure("cannot look at '" + path + "'");
  }
  constexpr mode_t others = 077;
  if (S_ISREG(facts.st_mode) && facts.st_uid == ::geteuid() && (facts.st_mode & others) == 0) {
    return {};
  }
  return fail(
      fmt::format("'{}' must be a file of user {} with mode 0600, as others could have read "
                  "it: put it right if they have not, or remove it, and all managed "
                  "certificates are obtained anew",
                  path, ::geteuid()));
}

tl::unexpected<Error> of_sealing_key(const Directory& store, const Error& error) {
  return tl::unexpected(error.within(store.path() + '/' + seal_key_file));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

}  // namespace

Result<void> prepare_directories(const std::string& store, const Owners& owners) {
  Descriptor top(::open(store.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top.valid()) return system_failure("cannot open directory '" + store + "'");
  mode_t shared = owners.shared ? static_cast<mode_t>(shared_directory_mode) : mode_t{0700};
  gid_t readers = owners.shared ? owners.readers : owners.agent_group;
  const Wanted all[] = {{agent_directory, owners.agent, owners.agent_group, 0700},
                        {certs_directory, owners.agent, readers, shared},
                        {challenges_directory, owners.agent, readers, shared},
                        {reports_directory, owners.agent, readers, shared}};
  for (const Wanted& wanted : all) {
    if (auto ready = prepare(top.get(), store, wanted); !ready) return ready;
  }
  return {};
}

Result<std::optional<crypto::SealingKey>> existing_sealing_key(const Directory& store) {
  if (auto ours = check_private(store.path() + '/' + seal_key_file); !ours) {
    return tl::unexpected(ours.error());
  }
  auto text = store.read(seal_key_file, crypto::SealingKey::size);
  if (!text) {
    Error error = text.error();
    if (error.kind == torn_kind) {
      error.text +=
          ": bring back its copy from a backup, for what it sealed opens with no other key";
    }
    return of_sealing_key(store, error);
  }
  if (!*text) return std::nullopt;
  crypto::SecretBytes bytes{std::string_view(**text)};
  OPENSSL_cleanse((*text)->data(), (*text)->size());
  auto key = crypto::SealingKey::from_bytes(bytes.bytes());
  if (!key) return of_sealing_key(store, key.error());
  return std::optional(std::move(*key));
}

Result<crypto::SealingKey> sealing_key(const Directory& store) {
  auto existing = existing_sealing_key(store);
  if (!existing) return tl::unexpected(existing.error());
  if (*existing) return std::move(**existing);
  auto key = crypto::SealingKey::generate();
  if (!key) return of_sealing_key(store, key.error());
  auto bytes = key->bytes();
  auto written = store.write(
      seal_key_file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, private_mode);
  if (!written) return of_sealing_key(store, written.error());
  return key;
}

Result<void> take_lock(StoreLock& lock, const std::string& store) {
  std::string path = store + '/' + lock_file;
  struct stat facts {};
  bool known = lock.held && ::lstat(path.c_str(), &facts) == 0 && facts.st_dev == lock.device &&
               facts.st_ino == lock.file;
  if (known) return {};
  if (lock.held) ::close(lock.fd);
  lock = {};
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, private_mode));
  if (!fd.valid()) return system_failure("cannot open '" + path + "'");
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_SETLK, &range) != 0) {
    if (errno == EACCES || errno == EAGAIN) return {};
    return system_failure("cannot lock '" + path + "'");
  }
  if (::fstat(fd.get(), &facts) != 0) return system_failure("cannot look at '" + path + "'");
  lock = {true, fd.release(), facts.st_dev, facts.st_ino};
  return {};
}

std::size_t max_store_path() {
  return sizeof(sockaddr_un{}.sun_path) - 1 - 1 - std::strlen(control_socket);
}

Result<int> open_control_socket(const std::string& store) {
  std::string path = store + '/' + control_socket;
  if (store.size() > max_store_path()) {
    return fail(fmt::format("'{}' is too long for a socket", path));
  }
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return system_failure("cannot make socket '" + path + "'");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_failure("cannot remove the old socket '" + path + "'");
  }
  sockaddr_un address = address_of(path);
  constexpr mode_t others = 0177;
  mode_t before = ::umask(others);
  int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  constexpr int waiting = 16;
  if (bound != 0 || ::listen(fd.get(), waiting) != 0) {
    return system_failure("cannot bind socket '" + path + "'");
  }
  return fd.release();
}

Result<int> connect_control_socket(const std::string& store) {
  std::string path = store + '/' + control_socket;
  if (store.size() > max_store_path()) {
    return fail(fmt::format("'{}' is too long for a socket", path));
  }
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return system_failure("cannot make a socket");
  sockaddr_un address = address_of(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd.release();
  }
  const int error = errno;
  if (error == ENOENT || error == ECONNREFUSED) return nobody;
  return system_failure("the agent cannot be asked at " + path +
                            (error == EACCES ? " by any but root and httpd's starter" : ""),
                        error);
}

}  // namespace tlsguard::store
