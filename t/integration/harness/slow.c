/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: each read() takes SLOW milliseconds, as from a disk that is busy. */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t read(int fd, void* into, size_t size) {
  const char* milliseconds = getenv("SLOW");
  if (milliseconds != NULL) usleep(1000 * (useconds_t)atoi(milliseconds));
  return syscall(SYS_read, fd, into, size);
}
