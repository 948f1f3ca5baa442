// SPDX-License-Identifier: Apache-2.0
// A time limit that a request to stop ends early. For threads that wait: each waits in slices, and
// asks in between. Thread-safe as far as `stopping` is; immutable.
#ifndef TLSGUARD_NET_PATIENCE_H
#define TLSGUARD_NET_PATIENCE_H

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace tlsguard::net {

class Patience {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // stopping: empty means never.
  explicit Patience(Milliseconds limit, std::function<bool()> stopping = {})
      : until_(Clock::now() + limit), stopping_(std::move(stopping)) {}

  [[nodiscard]] bool stopped() const { return stopping_ && stopping_(); }
  [[nodiscard]] bool over() const { return Clock::now() >= until_ || stopped(); }
  // How long to wait for something before asking over() again: rounded up, so that the last slice
  // is no busy loop.
  [[nodiscard]] Milliseconds slice() const {
    auto left = std::chrono::ceil<Milliseconds>(until_ - Clock::now());
    return std::clamp(left, Milliseconds(0), Milliseconds(100));
  }
  // This limit, or that one from now on, whichever is first.
  [[nodiscard]] Patience at_most(Milliseconds limit) const {
    Patience shorter = *this;
    shorter.until_ = std::min(until_, Clock::now() + limit);
    return shorter;
  }
  // false: it was over before that time had passed.
  [[nodiscard]] bool sleep(Milliseconds time) const {
    Patience nap = at_most(time);
    while (!nap.over()) std::this_thread::sleep_for(nap.slice());
    return !over();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point until_;
  std::function<bool()> stopping_;
};

}  // namespace tlsguard::net

#endif
