// SPDX-License-Identifier: Apache-2.0
// What a probe found out about one server. Plain values, all of them from the network: text is not
// yet fit for a terminal (printable(), output.h).
#ifndef TLSGUARD_CTL_FACTS_H
#define TLSGUARD_CTL_FACTS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol.h"
#include "hello/server_settings.h"

namespace tlsguard::ctl {

// Who decides among several that both sides know.
enum class Preference : std::uint8_t { unknown, server, client };

struct VersionFacts {
  Protocol version = Protocol::tls1_2;
  std::vector<std::uint16_t> suites;  // in the order the server picked them; empty: not served
  Preference preference = Preference::unknown;  // unknown where there are fewer than two
  std::string refusal;                          // how the server said no: "alert 70 (…)"
};

struct GroupFacts {
  std::vector<std::uint16_t> groups;  // in the order the server picked them
  Preference preference = Preference::unknown;
};

struct CertificateFacts {
  std::optional<hello::KeyType> type;  // none: a key no virtual host of ours can have (DSA, …)
  std::string key;                     // in words: "RSA", "ECDSA P-256", "Ed25519"
  int bits = 0;
  std::uint16_t curve = 0;  // ECDSA: TLS group id of its curve, 0 if it has none
  std::string subject;      // RFC 4514 order, from the certificate
  std::string issuer;
  std::string serial;      // hexadecimal
  std::string signature;   // the algorithm it is signed with
  std::string not_before;  // RFC 3339, UTC
  std::string not_after;
  bool expired = false;
  bool not_yet_valid = false;
  bool self_signed = false;
  std::vector<std::string> names;   // dNSName and iPAddress of subjectAltName
  std::optional<bool> name_fits;    // unset: no name was asked for
  std::vector<std::string> chain;   // subjects of what came after it
  std::string trust;                // empty: leads to a CA that the system trusts; else why not
  std::vector<Protocol> served_in;  // the versions it was seen in
};

struct HttpFacts {
  int status = 0;
  std::string location;
  std::vector<std::string> hsts;  // every Strict-Transport-Security field, as sent
};

struct Facts {
  std::string address;                 // IP address and port spoken to
  std::string server_name;             // asked for with SNI; empty: none
  std::string http_host;               // the Host of the HTTP request
  std::vector<VersionFacts> versions;  // SSLv3 to TLS 1.3, all five
  GroupFacts groups12;                 // ECDHE, TLS 1.2 and below
  GroupFacts groups13;
  std::vector<std::uint16_t> signatures12;  // of ServerKeyExchange in TLS 1.2
  std::vector<std::uint16_t> signatures13;  // of CertificateVerify
  std::optional<int> dh_bits;               // the smallest prime seen with DHE
  std::vector<CertificateFacts> certificates;
  std::vector<std::string> alpn;             // of h2 and http/1.1, the server's choice first
  std::optional<bool> tickets12;             // RFC 5077
  std::optional<bool> tickets13;             // RFC 8446 4.6.1
  std::optional<bool> secure_renegotiation;  // RFC 5746; unset above TLS 1.2
  std::optional<bool> extended_master_secret;
  std::optional<bool> compression;    // the server would compress
  std::optional<bool> fallback_scsv;  // RFC 7507; unset where there is nothing to fall back from
  std::optional<HttpFacts> http;      // unset: no HTTP answer
  std::optional<HttpFacts> plain;     // of the plain port, if it was asked for
  std::vector<std::string> notes;     // what could not be found out, and why
  int connections = 0;

  // nullptr: that version is not served.
  [[nodiscard]] const VersionFacts* served(Protocol version) const {
    for (const VersionFacts& facts : versions) {
      if (facts.version == version && !facts.suites.empty()) return &facts;
    }
    return nullptr;
  }
};

}  // namespace tlsguard::ctl

#endif
