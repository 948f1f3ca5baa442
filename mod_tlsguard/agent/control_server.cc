// SPDX-License-Identifier: Apache-2.0
#include "agent/control_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <thread>

#include "renew/control_protocol.h"

namespace tlsguard::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Deadline {
 public:
  explicit Deadline(milliseconds limit) : end_(steady_clock::now() + limit) {}
  // false: the time is up, or the other side is gone.
  [[nodiscard]] bool wait(int fd, short events) const {
    for (;;) {
      auto left = std::chrono::ceil<milliseconds>(end_ - steady_clock::now());
      if (left.count() <= 0) return false;
      pollfd poll{fd, events, 0};
      int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
      if (ready > 0) return (poll.revents & (events | POLLHUP)) != 0;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

 private:
  steady_clock::time_point end_;
};

bool send_all(int fd, std::string_view text, milliseconds limit) {
  Deadline deadline(limit);
  while (!text.empty()) {
    ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN && deadline.wait(fd, POLLOUT)) continue;
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Lines from one client.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}
  // nullopt: it is gone, too slow, or the line is too long (`too_long`).
  std::optional<std::string> next(milliseconds idle, milliseconds whole) {
    if (buffer_.empty() && !Deadline(idle).wait(fd_, POLLIN)) return std::nullopt;
    Deadline deadline(whole);
    for (;;) {
      auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      too_long_ = buffer_.size() >= renew::max_control_request;
      if (too_long_ || !deadline.wait(fd_, POLLIN)) return std::nullopt;
      std::array<char, renew::max_control_request> part;  // NOLINT: read into
      ssize_t got = ::recv(fd_, part.data(), part.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) return std::nullopt;
      buffer_.append(part.data(), static_cast<std::size_t>(got));
    }
  }
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  int fd_;
  std::string buffer_;
  bool too_long_ = false;
};

}  // namespace

bool ControlServer::is_allowed(int client) const {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == starter_;
}

void ControlServer::talk(int client) {
  if (!is_allowed(client)) {
    send_all(client,
             renew::error_reply("only root, or the user that started httpd, may ask the agent"),
             limits_.line);
    ::close(client);
    return;
  }
  LineReader reader(client);
  milliseconds pause = limits_.first;
  while (auto line = reader.next(pause, limits_.line)) {
    pause = limits_.idle;
    auto request = renew::parse_control_request(*line);
    std::string reply = request ? answer_(*line) : renew::error_reply(request.error().text);
    if (!send_all(client, reply, limits_.line) || !request) break;
  }
  if (reader.too_long()) {
    send_all(client, renew::error_reply("a request is one line of at most 4096 bytes"),
             limits_.line);
  }
  ::close(client);
}

void ControlServer::serve() {
  constexpr milliseconds pause{200};
  for (;;) {
    int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      if (errno == EINVAL || errno == EBADF) return;  // shut down
      if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(pause);
      continue;
    }
    if (clients_.fetch_add(1) >= limits_.clients) {
      send_all(client, renew::error_reply(renew::too_many_clients), pause);
      ::close(client);
      clients_.fetch_sub(1);
      continue;
    }
    try {
      std::thread([this, client] {
        talk(client);
        clients_.fetch_sub(1);
      }).detach();
    } catch (const std::system_error& error) {
      log_.write(Severity::error, "TG0132", std::string("control: ") + error.what());
      ::close(client);
      clients_.fetch_sub(1);
    }
  }
}

}  // namespace tlsguard::agent
