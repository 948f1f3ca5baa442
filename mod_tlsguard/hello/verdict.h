// SPDX-License-Identifier: Apache-2.0
// The verdict on a ClientHello: would a server with these settings complete a full handshake?
// Pure, no OpenSSL, no allocation; thread-safe. The rules are those of OpenSSL's server, so that
// verdict in report mode and result in enforce mode agree for every client. Not looked at: the
// bytes of key shares and the ASN.1 in extensions, which no settings can change.
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
  // In this order: the first that stands in the way, were all that follow as the client likes.
  protocol,   // no common version (alert 70), a fallback that is refused (RFC 7507, alert 86), or
              // a hello that is malformed for the version it leads to (alert 47, 50, 109)
  cipher,     // no common cipher that the certificates' key types could serve (alert 40)
  group,      // ciphers would fit but no common group, the client does not take the curve of the
              // certificate, or names no groups (alert 40; in TLS 1.3 also 47, 109)
  signature,  // no certificate or signature algorithm that fits the client, or one too weak for
              // the security level (alert 40, 80; in TLS 1.3 also 109)
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
