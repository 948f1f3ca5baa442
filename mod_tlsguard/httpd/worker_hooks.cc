// SPDX-License-Identifier: Apache-2.0
#include "httpd/worker_hooks.h"

#include <unistd.h>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

// null: nothing is managed.
const LiveDomains* live_of(const server_rec* s) {
  const ServerConf* conf = s != nullptr ? conf_of(s) : nullptr;
  return conf != nullptr && conf->site != nullptr ? conf->site->runtime->live.get() : nullptr;
}

}  // namespace

void on_child_init(apr_pool_t*, server_rec* s) noexcept {
  guard("on_child_init", [&] {
    if (const LiveDomains* live = live_of(s)) live->begin_worker(getpid());
  });
}

// Also of one that was killed.
void on_child_status(server_rec* s, pid_t pid, ap_generation_t, int,
                     mpm_child_status status) noexcept {
  guard("on_child_status", [&] {
    if (status != MPM_CHILD_EXITED) return;
    if (const LiveDomains* live = live_of(s)) live->end_worker(pid);
  });
}

}  // namespace tlsguard::httpd
