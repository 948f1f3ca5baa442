// SPDX-License-Identifier: Apache-2.0
#include "renew/worker_pool.h"

#include <iterator>
#include <system_error>
#include <utility>

namespace tlsguard::renew {

WorkerPool::~WorkerPool() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  queue_.clear();
  work_or_end_.notify_all();
  changed_.notify_all();  // whoever sleeps
  changed_.wait(lock, [&] { return threads_ == 0; });
  for (std::thread& thread : ended_) thread.join();
}

void WorkerPool::submit(Task task) {
  std::lock_guard lock(mutex_);
  if (ending_) return;
  queue_.push_back(std::move(task));
  work_or_end_.notify_one();
  start_threads();
}

void WorkerPool::start_threads() {
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
  while (queue_.size() > idle_ && threads_ - idle_ - asleep_ < limits_.busy &&
         threads_ < limits_.threads) {
    running_.emplace_back();
    auto self = std::prev(running_.end());
    try {
      *self = std::thread([this, self] { work(self); });
    } catch (const std::system_error&) {
      running_.erase(self);
      return;  // as many as the system allows; those there are go on
    }
    ++threads_;
    ++idle_;
  }
}

void WorkerPool::work(Threads::iterator self) {
  HttpClients clients(*factories_);
  std::unique_lock lock(mutex_);
  // Counted as idle by whoever started it.
  while (!ending_) {
    bool woken = work_or_end_.wait_for(lock, limits_.idle, [&] {
      return ending_ || (!queue_.empty() && threads_ - idle_ - asleep_ < limits_.busy);
    });
    if (!woken || ending_) break;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    --idle_;
    lock.unlock();
    task(clients);
    task = nullptr;
    lock.lock();
    ++idle_;
    changed_.notify_all();
    if (!queue_.empty()) work_or_end_.notify_one();
  }
  --idle_;
  --threads_;
  ended_.splice(ended_.end(), running_, self);
  changed_.notify_all();
}

void WorkerPool::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  const bool others_work = time >= limits_.brief;
  if (others_work) {
    ++asleep_;
    work_or_end_.notify_one();
    start_threads();
  }
  changed_.wait_for(lock, time, [&] { return ending_; });
  if (others_work) --asleep_;
}

void WorkerPool::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty() && idle_ == threads_; });
}

std::size_t WorkerPool::threads() const {
  std::lock_guard lock(mutex_);
  return threads_;
}

}  // namespace tlsguard::renew
