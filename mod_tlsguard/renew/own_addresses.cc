// SPDX-License-Identifier: Apache-2.0
#include "renew/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace tlsguard::renew {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct Range {
  std::array<std::uint8_t, 4> start;
  unsigned bits;
};

// RFC 6890 and RFC 1112 as far as a name could lead there.
constexpr std::array<Range, 14> special_v4{{{{0, 0, 0, 0}, 8},
                                            {{10, 0, 0, 0}, 8},
                                            {{100, 64, 0, 0}, 10},
                                            {{127, 0, 0, 0}, 8},
                                            {{169, 254, 0, 0}, 16},
                                            {{172, 16, 0, 0}, 12},
                                            {{192, 0, 0, 0}, 24},
                                            {{192, 0, 2, 0}, 24},
                                            {{192, 168, 0, 0}, 16},
                                            {{198, 18, 0, 0}, 15},
                                            {{198, 51, 100, 0}, 24},
                                            {{203, 0, 113, 0}, 24},
                                            {{224, 0, 0, 0}, 4},
                                            {{240, 0, 0, 0}, 4}}};

bool within(Bytes address, Bytes start, unsigned bits) {
  for (std::size_t i = 0; i < address.size() && bits > 0; ++i) {
    unsigned here = bits < 8 ? bits : 8;
    auto mask = static_cast<std::uint8_t>(0xFFU << (8 - here));
    if ((address[i] & mask) != (start[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

bool is_public_v4(Bytes address) {
  for (const Range& range : special_v4) {
    if (within(address, range.start, range.bits)) return false;
  }
  return true;
}

// 2000::/3 is all that is given out (RFC 4291 2.4), less 2001:db8::/32 for documentation.
bool is_public_v6(Bytes address) {
  constexpr std::array<std::uint8_t, 4> documentation{0x20, 0x01, 0x0d, 0xb8};
  bool unicast = (address[0] & 0xE0U) == 0x20U;
  return unicast && !within(address.first(4), documentation, 32);
}

bool is_v6(std::string_view address) { return address.find(':') != std::string_view::npos; }

}  // namespace

bool is_public_address(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
    return is_public_v4(Bytes(bytes).first(4));
  }
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return is_public_v6(bytes);
  return false;
}

OwnAddresses OwnAddresses::of_this_machine() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return OwnAddresses(addresses);
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::array<char, NI_MAXHOST> host{};
    if (getnameinfo(entry->ifa_addr, length, host.data(), host.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(host.data());
    }
  }
  return OwnAddresses(addresses);
}

OwnAddresses::OwnAddresses(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    std::string plain = address.substr(0, address.find('%'));
    if (is_public_address(plain)) (is_v6(plain) ? public_v6_ : public_v4_) = true;
    addresses_.insert(std::move(plain));
  }
}

bool OwnAddresses::has(const std::string& address) const {
  return address.starts_with("127.") || address == "::1" || addresses_.contains(address);
}

bool OwnAddresses::may_meet_router(const std::string& address) const {
  bool exposed = is_v6(address) ? public_v6_ : public_v4_;
  return !has(address) && is_public_address(address) && !exposed;
}

}  // namespace tlsguard::renew
