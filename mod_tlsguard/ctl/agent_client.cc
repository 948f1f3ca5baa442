// SPDX-License-Identifier: Apache-2.0
#include "ctl/agent_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/descriptor.h"
#include "ctl/output.h"
#include "store/prepare.h"

namespace tlsguard::ctl {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::minutes longest{10};
constexpr std::string_view ended = "the agent ended before it replied: its log says more";

Result<void> send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EPIPE) return {};  // it has said why, before it closed
    if (sent < 0) return system_failure("the agent does not listen");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// Says after a second that it takes longer, where a person looks on.
class Patience {
 public:
  Result<void> wait(int fd) {
    for (;;) {
      pollfd poll{fd, POLLIN, 0};
      constexpr int second = 1000;
      int ready = ::poll(&poll, 1, second);
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return system_failure("poll");
      if (steady_clock::now() - begin_ > longest) return fail("the agent does not answer");
      if (!told_ && ::isatty(STDERR_FILENO) == 1) complain("the agent is at work on it ...");
      told_ = true;
    }
  }

 private:
  steady_clock::time_point begin_ = steady_clock::now();
  bool told_ = false;
};

Result<std::string> read_line(int fd) {
  std::string line;
  Patience patience;
  std::array<char, 16384> part{};
  for (;;) {
    if (auto waited = patience.wait(fd); !waited) return tl::unexpected(waited.error());
    ssize_t got = ::recv(fd, part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return fail(std::string(ended));
    if (got < 0) return system_failure("the agent's reply");
    line.append(part.data(), static_cast<std::size_t>(got));
    if (line.back() == '\n') return line.substr(0, line.size() - 1);
    if (line.size() > renew::max_control_reply) return fail("the agent's reply has no end");
  }
}

Result<std::optional<nlohmann::json>> ask_once(const std::string& store,
                                               const renew::ControlRequest& request) {
  auto connected = store::connect_control_socket(store);
  if (!connected) return tl::unexpected(connected.error());
  if (*connected == store::nobody) return std::optional<nlohmann::json>();
  Descriptor fd(*connected);
  if (auto sent = send_all(fd.get(), renew::to_line(request)); !sent) {
    return tl::unexpected(sent.error());
  }
  auto line = read_line(fd.get());
  if (!line) return tl::unexpected(line.error());
  auto result = renew::parse_control_reply(*line);
  if (!result) return tl::unexpected(result.error());
  return std::optional(std::move(*result));
}

}  // namespace

// Others are busy for a moment only: the agent sends away who says nothing. One that has ended is
// asked again, or found not to be there, where asking twice changes nothing.
Result<std::optional<nlohmann::json>> ask_agent(const std::string& store,
                                                const renew::ControlRequest& request) {
  constexpr std::chrono::seconds at_most{10};
  constexpr std::chrono::milliseconds pause{200};
  auto begin = steady_clock::now();
  const bool only_asks = request.command == renew::ControlCommand::status ||
                         request.command == renew::ControlCommand::events;
  for (;;) {
    auto result = ask_once(store, request);
    bool again = !result && (result.error().text == renew::too_many_clients ||
                             (only_asks && result.error().text == ended));
    if (!again || steady_clock::now() - begin > at_most) return result;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace tlsguard::ctl
