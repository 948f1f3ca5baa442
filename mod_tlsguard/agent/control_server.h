// SPDX-License-Identifier: Apache-2.0
// The control socket, served: root, or the user that started the agent, one line of request and one
// of reply a time. A few clients at once, each with time limits; nonsense gets one line that says
// so, and the connection is closed.
#ifndef TLSGUARD_AGENT_CONTROL_SERVER_H
#define TLSGUARD_AGENT_CONTROL_SERVER_H

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/log_sink.h"

namespace tlsguard::agent {

class ControlServer {
 public:
  struct Limits {
    int clients = 4;
    std::chrono::milliseconds line{10000};  // for a whole request, and for taking a reply
    std::chrono::milliseconds first{2000};  // until the first: who connects knows what to ask
    std::chrono::milliseconds idle{60000};  // between requests
  };
  using Answer = std::function<std::string(std::string_view)>;

  // fd: a listening unix socket, which stays the caller's. starter: who may use it beside root.
  // answer: in any thread; a line with its end. All of them outlive this object, and it outlives
  // every connection: it ends with the process.
  ControlServer(int fd, uid_t starter, Answer answer, LogSink& log)
      : ControlServer(fd, starter, std::move(answer), log, Limits()) {}
  ControlServer(int fd, uid_t starter, Answer answer, LogSink& log, Limits limits)
      : fd_(fd), starter_(starter), answer_(std::move(answer)), log_(log), limits_(limits) {}
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Until the socket is shut down.
  void serve();
  // One connection, which is closed in the end.
  void talk(int client);
  [[nodiscard]] int clients() const { return clients_; }

 private:
  [[nodiscard]] bool is_allowed(int client) const;

  int fd_;
  uid_t starter_;
  Answer answer_;
  LogSink& log_;
  Limits limits_;
  std::atomic<int> clients_ = 0;
};

}  // namespace tlsguard::agent

#endif
