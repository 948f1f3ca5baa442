// SPDX-License-Identifier: Apache-2.0
// One server as HSTS and redirects see it, TLS or not; and the names that are to be reached over
// TLS only. Immutable once post_config is over, but for the ramp's place on the board.
#ifndef TLSGUARD_HTTPD_SITE_H
#define TLSGUARD_HTTPD_SITE_H

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/name_table.h"
#include "live/board.h"
#include "web/hsts.h"
#include "web/hsts_ramp.h"
#include "web/require_https.h"
#include "web/trusted_proxy.h"

namespace tlsguard::httpd {

struct Runtime;
struct VirtualHost;

struct Site {
  const Runtime* runtime = nullptr;
  const VirtualHost* host = nullptr;  // null: does not speak TLS
  web::HstsSetting hsts;
  web::RampSteps ramp_steps;
  web::HstsValues hsts_values;           // set in post_config: a ramp's states are in the store
  const live::RampSlot* ramp = nullptr;  // set in post_config; null: no ramp
  web::RequireHttps require_https = web::RequireHttps::off;
  std::vector<web::IpBlock> trusted_proxies;

  // The age its HSTS ramp has reached; without a ramp there is one value only.
  [[nodiscard]] Seconds reached() const {
    constexpr std::uint64_t most = 1ULL << 40;  // any script in a worker can write the board
    if (ramp == nullptr) return Seconds{0};
    std::uint64_t age = ramp->reached.load(std::memory_order_relaxed);
    return Seconds{static_cast<long long>(age < most ? age : most)};
  }
};

// What the TLS virtual hosts of one name ask of requests in clear.
struct RequiredName {
  web::RequireHttps setting = web::RequireHttps::off;
  std::uint16_t port = 443;    // where TLS is reached from outside
  const Site* site = nullptr;  // of a virtual host that has the name
};

struct Names {
  NameTable<RequiredName> table;
  std::vector<RequiredName> of_lists;  // one a virtual host with lists
  bool any_required = false;           // some name, or some plain server, asks for TLS
};

}  // namespace tlsguard::httpd

#endif
