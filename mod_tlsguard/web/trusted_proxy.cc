// SPDX-License-Identifier: Apache-2.0
#include "web/trusted_proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace tlsguard::web {
namespace {

// RFC 4291 2.5.5.2: what stands before the four bytes of an IPv4 address.
constexpr std::array<std::uint8_t, 12> ipv4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned ipv4_prefix_bits = 96;

constexpr std::string_view valid =
    "valid are IPv4 and IPv6 addresses and blocks, as in 192.0.2.1, 10.0.0.0/8, 2001:db8::/32";

// The prefix length of a block as written: /8 of IPv4 is /104 of IPv4-mapped IPv6.
std::optional<unsigned> parse_prefix_length(std::string_view text, bool ipv4) {
  unsigned bits = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, bits);
  if (error != std::errc() || rest != end || bits > (ipv4 ? 32U : 128U)) return std::nullopt;
  return ipv4 ? bits + ipv4_prefix_bits : bits;
}

Result<IpBlock> parse_block(std::string_view text) {
  auto slash = text.find('/');
  std::string_view address_text = text.substr(0, slash);
  auto address = IpAddress::parse(address_text);
  if (!address) {
    return fail(fmt::format("TLSGuardTrustedProxy: '{}' is not an address: {}", text, valid));
  }
  if (slash == std::string_view::npos) return IpBlock(*address, 128);
  bool dotted_quad = address_text.find(':') == std::string_view::npos;
  auto bits = parse_prefix_length(text.substr(slash + 1), dotted_quad);
  if (!bits) {
    return fail(
        fmt::format("TLSGuardTrustedProxy: '{}' has no valid prefix length: it is a number "
                    "from 0 to {}; {}",
                    text, dotted_quad ? 32 : 128, valid));
  }
  return IpBlock(*address, *bits);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};  // its size counts the NUL
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  text.copy(terminated.data(), text.size());
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.data(), bytes.data()) == 1) {
    return from_bytes(std::span(bytes).first(4));
  }
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return from_bytes(bytes);
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  IpAddress address;
  auto to = address.bytes_.begin();
  if (bytes.size() == 4) {
    to = std::copy(ipv4_prefix.begin(), ipv4_prefix.end(), to);
  } else if (bytes.size() != address.bytes_.size()) {
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), to);
  return address;
}

bool IpAddress::is_ipv4() const {
  return std::equal(ipv4_prefix.begin(), ipv4_prefix.end(), bytes_.begin());
}

IpBlock::IpBlock(const IpAddress& address, unsigned prefix_length)
    : bytes_(address.bytes()), ipv4_(address.is_ipv4() && prefix_length >= ipv4_prefix_bits) {
  for (unsigned i = 0; i < mask_.size(); ++i) {
    unsigned bits = std::clamp(prefix_length, 8 * i, 8 * i + 8) - 8 * i;  // of this byte
    mask_[i] = static_cast<std::uint8_t>(0xff00U >> bits);
    bytes_[i] &= mask_[i];
  }
}

bool IpBlock::contains(const IpAddress& address) const {
  if (address.is_ipv4() != ipv4_) return false;
  for (std::size_t i = 0; i < mask_.size(); ++i) {
    if ((address.bytes()[i] & mask_[i]) != bytes_[i]) return false;
  }
  return true;
}

Result<std::vector<IpBlock>> parse_trusted_proxies(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return fail(fmt::format("TLSGuardTrustedProxy needs a value: {}", valid));
  std::vector<IpBlock> blocks;
  for (std::string_view argument : arguments) {
    auto block = parse_block(argument);
    if (!block) return tl::unexpected(block.error());
    blocks.push_back(*block);
  }
  return blocks;
}

bool contains(std::span<const IpBlock> blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const IpBlock& block) { return block.contains(address); });
}

}  // namespace tlsguard::web
