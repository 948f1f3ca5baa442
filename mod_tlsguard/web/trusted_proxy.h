// SPDX-License-Identifier: Apache-2.0
// TLSGuardTrustedProxy: which TCP peers may say how the client came. Pure; thread-safe.
#ifndef TLSGUARD_WEB_TRUSTED_PROXY_H
#define TLSGUARD_WEB_TRUSTED_PROXY_H

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::web {

// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), which is how a
// dual-stack listener sees an IPv4 peer, so that both compare equal.
class IpAddress {
 public:
  // Dotted quad, or IPv6 without brackets and zone.
  static std::optional<IpAddress> parse(std::string_view text);
  // 4 or 16 bytes in network order, as in sockaddr_in and sockaddr_in6; else nullopt.
  static std::optional<IpAddress> from_bytes(std::span<const std::uint8_t> bytes);

  [[nodiscard]] bool is_ipv4() const;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// An address block. An IPv6 block with fewer than 96 bits holds no IPv4 address: `::/0` is all of
// IPv6, and IPv4-mapped addresses are IPv4.
class IpBlock {
 public:
  // prefix_length: bits of the 128. Bits beyond it are cleared.
  IpBlock(const IpAddress& address, unsigned prefix_length);
  [[nodiscard]] bool contains(const IpAddress& address) const;

  bool operator==(const IpBlock&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::array<std::uint8_t, 16> mask_{};
  bool ipv4_ = false;
};

// The arguments of TLSGuardTrustedProxy: addresses and blocks. As with httpd's `Require ip`, bits
// beyond the prefix are ignored. The error names the directive.
[[nodiscard]] Result<std::vector<IpBlock>> parse_trusted_proxies(
    std::span<const std::string_view> arguments);

[[nodiscard]] bool contains(std::span<const IpBlock> blocks, const IpAddress& address);

}  // namespace tlsguard::web

#endif
