// SPDX-License-Identifier: Apache-2.0
// File descriptors with an owner, and failed system calls as errors.
#ifndef TLSGUARD_CORE_DESCRIPTOR_H
#define TLSGUARD_CORE_DESCRIPTOR_H

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace tlsguard {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
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

}  // namespace tlsguard

#endif
