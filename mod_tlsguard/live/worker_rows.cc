// SPDX-License-Identifier: Apache-2.0
// The domains' board: the rows of worker processes, which say what each of them serves.
#include <csignal>

#include <cerrno>

#include "live/domain_board.h"

namespace tlsguard::live {
namespace {

// A cell: a generation, which counts activations of one domain, and in the top bit that what came
// after it could not be loaded.
constexpr std::uint32_t failed_mark = 1U << 31;

// One that may not be signalled is alive, too.
bool is_gone(std::uint32_t pid) {
  return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

void WorkerRow::serves(std::uint32_t position, std::uint64_t generation) const {
  if (cells_ == nullptr) return;
  std::uint32_t cell = static_cast<std::uint32_t>(generation) & ~failed_mark;
  cells_[position % DomainBoard::max_domains].store(cell, std::memory_order_relaxed);
}

void WorkerRow::could_not_load(std::uint32_t position) const {
  if (cells_ == nullptr) return;
  cells_[position % DomainBoard::max_domains].fetch_or(failed_mark, std::memory_order_relaxed);
}

WorkerRow DomainBoard::claim_row(std::uint32_t pid) const {
  if (base_ == nullptr || pid == 0 || (pid & WorkerSlot::busy) != 0) return {};
  for (std::uint32_t row = 0; row < max_workers; ++row) {
    WorkerSlot& slot = *worker(row);
    std::uint32_t owner = slot.pid.load(std::memory_order_relaxed);
    bool free = owner == 0 || owner == pid || is_gone(owner & ~WorkerSlot::busy);
    if (!free || !slot.pid.compare_exchange_strong(owner, pid | WorkerSlot::busy)) continue;
    std::atomic<std::uint32_t>* mine = cells(row);
    for (std::uint32_t i = 0; i < used(); ++i) {
      // What nobody has written costs no memory: it is left so.
      if (mine[i].load(std::memory_order_relaxed) != 0) mine[i].store(0, std::memory_order_relaxed);
    }
    slot.epoch.store(epoch(), std::memory_order_relaxed);
    slot.pid.store(pid, std::memory_order_release);
    return WorkerRow(mine);
  }
  return {};
}

void DomainBoard::free_row(std::uint32_t pid) const {
  if (base_ == nullptr || pid == 0) return;
  for (std::uint32_t row = 0; row < max_workers; ++row) {
    std::uint32_t owner = pid;
    worker(row)->pid.compare_exchange_strong(owner, 0);
  }
}

std::vector<DomainBoard::Worker> DomainBoard::workers() const {
  std::vector<Worker> all;
  if (base_ == nullptr) return all;
  for (std::uint32_t row = 0; row < max_workers; ++row) {
    const WorkerSlot& slot = *worker(row);
    std::uint32_t pid = slot.pid.load(std::memory_order_acquire);
    if (pid == 0 || (pid & WorkerSlot::busy) != 0) continue;
    all.push_back({row, pid, slot.epoch.load(std::memory_order_relaxed)});
  }
  return all;
}

WorkerCell DomainBoard::cell(std::uint32_t row, std::uint32_t position) const {
  if (base_ == nullptr) return {};
  std::uint32_t cell = cells(row)[position % max_domains].load(std::memory_order_relaxed);
  return {cell & ~failed_mark, (cell & failed_mark) != 0};
}

std::uint32_t DomainBoard::failed_in(const std::vector<Worker>& workers,
                                     std::uint32_t position) const {
  std::uint32_t failed = 0;
  for (const Worker& worker : workers) failed += cell(worker.row, position).failed ? 1 : 0;
  return failed;
}

}  // namespace tlsguard::live
