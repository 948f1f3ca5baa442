// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include "failing_calls.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <mutex>

namespace tlsguard::test {
namespace {

struct Watch {
  bool on = false;
  Fault fault = Fault::none;
  std::size_t nth = 0;
  int error = 0;
  bool lasting = false;
  std::size_t seen = 0;
  std::string names;
};

Watch& watch() {
  static Watch the_watch;
  return the_watch;
}

// The code under test has threads.
std::mutex& lock_of_watch() {
  static std::mutex the_lock;
  return the_lock;
}

// True: the call goes on. False: it has failed, and errno is set.
bool pass(const char* name) {
  std::lock_guard lock(lock_of_watch());
  Watch& w = watch();
  if (!w.on) return true;
  ++w.seen;
  w.names += std::string(name) + " ";
  bool now = w.seen == w.nth || (w.lasting && w.seen > w.nth);
  if (w.fault == Fault::none || !now) return true;
  if (w.fault != Fault::fail) ::_exit(died);
  errno = w.error;
  return false;
}

bool is_half_write() {
  std::lock_guard lock(lock_of_watch());
  Watch& w = watch();
  return w.on && w.fault == Fault::die_half && w.seen + 1 == w.nth;
}

}  // namespace

void watch_calls(Fault fault, std::size_t nth, int error, bool lasting) {
  std::lock_guard lock(lock_of_watch());
  watch() = {true, fault, nth, error, lasting, 0, {}};
}

std::string stop_watching() {
  std::lock_guard lock(lock_of_watch());
  watch().on = false;
  return watch().names;
}

std::size_t calls_seen() {
  std::lock_guard lock(lock_of_watch());
  return watch().seen;
}

bool dies_in_call(std::size_t nth, Fault fault, const std::function<void()>& work) {
  pid_t child = ::fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    watch_calls(fault, nth);
    work();
    stop_watching();
    ::_exit(0);
  }
  int status = 0;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == died),
                "the child ended with status %d", status);
  return WEXITSTATUS(status) == died;
}

}  // namespace tlsguard::test

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {

using tlsguard::test::is_half_write;
using tlsguard::test::pass;

int __real_openat(int directory, const char* path, int flags, mode_t mode);
int __wrap_openat(int directory, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) == 0) return __real_openat(directory, path, flags, mode);
  va_list rest;
  va_start(rest, flags);
  mode = va_arg(rest, mode_t);
  va_end(rest);
  return pass("open") ? __real_openat(directory, path, flags, mode) : -1;
}

ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __wrap_write(int fd, const void* data, size_t size) {
  if (is_half_write()) static_cast<void>(__real_write(fd, data, size / 2) >= 0);
  return pass("write") ? __real_write(fd, data, size) : -1;
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode) { return pass("chmod") ? __real_fchmod(fd, mode) : -1; }

int __real_fsync(int fd);
int __wrap_fsync(int fd) { return pass("sync") ? __real_fsync(fd) : -1; }

int __real_mkdirat(int directory, const char* path, mode_t mode);
int __wrap_mkdirat(int directory, const char* path, mode_t mode) {
  return pass("mkdir") ? __real_mkdirat(directory, path, mode) : -1;
}

int __real_renameat(int from, const char* old_path, int to, const char* new_path);
int __wrap_renameat(int from, const char* old_path, int to, const char* new_path) {
  return pass("rename") ? __real_renameat(from, old_path, to, new_path) : -1;
}

int __real_linkat(int from, const char* old_path, int to, const char* new_path, int flags);
int __wrap_linkat(int from, const char* old_path, int to, const char* new_path, int flags) {
  return pass("link") ? __real_linkat(from, old_path, to, new_path, flags) : -1;
}

int __real_unlinkat(int directory, const char* path, int flags);
int __wrap_unlinkat(int directory, const char* path, int flags) {
  return pass("unlink") ? __real_unlinkat(directory, path, flags) : -1;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
