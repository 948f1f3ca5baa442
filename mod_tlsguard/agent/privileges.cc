// SPDX-License-Identifier: Apache-2.0
#include "agent/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <thread>

#include "core/descriptor.h"

namespace tlsguard::agent {
namespace {

Result<void> hide() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return system_failure("PR_SET_DUMPABLE");
  return {};
}

}  // namespace

Result<void> harden() {
  if (auto hidden = hide(); !hidden) return hidden;
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) return system_failure("signal mask");
  ::umask(027);
  return {};
}

void give_way() {
  constexpr int steps = 5;
  // Where it is not allowed it works as the others do.
  (void)::setpriority(PRIO_PROCESS, 0, steps);
}

Result<void> close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (int fd : kept) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return system_failure(fmt::format("descriptor {}", fd));
    }
    auto number = static_cast<unsigned>(fd);
    if (number > first && ::close_range(first, number - 1, 0) != 0) {
      return system_failure("close_range");
    }
    first = number + 1;
  }
  if (::close_range(first, std::numeric_limits<unsigned>::max(), 0) != 0) {
    return system_failure("close_range");
  }
  return {};
}

Result<void> become(uid_t user, gid_t group) {
  if (user == 0) {
    return fail_for_good("the agent does not run as root: name a user in TLSGuardAgentUser");
  }
  if (::geteuid() == 0) {
    if (::setgroups(1, &group) != 0) return system_failure("setgroups");
    if (::setgid(group) != 0) return system_failure(fmt::format("setgid {}", group));
    if (::setuid(user) != 0) return system_failure(fmt::format("setuid {}", user));
  }
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (::getresuid(&real, &effective, &saved) != 0) return system_failure("getresuid");
  if (real != user || effective != user || saved != user) {
    return fail_for_good(fmt::format("the agent should run as user {}, and cannot", user));
  }
  if (::setuid(0) == 0 || ::seteuid(0) == 0) {
    return fail_for_good("root can be had again after giving it away");
  }
  return hide();  // a change of user turns it on again
}

Result<void> die_with(std::optional<pid_t> parent) {
  if (!parent) return {};
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) return system_failure("PR_SET_PDEATHSIG");
  // The kernel asks whether the parent's user may signal us, which httpd's, that it is with -X, may
  // not. A process can always see another one's end.
  int process = static_cast<int>(::syscall(SYS_pidfd_open, *parent, 0));
  if (::getppid() != *parent) return fail_for_good("httpd's parent is gone");
  if (process >= 0) {
    std::thread([process] {
      pollfd end{process, POLLIN, 0};
      while (::poll(&end, 1, -1) < 0 && errno == EINTR) continue;
      ::raise(SIGTERM);
    }).detach();
  }
  return {};
}

}  // namespace tlsguard::agent
