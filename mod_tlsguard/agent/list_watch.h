// SPDX-License-Identifier: Apache-2.0
// Tells when files of TLSGuardDomainList may have changed: inotify on their directories, since
// editors replace files. Where that does not help (network file systems), the manager looks now and
// then by itself. One thread.
#ifndef TLSGUARD_AGENT_LIST_WATCH_H
#define TLSGUARD_AGENT_LIST_WATCH_H

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/descriptor.h"
#include "core/error.h"

namespace tlsguard::agent {

class ListWatch {
 public:
  [[nodiscard]] static Result<ListWatch> open(const std::vector<std::string>& files);
  // Until something has happened in one of the directories, and then until nothing has for a
  // moment. false: it is of no use any more.
  [[nodiscard]] bool wait();

 private:
  explicit ListWatch(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace tlsguard::agent

#endif
