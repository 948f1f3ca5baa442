// SPDX-License-Identifier: Apache-2.0
// One TCP connection to a server under test, every step with a time limit. Blocking; one thread
// at a time for each object. Errors are those of the network, in words.
#ifndef TLSGUARD_CTL_CONNECTION_H
#define TLSGUARD_CTL_CONNECTION_H

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::ctl {

using SteadyTime = std::chrono::steady_clock::time_point;

// As typed: "host", "host:port", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1". The host
// is kept without brackets.
struct Endpoint {
  std::string host;
  std::uint16_t port = 443;
  bool operator==(const Endpoint&) const = default;
};
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
// "host:port", an IPv6 address in brackets.
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

class Address {
 public:
  Address(const sockaddr* address, socklen_t length);
  [[nodiscard]] const sockaddr* get() const;
  [[nodiscard]] socklen_t length() const { return length_; }
  // "192.0.2.1", "2001:db8::1"
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] Address with_port(std::uint16_t port) const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};
// By the system's resolver, which has time limits of its own. Never empty.
[[nodiscard]] Result<std::vector<Address>> resolve(const Endpoint& endpoint);

class Connection {
 public:
  [[nodiscard]] static Result<Connection> open(const Address& address, SteadyTime until);

  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  enum class Status : std::uint8_t { done, closed, timed_out };
  // closed: the peer has closed or reset the connection.
  [[nodiscard]] Status send(std::span<const std::uint8_t> bytes, SteadyTime until);
  struct Received {
    Status status = Status::done;
    std::size_t size = 0;  // of what is now in the buffer; > 0 with done
  };
  [[nodiscard]] Received receive(std::span<std::uint8_t> buffer, SteadyTime until);
  enum class Direction : std::uint8_t { read, write };
  // False: not ready before the time was up.
  [[nodiscard]] bool wait(Direction direction, SteadyTime until) const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  explicit Connection(int fd) : fd_(fd) {}
  int fd_ = -1;  // non-blocking, O_CLOEXEC
};

}  // namespace tlsguard::ctl

#endif
