// SPDX-License-Identifier: Apache-2.0
// The file of a TLSGuardDomainList, read. Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_LIST_FILE_H
#define TLSGUARD_HTTPD_LIST_FILE_H

#include <string>

#include "core/error.h"
#include "renew/spec_names.h"

namespace tlsguard::httpd {

// An error where it cannot be read, or is larger than renew::max_list_bytes.
[[nodiscard]] Result<renew::DomainList> read_list(const std::string& path);

}  // namespace tlsguard::httpd

#endif
