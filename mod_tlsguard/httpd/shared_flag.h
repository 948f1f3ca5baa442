// SPDX-License-Identifier: Apache-2.0
// A flag that all workers of a configuration share, for what is to be said once.
#ifndef TLSGUARD_HTTPD_SHARED_FLAG_H
#define TLSGUARD_HTTPD_SHARED_FLAG_H

#include <sys/mman.h>

#include <atomic>
#include <new>

namespace tlsguard::httpd {

// Made by the parent before it forks. Any thread, any process; a worker can at most silence it.
class SharedFlag {
 public:
  SharedFlag() {
    void* page = mmap(nullptr, sizeof(std::atomic_flag), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) flag_ = new (page) std::atomic_flag();
  }
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;
  ~SharedFlag() {
    if (flag_ != nullptr) munmap(flag_, sizeof(std::atomic_flag));
  }
  // True for the first caller only.
  bool raise() { return flag_ != nullptr && !flag_->test_and_set(std::memory_order_relaxed); }

 private:
  std::atomic_flag* flag_ = nullptr;
};

}  // namespace tlsguard::httpd

#endif
