// SPDX-License-Identifier: Apache-2.0
// tlsguardctl check: probes a server, or each TLS virtual host of this one, and grades it.
#ifndef TLSGUARD_CTL_CTL_CHECK_H
#define TLSGUARD_CTL_CTL_CHECK_H

#include <cstdint>
#include <optional>
#include <string>

namespace tlsguard::ctl {

struct CheckOptions {
  std::optional<std::string> target;       // host:port; none: every TLS virtual host here
  std::optional<std::string> policy;       // none: baseline, or what is in force on the host
  std::optional<std::string> server_name;  // none: the host's
  int timeout = 60;                        // seconds, for one server
  std::optional<std::uint16_t> plain_port;
  std::string store;
  bool json = false;
};

// The exit status: 0 only if all fit.
[[nodiscard]] int check(const CheckOptions& options);

}  // namespace tlsguard::ctl

#endif
