// SPDX-License-Identifier: Apache-2.0
// What the parts of Directory share: owned descriptors, errors of the system, names of files.
// Thread-safe: no shared state.
#ifndef TLSGUARD_STORE_DESCRIPTOR_H
#define TLSGUARD_STORE_DESCRIPTOR_H

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace tlsguard::store {

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

inline tl::unexpected<Error> system_failure(const std::string& what, int error = errno) {
  return fail(what + ": " + std::system_category().message(error));
}

// One component of a path, short enough for the names that are made from it.
inline Result<void> check_name(const std::string& name) {
  constexpr std::size_t longest = 200;
  if (name.empty() || name.size() > longest || name == "." || name == ".." ||
      name.find_first_of(std::string("/\0", 2)) != std::string::npos) {
    return fail("'" + name + "' is no name of a state file");
  }
  return {};
}

}  // namespace tlsguard::store

#endif
