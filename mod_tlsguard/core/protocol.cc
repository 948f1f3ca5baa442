// SPDX-License-Identifier: Apache-2.0
#include "core/protocol.h"

#include "core/text.h"

namespace tlsguard {

Protocol ProtocolSet::lowest() const {
  for (Protocol p : all_protocols) {
    if (has(p)) return p;
  }
  return Protocol::tls1_3;
}

Protocol ProtocolSet::highest() const {
  for (auto p = all_protocols.rbegin(); p != all_protocols.rend(); ++p) {
    if (has(*p)) return *p;
  }
  return Protocol::tls1_0;
}

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::ssl3:
      return "SSLv3";
    case Protocol::tls1_0:
      return "TLSv1";
    case Protocol::tls1_1:
      return "TLSv1.1";
    case Protocol::tls1_2:
      return "TLSv1.2";
    case Protocol::tls1_3:
      return "TLSv1.3";
  }
  return "unknown";
}

Result<Protocol> parse_protocol(std::string_view text) {
  for (Protocol p : all_protocols) {
    if (equal_ignoring_case(text, protocol_name(p))) return p;
  }
  if (equal_ignoring_case(text, "TLSv1.0")) return Protocol::tls1_0;
  return fail("unknown protocol '" + std::string(text) +
              "': valid are TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3");
}

}  // namespace tlsguard
