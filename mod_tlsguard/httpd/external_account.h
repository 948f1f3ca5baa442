// SPDX-License-Identifier: Apache-2.0
// The arguments of TLSGuardExternalAccount (RFC 8555 7.3.4). Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_EXTERNAL_ACCOUNT_H
#define TLSGUARD_HTTPD_EXTERNAL_ACCOUNT_H

#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "renew/spec.h"

namespace tlsguard::httpd {

// `[ca] kid hmac` or `[ca] file`. resolve: a path of the configuration as one of the file system.
// The file is JSON as mod_md has it: {"kid": …, "hmac": …}. Texts name neither kid nor hmac.
[[nodiscard]] Result<renew::ExternalAccountSpec> parse_external_account(
    const std::vector<std::string>& words,
    const std::function<std::string(const std::string&)>& resolve);

}  // namespace tlsguard::httpd

#endif
