// SPDX-License-Identifier: Apache-2.0
#include "ctl/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "ctl/output.h"

namespace tlsguard::ctl {
namespace {

using std::chrono::steady_clock;

constexpr const char* wipe = "\r\033[K";

}  // namespace

Progress::Progress(std::string subject)
    : subject_(printable(subject)),
      next_(steady_clock::now() + std::chrono::seconds(1)),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) (void)std::fputs(wipe, stderr);
}

void Progress::tell(std::string_view what, int connections) {
  if (!what.empty()) what_ = what;
  auto now = steady_clock::now();
  if (!terminal_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  shown_ = true;
  auto line = fmt::format("{}{}: {} ({} connections)", wipe, subject_, what_, connections);
  (void)std::fputs(line.c_str(), stderr);
}

}  // namespace tlsguard::ctl
