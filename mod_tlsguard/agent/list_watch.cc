// SPDX-License-Identifier: Apache-2.0
#include "agent/list_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

namespace tlsguard::agent {
namespace {

constexpr int settled_after = 50;  // milliseconds without news
constexpr int most_rounds = 20;    // of a file that is written to without end

}  // namespace

Result<ListWatch> ListWatch::open(const std::vector<std::string>& files) {
  ListWatch watch(Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)));
  if (!watch.fd_.valid()) return system_failure("inotify");
  std::set<std::string> directories;
  for (const std::string& file : files) {
    directories.insert(std::filesystem::path(file).parent_path().string());
  }
  for (const std::string& directory : directories) {
    constexpr std::uint32_t mask =
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB;
    const char* path = directory.empty() ? "." : directory.c_str();
    if (::inotify_add_watch(watch.fd_.get(), path, mask) < 0) {
      return system_failure("inotify on '" + directory + "'");
    }
  }
  return watch;
}

bool ListWatch::wait() {
  std::array<char, 4096> events;  // NOLINT: read into; which they were does not matter
  int timeout = -1;
  for (int round = 0; round < most_rounds; ++round) {
    pollfd poll{fd_.get(), POLLIN, 0};
    int ready = ::poll(&poll, 1, timeout);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return false;
    if (ready == 0) return true;
    ssize_t got = ::read(fd_.get(), events.data(), events.size());
    if (got <= 0 && errno != EAGAIN && errno != EINTR) return false;
    timeout = settled_after;
  }
  return true;
}

}  // namespace tlsguard::agent
