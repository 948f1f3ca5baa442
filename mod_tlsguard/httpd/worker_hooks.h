// SPDX-License-Identifier: Apache-2.0
// When worker processes begin and end: the domains' board shows what each of them serves.
#ifndef TLSGUARD_HTTPD_WORKER_HOOKS_H
#define TLSGUARD_HTTPD_WORKER_HOOKS_H

#include "httpd/includes.h"

namespace tlsguard::httpd {

extern "C" {
void on_child_init(apr_pool_t* pool, server_rec* s) noexcept;
// In the parent.
void on_child_status(server_rec* s, pid_t pid, ap_generation_t generation, int slot,
                     mpm_child_status status) noexcept;
}

}  // namespace tlsguard::httpd

#endif
