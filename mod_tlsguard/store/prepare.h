// SPDX-License-Identifier: Apache-2.0
// The store made ready by httpd's parent, before the agent is started: directories with the owners
// and modes of layout.h, the sealing key, the lock. What is there already is looked at and never
// changed: a directory of another owner may be a trap, and its content nobody's to trust.
// Parent only, one thread; blocks on the disk.
#ifndef TLSGUARD_STORE_PREPARE_H
#define TLSGUARD_STORE_PREPARE_H

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/error.h"
#include "crypto/sealing.h"
#include "store/state_file.h"

namespace tlsguard::store {

struct Owners {
  uid_t agent = 0;
  gid_t agent_group = 0;
  gid_t readers = 0;   // httpd's group: what workers read
  bool shared = true;  // false: httpd was not started as root, and all belongs to one user
};

// The four directories below the store. An error names the directory and the command that puts it
// right.
[[nodiscard]] Result<void> prepare_directories(const std::string& store, const Owners& owners);

// seal.key; made where it is missing. An error where it is not the parent's alone, or torn.
[[nodiscard]] Result<crypto::SealingKey> sealing_key(const Directory& store);
// The same; nullopt where it is missing.
[[nodiscard]] Result<std::optional<crypto::SealingKey>> existing_sealing_key(
    const Directory& store);

// What keeps other servers from ordering for the same store. Held by the process (fcntl), not by
// its children, so a parent's end frees it whatever becomes of its workers. Plain data: the parent
// keeps it in memory that outlives the module's code, all zero at first.
struct StoreLock {
  bool held;
  int fd;
  dev_t device;
  ino_t file;
};

// Takes the lock of this store, and gives up that of another. held is false where another server
// has it; an error where it cannot be known. Closing any descriptor of the file would free it, so
// nobody else may open it in this process.
[[nodiscard]] Result<void> take_lock(StoreLock& lock, const std::string& store);

// control.sock, bound and listening; close-on-exec. An error where the path is too long for a
// socket (max_socket_path).
[[nodiscard]] Result<int> open_control_socket(const std::string& store);
[[nodiscard]] std::size_t max_store_path();
// The other end of it, for tlsguardctl; nobody where no agent listens.
inline constexpr int nobody = -1;
[[nodiscard]] Result<int> connect_control_socket(const std::string& store);

}  // namespace tlsguard::store

#endif
