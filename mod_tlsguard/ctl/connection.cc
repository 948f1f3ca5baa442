// SPDX-License-Identifier: Apache-2.0
#include "ctl/connection.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace tlsguard::ctl {
namespace {

std::string error_text(int number) { return std::generic_category().message(number); }

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end || port == 0 || port > 65535) {
    return fail(fmt::format("'{}' is no port: a number from 1 to 65535 is", text));
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    auto close = text.find(']');
    if (close == std::string_view::npos) return fail(fmt::format("'{}' lacks a ']'", text));
    host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') {
      return fail(fmt::format("'{}' is no host:port", text));
    }
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    auto colon = text.find(':');
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  constexpr std::string_view foreign = " \t\r\n/@";
  if (host.empty() || host.size() > 255 || host.find_first_of("[]") != std::string_view::npos ||
      text.find_first_of(foreign) != std::string_view::npos) {
    return fail(fmt::format("'{}' is no host:port", text));
  }
  Endpoint endpoint{std::string(host)};
  if (has_port) {
    auto number = parse_port(port);
    if (!number) return tl::unexpected(number.error());
    endpoint.port = *number;
  }
  return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
  if (endpoint.host.find(':') != std::string::npos) {
    return fmt::format("[{}]:{}", endpoint.host, endpoint.port);
  }
  return fmt::format("{}:{}", endpoint.host, endpoint.port);
}

Address::Address(const sockaddr* address, socklen_t length)
    : length_(std::min<socklen_t>(length, sizeof storage_)) {
  std::memcpy(&storage_, address, length_);
}

const sockaddr* Address::get() const {
  return static_cast<const sockaddr*>(static_cast<const void*>(&storage_));
}

std::string Address::text() const {
  std::array<char, NI_MAXHOST> host{};
  int failed = getnameinfo(get(), length_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? std::string(host.data()) : std::string("?");
}

std::uint16_t Address::port() const {
  // The port is in the same place in sockaddr_in and sockaddr_in6.
  sockaddr_in address{};
  std::memcpy(&address, &storage_, sizeof address);
  return ntohs(address.sin_port);
}

Address Address::with_port(std::uint16_t port) const {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  Address other = *this;
  sockaddr_in address{};
  std::memcpy(&address, &storage_, sizeof address);
  address.sin_port = htons(port);
  std::memcpy(&other.storage_, &address, sizeof address);
  return other;
}

Result<std::vector<Address>> resolve(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int failed =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
  if (failed != 0) return fail(fmt::format("{}: {}", endpoint.host, gai_strerror(failed)));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    addresses.emplace_back(info->ai_addr, info->ai_addrlen);
  }
  return addresses;
}

Connection::Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

Result<Connection> Connection::open(const Address& address, SteadyTime until) {
  Connection connection(
      socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connection.fd_ < 0) return fail(error_text(errno));
  int on = 1;
  (void)setsockopt(connection.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(connection.fd_, address.get(), address.length()) == 0) return connection;
  if (errno != EINPROGRESS) return fail(error_text(errno));
  if (!connection.wait(Direction::write, until)) return fail("no answer to the TCP connection");
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(connection.fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(error_text(error));
  return connection;
}

bool Connection::wait(Direction direction, SteadyTime until) const {
  using std::chrono::milliseconds;
  pollfd watched{fd_, static_cast<short>(direction == Direction::read ? POLLIN : POLLOUT), 0};
  for (;;) {
    auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) return false;
    auto capped = std::min<milliseconds>(left, std::chrono::minutes(1));
    int ready = poll(&watched, 1, static_cast<int>(capped.count()));
    if (ready > 0) return true;  // an error shows at the next read or write
    if (ready < 0 && errno != EINTR) return false;
  }
}

Connection::Status Connection::send(std::span<const std::uint8_t> bytes, SteadyTime until) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait(Direction::write, until)) return Status::timed_out;
    } else if (errno != EINTR) {
      return Status::closed;
    }
  }
  return Status::done;
}

Connection::Received Connection::receive(std::span<std::uint8_t> buffer, SteadyTime until) {
  for (;;) {
    // Asked before each read: a peer that never stops sending runs out of time too.
    if (!wait(Direction::read, until)) return {Status::timed_out, 0};
    ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size > 0) return {Status::done, static_cast<std::size_t>(size)};
    if (size == 0) return {Status::closed, 0};
    if (errno != EAGAIN && errno != EINTR) return {Status::closed, 0};
  }
}

}  // namespace tlsguard::ctl
