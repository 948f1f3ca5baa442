// SPDX-License-Identifier: Apache-2.0
// The cipher suites a probe asks a server for: those of IANA's registry that servers have been
// seen to accept, whether or not the OpenSSL here was built with them. Left out: suites that need
// a pre-shared key, SRP or Kerberos, which no web server offers to the public.
// A static table; thread-safe. A unit test compares it with OpenSSL for all that OpenSSL knows.
#ifndef TLSGUARD_CTL_SUITE_TABLE_H
#define TLSGUARD_CTL_SUITE_TABLE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol.h"
#include "hello/server_settings.h"

namespace tlsguard::ctl {

struct Suite {
  std::uint16_t id;
  const char* name;  // OpenSSL's; IANA's where OpenSSL has none
  Protocol min;
  Protocol max;
  hello::KeyExchange key_exchange;
  hello::Authentication authentication;
  int bits;  // of the symmetric cipher: RFC 9325 4.1 counts 3DES as 112
  bool aead;
};

[[nodiscard]] std::span<const Suite> all_suites();
// nullptr: not in the table.
[[nodiscard]] const Suite* find_suite(std::uint16_t id);
// OpenSSL's name, an older one of OpenSSL's (EDH-RSA-DES-CBC3-SHA) too. nullptr: not in the table.
[[nodiscard]] const Suite* find_suite(std::string_view name);
// The name, or "0x1234".
[[nodiscard]] std::string suite_name(std::uint16_t id);
// Those that may be negotiated in this version.
[[nodiscard]] std::vector<std::uint16_t> suites_of(Protocol protocol);

}  // namespace tlsguard::ctl

#endif
