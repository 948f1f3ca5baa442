// SPDX-License-Identifier: Apache-2.0
// tlsguardctl account: accounts at CAs; and ca root: the internal CA's root.
#ifndef TLSGUARD_CTL_CTL_ACCOUNT_H
#define TLSGUARD_CTL_CTL_ACCOUNT_H

#include <string>

namespace tlsguard::ctl {

// Each: the exit status.
[[nodiscard]] int account_show(const std::string& store, bool json);
// RFC 8555 7.3.5. ca: its name or directory URL; empty: at all CAs.
[[nodiscard]] int account_rollover(const std::string& store, const std::string& ca, bool json);
// As PEM.
[[nodiscard]] int ca_root(const std::string& store, bool json);

}  // namespace tlsguard::ctl

#endif
