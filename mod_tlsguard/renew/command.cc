// SPDX-License-Identifier: Apache-2.0
#include "renew/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/descriptor.h"

namespace tlsguard::renew {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kept_output = 4096;
constexpr milliseconds grace{1000};  // from SIGTERM to SIGKILL

// posix_spawn's two objects, set up as the header says. Its calls fail for want of memory only.
class Birth {
 public:
  Birth() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;
  ~Birth() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // 0, or errno. output: the end of a pipe that its output goes to.
  int prepare(int output) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    constexpr short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    for (int failed :
         {posix_spawnattr_setflags(&attributes_, flags), posix_spawnattr_setpgroup(&attributes_, 0),
          posix_spawnattr_setsigmask(&attributes_, &none),
          posix_spawnattr_setsigdefault(&attributes_, &all),
          posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0),
          posix_spawn_file_actions_adddup2(&actions_, output, 1),
          posix_spawn_file_actions_adddup2(&actions_, output, 2),
          posix_spawn_file_actions_addclosefrom_np(&actions_, 3),
          posix_spawn_file_actions_addchdir_np(&actions_, "/")}) {
      if (failed != 0) return failed;
    }
    return 0;
  }

  int spawn(pid_t& pid, const std::vector<std::string>& argv) {
    std::vector<std::string> words = argv;
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    std::string locale = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
    return posix_spawn(&pid, words.front().c_str(), &actions_, &attributes_, arguments.data(),
                       environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// The child's output: read all of it, so that it never blocks, and keep the end.
class Output {
 public:
  explicit Output(Descriptor pipe) : pipe_(std::move(pipe)) {}

  // Waits at most this long for something to read, then takes what is there.
  void collect(milliseconds at_most) {
    pollfd waiting{pipe_.get(), POLLIN, 0};  // a closed pipe's -1 is only waited for
    if (::poll(&waiting, 1, static_cast<int>(at_most.count())) <= 0) return;
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    // Bounded, so that a child that never stops writing does not keep us from looking at the time.
    for (int reads = 0; reads < 64; ++reads) {
      ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (size > 0) {
        keep({buffer.data(), static_cast<std::size_t>(size)});
      } else {
        if (size == 0) pipe_ = Descriptor();
        return;
      }
    }
  }
  [[nodiscard]] std::string take() { return std::move(kept_); }

 private:
  void keep(std::string_view text) {
    kept_ += text;
    if (kept_.size() > kept_output) kept_.erase(0, kept_.size() - kept_output);
  }

  Descriptor pipe_;
  std::string kept_;
};

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}

  // Has it ended? It stays a zombie, so that its process group is nobody else's.
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    int result = 0;
    do {
      result = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    } while (result != 0 && errno == EINTR);
    return result != 0 || info.si_pid == pid_;
  }
  // The group too, whether its leader has ended or not.
  void signal_group(int signal) const { ::kill(-pid_, signal); }

  [[nodiscard]] Result<CommandEnd> reap() const {
    int status = 0;
    pid_t got = 0;
    do {
      got = waitpid(pid_, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return system_failure("how it ended cannot be known", errno);
    CommandEnd end;
    bool signalled = WIFSIGNALED(status);
    end.how = signalled ? CommandEnd::How::killed : CommandEnd::How::exited;
    end.status = signalled ? WTERMSIG(status) : WEXITSTATUS(status);
    return end;
  }

 private:
  pid_t pid_;
};

// true: it had to be ended.
bool wait_for(const Child& child, Output& output, const net::Patience& patience) {
  constexpr milliseconds slice{20};
  while (!child.ended()) {
    if (patience.over()) {
      child.signal_group(SIGTERM);
      net::Patience mercy(grace);
      while (!child.ended() && !mercy.over()) output.collect(slice);
      child.signal_group(SIGKILL);
      return true;
    }
    output.collect(std::min(slice, patience.slice()));
  }
  output.collect(milliseconds(0));
  return false;
}

}  // namespace

std::string CommandEnd::text() const {
  switch (how) {
    case How::exited:
      return status == 0 ? std::string() : fmt::format("ended with status {}", status);
    case How::killed:
      return fmt::format("was killed by signal {}", status);
    case How::too_late:
      return "took too long and was ended";
  }
  return {};
}

Result<CommandEnd> run_command(const std::vector<std::string>& argv,
                               const net::Patience& patience) {
  if (argv.empty()) return fail_for_good("there is no command");
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return system_failure("no pipe", errno);
  Output output{Descriptor(ends[0])};
  Descriptor inlet(ends[1]);
  // Both ends are non-blocking only if we leave it so, and a program does not expect it of stdout.
  if (fcntl(inlet.get(), F_SETFL, O_WRONLY) != 0) return system_failure("no pipe", errno);
  Birth birth;
  pid_t pid = -1;
  int failed = birth.prepare(inlet.get());
  if (failed == 0) failed = birth.spawn(pid, argv);
  if (failed != 0) return system_failure("it cannot be started", failed);
  inlet = Descriptor();
  Child child(pid);
  bool ended_by_us = wait_for(child, output, patience);
  auto end = child.reap();
  if (!end) return end;
  if (ended_by_us) end->how = CommandEnd::How::too_late;
  end->output = output.take();
  return end;
}

}  // namespace tlsguard::renew
