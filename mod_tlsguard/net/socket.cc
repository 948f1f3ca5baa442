// SPDX-License-Identifier: Apache-2.0
#include "net/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace tlsguard::net {
namespace {

tl::unexpected<Error> system_failure(int error) {
  Error failure{std::generic_category().message(error)};
  if (error == ECONNREFUSED) failure.kind = "refused";
  return tl::unexpected<Error>(std::move(failure));
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> parse(const std::string& address, std::uint16_t port, int type) {
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) {
    return fail_for_good(fmt::format("'{}' is no IP address", address));
  }
  return AddressList(list, freeaddrinfo);
}

bool try_again(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Result<Socket> Socket::connect(Kind kind, const std::string& address, std::uint16_t port,
                               const Patience& patience) {
  int type = kind == Kind::stream ? SOCK_STREAM : SOCK_DGRAM;
  auto parsed = parse(address, port, type);
  if (!parsed) return tl::unexpected(parsed.error());
  const addrinfo& target = **parsed;
  Socket made(::socket(target.ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.fd_ < 0) return system_failure(errno);
  if (::connect(made.fd_, target.ai_addr, target.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS) return system_failure(errno);
  if (!made.wait(Direction::write, patience)) return fail("no answer to the TCP connection");
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(made.fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return system_failure(error);
  return made;
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

bool Socket::wait(Direction direction, const Patience& patience) const {
  pollfd waiting{fd_, static_cast<short>(direction == Direction::read ? POLLIN : POLLOUT), 0};
  do {
    int ready = ::poll(&waiting, 1, static_cast<int>(patience.slice().count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  } while (!patience.over());
  return false;
}

Result<void> Socket::send(std::span<const std::uint8_t> bytes, const Patience& patience) const {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (!try_again(errno)) {
      return system_failure(errno);
    } else if (!wait(Direction::write, patience)) {
      return fail("nothing more can be sent");
    }
  }
  return {};
}

Result<std::size_t> Socket::receive(std::span<std::uint8_t> buffer,
                                    const Patience& patience) const {
  for (;;) {
    ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!try_again(errno)) return system_failure(errno);
    if (!wait(Direction::read, patience)) return fail("no answer in time");
  }
}

}  // namespace tlsguard::net
