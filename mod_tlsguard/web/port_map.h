// SPDX-License-Identifier: Apache-2.0
// TLSGuardPortMap: which of our ports receive the outside's ports 80 and 443. Pure; thread-safe.
#ifndef TLSGUARD_WEB_PORT_MAP_H
#define TLSGUARD_WEB_PORT_MAP_H

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/error.h"

namespace tlsguard::web {

// nullopt (written `-`): that port of the outside does not reach us.
struct PortMap {
  std::optional<std::uint16_t> http = 80;    // our port behind the outside's 80
  std::optional<std::uint16_t> https = 443;  // our port behind the outside's 443

  bool operator==(const PortMap&) const = default;
};

// The arguments of TLSGuardPortMap: `http:port|-` and `https:port|-`, one or both, each once. What
// is not said keeps its default. The error names the directive.
[[nodiscard]] Result<PortMap> parse_port_map(std::span<const std::string_view> arguments);

// The port under which the outside reaches a TLS virtual host: the one written in its ServerName,
// else 443 where the map says that its port receives it, else its own.
[[nodiscard]] std::uint16_t redirect_port(std::optional<std::uint16_t> server_name_port,
                                          std::uint16_t own_port, const PortMap& map);

}  // namespace tlsguard::web

#endif
