// SPDX-License-Identifier: Apache-2.0
// The verdict on a ClientHello: would a server with these settings complete a full handshake?
// Pure, no OpenSSL, no allocation; thread-safe. The rules are those of OpenSSL's server
// (version, then cipher with key type, curve and group, then signature algorithm), so that
// verdict in report mode and result in enforce mode agree for every client.
#ifndef TLSGUARD_HELLO_VERDICT_H
#define TLSGUARD_HELLO_VERDICT_H

#include <array>
#include <cstdint>
#include <string_view>

#include "hello/client_hello.h"
#include "hello/server_settings.h"

namespace tlsguard::hello {

enum class Verdict : std::uint8_t {
  ok,
  protocol,   // no common version (alert 70), or a fallback that is refused (RFC 7507, alert 86)
  cipher,     // no common cipher (alert 40)
  group,      // ciphers would fit but no common group
  signature,  // no certificate or signature algorithm that fits the client
  sni,        // TLSGuardStrictSNI (alert 112)
};
inline constexpr std::size_t verdict_count = 6;
inline constexpr std::array<Verdict, verdict_count> all_verdicts{
    Verdict::ok,    Verdict::protocol,  Verdict::cipher,
    Verdict::group, Verdict::signature, Verdict::sni};

// ok protocol cipher group signature sni
[[nodiscard]] std::string_view verdict_name(Verdict verdict);

// Never answers sni: that depends on virtual hosts, not on settings.
[[nodiscard]] Verdict judge(const ClientHello& hello, const ServerSettings& settings);

}  // namespace tlsguard::hello

#endif
