// SPDX-License-Identifier: Apache-2.0
#include "ctl/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "ctl/output.h"

namespace tlsguard::ctl {
namespace {

constexpr const char* wipe = "\r\033[K";
constexpr std::chrono::milliseconds first_after{1000};
constexpr std::chrono::milliseconds between{100};

}  // namespace

Progress::Progress(std::string_view subject) : subject_(printable(subject)) {
  if (::isatty(STDERR_FILENO) == 1) painter_ = std::thread([this] { paint(); });
}

Progress::~Progress() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  change_.notify_one();
  if (painter_.joinable()) painter_.join();
}

void Progress::tell(std::string_view what, int connections) {
  if (!what.empty()) what_ = what;
  if (painter_.joinable()) show(fmt::format("{} ({} connections)", what_, connections));
}

void Progress::tell(std::size_t done, std::size_t all, std::string_view what) {
  if (painter_.joinable()) show(fmt::format("{} of {} {}", done, all, what));
}

void Progress::show(std::string text) {
  std::lock_guard lock(mutex_);
  text_ = std::move(text);
}

void Progress::paint() {
  std::unique_lock lock(mutex_);
  auto ended = [this] { return ended_; };
  if (change_.wait_for(lock, first_after, ended)) return;
  std::string painted;
  do {
    auto line = fmt::format("{}{}: {}", wipe, subject_, text_);
    if (line != painted) (void)std::fputs(line.c_str(), stderr);
    painted = std::move(line);
  } while (!change_.wait_for(lock, between, ended));
  (void)std::fputs(wipe, stderr);
}

}  // namespace tlsguard::ctl
