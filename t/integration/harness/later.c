/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: the program's clocks are ahead by as many seconds as stand in the file LATER,
 * eight bytes that a test changes while the program runs. Whoever waits for a condition until a
 * moment that a jump has passed is woken within a tenth of a second. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* later;
static int (*real_gettime)(clockid_t, struct timespec*);
static int (*real_wait)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);

/* Mapped before the program gives up its rights and closes what it does not know. */
__attribute__((constructor)) static void begin(void) {
  *(void**)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  *(void**)&real_wait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  const char* path = getenv("LATER");
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void* map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) later = map;
  close(fd);
}

static int64_t ahead(void) { return later == NULL ? 0 : *later; }

int clock_gettime(clockid_t clock, struct timespec* at) {
  if (real_gettime == NULL) begin();
  int failed = real_gettime(clock, at);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC)) at->tv_sec += ahead();
  return failed;
}

time_t time(time_t* out) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  if (out != NULL) *out = at.tv_sec;
  return at.tv_sec;
}

int gettimeofday(struct timeval* restrict at, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

static int is_before(const struct timespec* a, const struct timespec* b) {
  return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

int pthread_cond_clockwait(pthread_cond_t* cond, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* until) {
  struct timespec now, soon;
  clock_gettime(clock, &now);
  if (!is_before(&now, until)) return ETIMEDOUT;
  real_gettime(clock, &soon);
  soon.tv_nsec += 100000000;
  if (soon.tv_nsec >= 1000000000) {
    soon.tv_sec += 1;
    soon.tv_nsec -= 1000000000;
  }
  struct timespec end = *until;
  end.tv_sec -= ahead(); /* as the kernel counts */
  if (is_before(&soon, &end)) end = soon;
  int result = real_wait(cond, mutex, clock, &end);
  if (result != ETIMEDOUT) return result;
  clock_gettime(clock, &now);
  return is_before(&now, until) ? 0 : ETIMEDOUT; /* a spurious wakeup, which anybody expects */
}
