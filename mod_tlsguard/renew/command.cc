// SPDX-License-Identifier: Apache-2.0
#include "renew/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
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

  // 0, or errno. output: where its output goes.
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

// The child's output, in memory: unlike a pipe, that goes on taking it when we are no longer there,
// so a command outlives an agent that is ended. Of what it writes the end is kept.
class Output {
 public:
  explicit Output(Descriptor memory) : memory_(std::move(memory)) {}

  // So that one that never stops writing does not fill the memory.
  void keep_short() {
    constexpr off_t longest = 1024L * 1024;
    if (size() <= longest) return;
    kept_ = end();
    // It appends, so it goes on at the beginning.
    if (::ftruncate(memory_.get(), 0) != 0) kept_.clear();
  }
  [[nodiscard]] std::string take() {
    std::string all = std::move(kept_) + end();
    if (all.size() > kept_output) all.erase(0, all.size() - kept_output);
    return all;
  }

 private:
  [[nodiscard]] off_t size() const {
    struct stat facts {};
    return ::fstat(memory_.get(), &facts) == 0 ? facts.st_size : 0;
  }
  [[nodiscard]] std::string end() const {
    off_t begin = std::max<off_t>(0, size() - static_cast<off_t>(kept_output));
    std::string text(kept_output, '\0');
    ssize_t got = ::pread(memory_.get(), text.data(), text.size(), begin);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  Descriptor memory_;
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
      while (!child.ended() && !mercy.over()) std::this_thread::sleep_for(slice);
      child.signal_group(SIGKILL);
      return true;
    }
    output.keep_short();
    std::this_thread::sleep_for(std::min(slice, patience.slice()));
  }
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
  // close-on-exec, and each write at the end, as in a log that somebody truncates.
  Descriptor memory(::memfd_create("command", MFD_CLOEXEC));
  if (memory.get() < 0 || ::fcntl(memory.get(), F_SETFL, O_APPEND) != 0) {
    return system_failure("no memory for its output", errno);
  }
  Birth birth;
  pid_t pid = -1;
  int failed = birth.prepare(memory.get());
  if (failed == 0) failed = birth.spawn(pid, argv);
  if (failed != 0) return system_failure("it cannot be started", failed);
  Output output(std::move(memory));
  Child child(pid);
  bool ended_by_us = wait_for(child, output, patience);
  auto end = child.reap();
  if (!end) return end;
  if (ended_by_us) end->how = CommandEnd::How::too_late;
  end->output = output.take();
  return end;
}

}  // namespace tlsguard::renew
