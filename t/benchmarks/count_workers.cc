// SPDX-License-Identifier: Apache-2.0
// Preloaded into an httpd under callgrind: instructions are counted in its workers, from their fork
// on, and not in the parent, which would take minutes to read 1,000 virtual hosts.
#include <pthread.h>
#include <valgrind/callgrind.h>

namespace {

void count() { CALLGRIND_START_INSTRUMENTATION; }

__attribute__((constructor)) void arrange() { pthread_atfork(nullptr, nullptr, count); }

}  // namespace
