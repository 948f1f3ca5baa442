// SPDX-License-Identifier: Apache-2.0
#include "web/port_map.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "core/text.h"

namespace tlsguard::web {
namespace {

constexpr std::string_view valid =
    "valid are http:port and https:port, with a port from 1 to 65535, or - for none";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || rest != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

Result<PortMap> parse_port_map(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return fail(fmt::format("TLSGuardPortMap needs a value: {}", valid));
  PortMap map;
  bool http_said = false;
  bool https_said = false;
  for (std::string_view argument : arguments) {
    auto colon = argument.find(':');
    std::string_view scheme = argument.substr(0, colon);
    bool http = equal_ignoring_case(scheme, "http");
    if (colon == std::string_view::npos || (!http && !equal_ignoring_case(scheme, "https"))) {
      return fail(fmt::format("TLSGuardPortMap: '{}' is not known: {}", argument, valid));
    }
    bool& said = http ? http_said : https_said;
    if (said) {
      return fail(fmt::format("TLSGuardPortMap: '{}': {} is there twice: {}", argument,
                              to_lower(scheme), valid));
    }
    said = true;
    std::string_view text = argument.substr(colon + 1);
    auto port = parse_port(text);
    if (!port && text != "-") {
      return fail(fmt::format("TLSGuardPortMap: '{}' has no such port: {}", argument, valid));
    }
    (http ? map.http : map.https) = port;
  }
  return map;
}

std::uint16_t redirect_port(std::optional<std::uint16_t> server_name_port, std::uint16_t own_port,
                            const PortMap& map) {
  if (server_name_port) return *server_name_port;
  return map.https == own_port ? 443 : own_port;
}

}  // namespace tlsguard::web
