// SPDX-License-Identifier: Apache-2.0
// What is configured, as the agent gets it: managed domains, each with all of its settings
// resolved. Made by httpd's parent from its configuration, handed over as JSON (spec_json.h) in a
// memfd, since it holds secrets. Plain values; immutable once made.
#ifndef TLSGUARD_RENEW_SPEC_H
#define TLSGUARD_RENEW_SPEC_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/duration.h"
#include "core/unix_time.h"
#include "crypto/keys.h"

namespace tlsguard::renew {

// RFC 8555 8.3, 8.4, RFC 8737, draft-ietf-acme-dns-account-label, draft-ietf-acme-dns-persist.
enum class ChallengeType : std::uint8_t {
  http_01,
  tls_alpn_01,
  dns_01,
  dns_account_01,
  dns_persist_01
};

// A length of time, or a share of the certificate's lifetime in percent.
using Window = std::variant<Seconds, int>;

struct CaSpec {
  std::string name;           // as written: a known name or the URL
  std::string directory_url;  // empty: the internal CA
  bool internal() const { return directory_url.empty(); }
  bool operator==(const CaSpec&) const = default;
};

struct ExternalAccountSpec {
  std::string ca;  // name or URL; empty: whichever CA is first
  std::string kid;
  std::string hmac;  // base64url; secret
  bool operator==(const ExternalAccountSpec&) const = default;
};

struct EventSpec {
  enum class Kind : std::uint8_t { command, webhook };
  Kind kind = Kind::command;
  std::vector<std::string> arguments;  // path and arguments, or URL and perhaps a key file
  bool operator==(const EventSpec&) const = default;
};

// Every setting marked D of the contract, resolved. Domains of the same settings share one.
struct DomainSettings {
  std::vector<CaSpec> cas;  // one at least, in order
  bool agreement = false;
  std::vector<std::string> contacts;
  std::vector<ExternalAccountSpec> external_accounts;
  std::vector<ChallengeType> challenges;  // in order; empty: as reachable
  std::vector<std::string> dns_command;   // path, arguments
  std::vector<crypto::KeyType> key_types{crypto::KeyType::p256};
  std::string profile;
  bool profile_required = false;
  std::string preferred_chain;
  std::optional<Window> renew_window;  // none: 33 %, half for lifetimes under 10 days
  bool ari = true;
  std::optional<Window> warn_window;  // none: 14 days, at most a quarter of the lifetime
  bool automatic = true;              // TLSGuardRenew
  std::string ca_trust;
  std::string http_proxy;
  std::vector<EventSpec> events;
  bool operator==(const DomainSettings&) const = default;
};

struct DomainSpec {
  std::string identity;            // the first name
  std::vector<std::string> names;  // lower case, the identity first, no duplicates
  std::shared_ptr<const DomainSettings> settings;
};

// TLSGuardDomainList: one domain a line.
struct ListSpec {
  std::string path;
  std::uint32_t id = 0;  // live::NameSlot's list; stable over reloads: a hash of the virtual host
  std::shared_ptr<const DomainSettings> settings;
};

// A certificate of SSLCertificateFile, which nobody renews for its virtual hosts: as httpd serves
// it.
struct StaticCertificateSpec {
  std::string file;
  std::string server_name;         // of the first virtual host with these settings
  std::vector<std::string> names;  // the certificate's, a hundred at most
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::string serial;                              // crypto::CertificateFacts'
  std::shared_ptr<const DomainSettings> settings;  // who is told, and when
};

// Ports of ours that receive the outside's ports 80 and 443; nullopt: none does.
struct Reachability {
  std::optional<std::uint16_t> http;
  std::optional<std::uint16_t> https;
  std::vector<std::string> addresses;  // that we listen on; "*" for all
};

struct AgentSpec {
  std::string store_path;
  std::vector<DomainSpec> domains;
  std::vector<ListSpec> lists;
  std::vector<StaticCertificateSpec> static_certificates;
  std::string server_name;  // ServerName of the main server, for who is told of events
  Reachability reach;
  std::vector<std::string> permitted_internal_names;
};

}  // namespace tlsguard::renew

#endif
