// SPDX-License-Identifier: Apache-2.0
#include "httpd/agent_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "core/descriptor.h"
#include "httpd/guard.h"
#include "store/prepare.h"

namespace tlsguard::httpd {

namespace {

// What the agent finds its descriptors at.
enum AgentFd : int { spec_fd = 3, seal_fd = 4, board_fd = 5, control_fd = 6, first_closed = 7 };

constexpr UnixSeconds settled_after = 60;
constexpr UnixSeconds first_delay = 10;
constexpr UnixSeconds longest_delay = 600;

UnixSeconds now() { return apr_time_sec(apr_time_now()); }

// A descriptor above those that the agent gets, so that no dup2 meets one that is still needed.
Result<int> above(int fd) {
  int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(first_closed));
  if (copy < 0) return system_failure("no descriptor for the agent");
  return copy;
}

// Content for one reader, in memory, never on a disk.
Result<int> memory_file(const char* name, std::string_view content) {
  Descriptor memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory.get() < 0) return system_failure("no memory for the agent");
  std::string_view rest = content;
  while (!rest.empty()) {
    ssize_t written = ::write(memory.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("no memory for the agent");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(memory.get(), 0, SEEK_SET);
  ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  return above(memory.get());
}

// The four descriptors, closed again when the agent has them.
class Inheritance {
 public:
  Inheritance() = default;
  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;
  ~Inheritance() {
    for (int fd : fds_) {
      if (fd >= 0) ::close(fd);
    }
  }

  [[nodiscard]] Result<void> prepare(const AgentSetup& setup) {
    auto key = setup.sealing_key;
    auto control = store::open_control_socket(setup.store_path);
    if (!control) return tl::unexpected(control.error());
    Descriptor socket(*control);
    const Result<int> all[] = {
        memory_file("tlsguard-spec", setup.spec),
        memory_file("tlsguard-seal", {reinterpret_cast<const char*>(key.data()), key.size()}),
        above(setup.board_fd), above(socket.get())};
    for (std::size_t i = 0; i < fds_.size(); ++i) {
      if (all[i]) fds_[i] = *all[i];
    }
    for (const Result<int>& each : all) {
      if (!each) return tl::unexpected(each.error());
    }
    return {};
  }
  // At spec_fd and following.
  [[nodiscard]] const std::array<int, 4>& fds() const { return fds_; }

 private:
  std::array<int, 4> fds_{-1, -1, -1, -1};
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }

  // Errors are of memory alone.
  [[nodiscard]] int fill(const std::array<int, 4>& fds) {
    int error = posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, 2, 1);
    for (std::size_t i = 0; error == 0 && i < fds.size(); ++i) {
      error = posix_spawn_file_actions_adddup2(&actions_, fds[i], spec_fd + static_cast<int>(i));
    }
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions_, first_closed);
    return error;
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// A process group of its own: prefork signals its whole one. No signal blocked or ignored.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

extern "C" void on_agent_change(int reason, void* data, int status) noexcept {
  guard("on_agent_change", [&] { static_cast<AgentProcess*>(data)->on_change(reason, status); });
}

bool stopping() {
  int state = 0;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

}  // namespace

AgentProcess::AgentProcess(server_rec* base, apr_pool_t* pconf, AgentSetup setup)
    : base_(base), pconf_(pconf), setup_(std::move(setup)), parent_(::getpid()) {}

AgentProcess::~AgentProcess() {
  guard("~AgentProcess", [&] { end(); });
}

Result<pid_t> AgentProcess::spawn() const {
  Inheritance inheritance;
  if (auto ready = inheritance.prepare(setup_); !ready) return tl::unexpected(ready.error());
  std::vector<std::string> words = {setup_.program,
                                    "--spec-fd",
                                    std::to_string(spec_fd),
                                    "--seal-fd",
                                    std::to_string(seal_fd),
                                    "--board-fd",
                                    std::to_string(board_fd),
                                    "--control-fd",
                                    std::to_string(control_fd),
                                    "--user",
                                    std::to_string(setup_.user),
                                    "--group",
                                    std::to_string(setup_.group),
                                    "--parent",
                                    std::to_string(parent_),
                                    "--log-level",
                                    setup_.log_level};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  SpawnActions actions;
  SpawnAttributes attributes;
  pid_t pid = 0;
  int error = actions.fill(inheritance.fds());
  if (error == 0) {
    error = ::posix_spawn(&pid, setup_.program.c_str(), actions.get(), attributes.get(),
                          arguments.data(), environ);
  }
  if (error != 0) return system_failure("cannot start " + setup_.program, error);
  return pid;
}

void AgentProcess::start() {
  again_at_ = 0;
  started_at_ = now();
  auto pid = spawn();
  if (!pid) {
    log_server(base_, APLOG_ERR, "TG0065",
               "store={}: {}; what is served is served on, nothing is renewed until it starts",
               setup_.store_path, pid.error().text);
    plan_restart(first_delay);
    return;
  }
  process_ = {};
  process_.pid = *pid;
  apr_proc_other_child_register(&process_, on_agent_change, this, nullptr, pconf_);
  log_server(base_, APLOG_INFO, "TG0066", "store={}: {} runs as process {}", setup_.store_path,
             setup_.program, *pid);
}

void AgentProcess::tick(UnixSeconds at) {
  bool clock_jumped = at < started_at_;
  if (again_at_ != 0 && (at >= again_at_ || clock_jumped)) start();
}

void AgentProcess::on_change(int reason, int status) {
  if (::getpid() != parent_ || process_.pid == 0) return;
  switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
      process_.pid = 0;  // before it is unregistered, which calls here again
      apr_proc_other_child_unregister(this);
      if (stopping()) return;
      // MPMs pass on one or the other, and not which.
      log_server(base_, APLOG_ERR, "TG0067",
                 "store={}: tlsguard-agent ended by itself, by exit status or signal {}",
                 setup_.store_path, status);
      plan_restart(0);
      tick(now());
      break;
    case APR_OC_REASON_UNREGISTER:
    case APR_OC_REASON_RESTART:
      end();
      break;
    default:
      break;
  }
}

// The first early death may be an accident; after that it waits, longer each time.
void AgentProcess::plan_restart(UnixSeconds least) {
  UnixSeconds at = now();
  if (at - started_at_ >= settled_after) early_deaths_ = 0;
  UnixSeconds delay = least;
  if (early_deaths_ > 0) {
    unsigned doublings = std::min(early_deaths_ - 1, 6U);
    delay = std::min(first_delay << doublings, longest_delay);
  }
  ++early_deaths_;
  again_at_ = at + delay;
}

// It is crash-only, so this takes a few milliseconds; no connection is served meanwhile.
void AgentProcess::end() {
  if (::getpid() != parent_ || process_.pid == 0) return;
  pid_t pid = process_.pid;
  process_.pid = 0;
  again_at_ = 0;
  // With -X this process has become httpd's user; then the agent ends once it sees us gone.
  if (::kill(pid, SIGTERM) != 0) return;
  constexpr auto patience = std::chrono::seconds(1);
  auto deadline = std::chrono::steady_clock::now() + patience;
  bool killed = false;
  while (::waitpid(pid, nullptr, WNOHANG) == 0) {
    if (!killed && std::chrono::steady_clock::now() > deadline) {
      ::kill(pid, SIGKILL);
      killed = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace tlsguard::httpd
