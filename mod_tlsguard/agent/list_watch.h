// SPDX-License-Identifier: Apache-2.0
// Tells when files of TLSGuardDomainList may have changed: inotify on their directories, since
// editors replace files. Where that does not help (network file systems), the manager looks now and
// then by itself. One thread.
#ifndef TLSGUARD_AGENT_LIST_WATCH_H
#define TLSGUARD_AGENT_LIST_WATCH_H

#include <functional>
#include <string>
#include <vector>

#include "core/error.h"

namespace tlsguard::agent {

class ListWatch {
 public:
  [[nodiscard]] static Result<ListWatch> open(const std::vector<std::string>& files);
  ListWatch(ListWatch&& other) noexcept;
  ListWatch& operator=(ListWatch&&) = delete;
  ListWatch(const ListWatch&) = delete;
  ListWatch& operator=(const ListWatch&) = delete;
  ~ListWatch();

  // Until something has happened in one of the directories, and then until nothing has for a
  // moment. false: it is of no use any more.
  [[nodiscard]] bool wait();

 private:
  explicit ListWatch(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace tlsguard::agent

#endif
