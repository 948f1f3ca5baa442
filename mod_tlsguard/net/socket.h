// SPDX-License-Identifier: Apache-2.0
// A connected socket to a numeric address, every step with a time limit. One thread at a time.
#ifndef TLSGUARD_NET_SOCKET_H
#define TLSGUARD_NET_SOCKET_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/error.h"
#include "net/patience.h"

namespace tlsguard::net {

class Socket {
 public:
  enum class Kind : std::uint8_t { datagram, stream };
  // address: IPv4, or IPv6 perhaps with %scope; never a name. The kind of the error is "refused"
  // where the host is there and nobody listens.
  [[nodiscard]] static Result<Socket> connect(Kind kind, const std::string& address,
                                              std::uint16_t port, const Patience& patience);

  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }  // non-blocking, close-on-exec
  enum class Direction : std::uint8_t { read, write };
  // false: the time is up first.
  [[nodiscard]] bool wait(Direction direction, const Patience& patience) const;
  // All of it; of a datagram socket as one datagram.
  [[nodiscard]] Result<void> send(std::span<const std::uint8_t> bytes,
                                  const Patience& patience) const;
  // What is there, at least one byte; of a datagram socket one datagram, cut at the buffer's size.
  // 0: the other side has closed.
  [[nodiscard]] Result<std::size_t> receive(std::span<std::uint8_t> buffer,
                                            const Patience& patience) const;

 private:
  explicit Socket(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace tlsguard::net

#endif
