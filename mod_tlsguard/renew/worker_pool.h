// SPDX-License-Identifier: Apache-2.0
// Threads that exist only while there is work. Those that sleep for somebody else's sake do not
// count, unless it is brief: others work meanwhile. Thread-safe.
#ifndef TLSGUARD_RENEW_WORKER_POOL_H
#define TLSGUARD_RENEW_WORKER_POOL_H

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "renew/http_clients.h"

namespace tlsguard::renew {

class WorkerPool {
 public:
  struct Limits {
    std::size_t busy = 32;                 // at work at once
    std::size_t threads = 256;             // those asleep included
    std::chrono::milliseconds idle{3000};  // a thread without work ends, and its connections
    // A shorter sleep counts as work: another thread would open a connection of its own for it.
    std::chrono::milliseconds brief{250};
  };
  using Task = std::function<void(HttpClients&)>;

  // factories must outlive this.
  WorkerPool(Limits limits, const HttpFactories& factories)
      : limits_(limits), factories_(&factories) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  // Waits for all tasks that were begun, and until no thread is left; other tasks are dropped.
  ~WorkerPool();

  // A task must not throw.
  void submit(Task task);
  // By a task: it is about to sleep.
  void sleep(std::chrono::milliseconds time);
  // Until nothing is queued or under way.
  void wait_idle();
  [[nodiscard]] std::size_t threads() const;

 private:
  using Threads = std::list<std::thread>;
  void start_threads();  // under the mutex
  void work(Threads::iterator self);

  Limits limits_;
  const HttpFactories* factories_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_end_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  Threads running_;
  Threads ended_;  // to be joined: they need the mutex no more
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t asleep_ = 0;
  bool ending_ = false;
};

}  // namespace tlsguard::renew

#endif
