// SPDX-License-Identifier: Apache-2.0
#include "httpd/negotiated.h"

#include <fmt/format.h>

#include "httpd/connection.h"
#include "httpd/runtime.h"
#include "live/offers.h"
#include "policy/names.h"

namespace tlsguard::httpd {

namespace {

live::AskedName asked(ServerName name) {
  switch (name) {
    case ServerName::known:
      return live::AskedName::known;
    case ServerName::unknown:
      return live::AskedName::unknown;
    case ServerName::missing:
      break;
  }
  return live::AskedName::missing;
}

live::UnixSeconds now() { return apr_time_sec(apr_time_now()); }

}  // namespace

std::string describe_negotiated(const ConnState& state) {
  std::string text(protocol_name(static_cast<Protocol>(state.version)));
  if (state.handshake_cipher != nullptr) {
    text += fmt::format(" {}", SSL_CIPHER_get_name(state.handshake_cipher));
  }
  if (state.group != 0) text += ' ' + policy::group_name(state.group);
  return text;
}

void count_offer(const ConnState& state, const hello::ClientHello& hello,
                 std::uint64_t fingerprint) {
  state.target->host->census.count_hello(now(), fingerprint, asked(state.server_name),
                                         state.verdicts, [&] { return live::facts_of(hello); });
}

void count_handshake(const ConnState& state) {
  state.target->host->census.count_handshake(
      now(), {static_cast<Protocol>(state.version), state.cipher, state.group, state.resumed});
}

}  // namespace tlsguard::httpd
