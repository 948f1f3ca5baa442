// SPDX-License-Identifier: Apache-2.0
// TLS protocol versions, by their number on the wire (RFC 8446 4.2.1).
#ifndef TLSGUARD_CORE_PROTOCOL_H
#define TLSGUARD_CORE_PROTOCOL_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tlsguard {

enum class Protocol : std::uint16_t {
  ssl3 = 0x0300,  // never allowed; only ever seen in what a client offers
  tls1_0 = 0x0301,
  tls1_1 = 0x0302,
  tls1_2 = 0x0303,
  tls1_3 = 0x0304,
};

inline constexpr std::array<Protocol, 4> all_protocols{Protocol::tls1_0, Protocol::tls1_1,
                                                       Protocol::tls1_2, Protocol::tls1_3};

// A set of protocol versions; versions outside all_protocols are never members.
class ProtocolSet {
 public:
  constexpr ProtocolSet() = default;
  static constexpr ProtocolSet range(Protocol min, Protocol max) {
    ProtocolSet set;
    for (Protocol p : all_protocols) {
      if (p >= min && p <= max) set.add(p);
    }
    return set;
  }
  constexpr void add(Protocol p) { bits_ |= bit(p); }
  constexpr void remove(Protocol p) { bits_ &= ~bit(p); }
  [[nodiscard]] constexpr bool has(Protocol p) const { return (bits_ & bit(p)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr ProtocolSet operator&(ProtocolSet other) const {
    ProtocolSet set;
    set.bits_ = bits_ & other.bits_;
    return set;
  }
  [[nodiscard]] constexpr ProtocolSet operator|(ProtocolSet other) const {
    ProtocolSet set;
    set.bits_ = bits_ | other.bits_;
    return set;
  }
  constexpr bool operator==(const ProtocolSet&) const = default;
  // Lowest and highest member. The set must not be empty.
  [[nodiscard]] Protocol lowest() const;
  [[nodiscard]] Protocol highest() const;

 private:
  static constexpr unsigned bit(Protocol p) {
    auto number = static_cast<unsigned>(p);
    return number >= 0x0301 && number <= 0x0304 ? 1U << (number - 0x0301) : 0U;
  }
  unsigned bits_ = 0;
};

// mod_ssl's spelling: TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 (SSLv3 when only shown).
[[nodiscard]] std::string_view protocol_name(Protocol protocol);
// Case-insensitive; TLSv1.0 is accepted for TLSv1. SSLv3 is an error.
[[nodiscard]] Result<Protocol> parse_protocol(std::string_view text);

}  // namespace tlsguard

#endif
