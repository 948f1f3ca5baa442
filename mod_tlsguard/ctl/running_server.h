// SPDX-License-Identifier: Apache-2.0
// The httpd that uses a store, by what its parent writes there. One thread; blocking.
#ifndef TLSGUARD_CTL_RUNNING_SERVER_H
#define TLSGUARD_CTL_RUNNING_SERVER_H

#include <string>

#include "core/error.h"
#include "live/runtime_file.h"

namespace tlsguard::ctl {

// As it started or was reloaded last. An error where none has started with this store, too.
[[nodiscard]] Result<live::RuntimeFile> read_server(const std::string& store);
// Whether that httpd is still there: the process of its number has mod_tlsguard loaded.
[[nodiscard]] bool is_running(const live::RuntimeFile& server);

}  // namespace tlsguard::ctl

#endif
