// SPDX-License-Identifier: Apache-2.0
// A program of the administrator's, run to its end: no shell, a clean environment (PATH, LC_ALL=C),
// "/" as its directory, nothing on its input, no descriptor of ours, signals as at birth, a process
// group of its own. Blocking; any number of threads at once. Nobody else in this process may reap
// children it did not start, nor ignore SIGCHLD.
#ifndef TLSGUARD_RENEW_COMMAND_H
#define TLSGUARD_RENEW_COMMAND_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "net/patience.h"

namespace tlsguard::renew {

struct CommandEnd {
  enum class How : std::uint8_t {
    exited,   // by itself
    killed,   // by a signal that was not ours
    too_late  // the time was up, or we are to stop: its whole process group was ended by us
  };
  How how = How::exited;
  int status = 0;      // its exit status, or the signal
  std::string output;  // the last 4 KiB of what it wrote, to stdout and stderr: any bytes
  [[nodiscard]] bool succeeded() const { return how == How::exited && status == 0; }
  // "ended with status 3", for a message; empty for success.
  [[nodiscard]] std::string text() const;
};

// argv: an absolute path first. An error where it cannot be started. When it ends by itself, what
// it left running in the background is let be, and not waited for.
[[nodiscard]] Result<CommandEnd> run_command(const std::vector<std::string>& argv,
                                             const net::Patience& patience);

}  // namespace tlsguard::renew

#endif
