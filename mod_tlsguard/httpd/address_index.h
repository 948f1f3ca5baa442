// SPDX-License-Identifier: Apache-2.0
// Which virtual host a ClientHello belongs to: exactly mod_ssl's choice, in time that does not
// grow with the number of virtual hosts. mod_ssl walks the virtual hosts of the matched address in
// file order and takes the first whose ServerName, exact alias or alias pattern matches, so a
// pattern of an earlier one beats an exact name of a later one.
// Built at configuration time; then immutable and thread-safe.
#ifndef TLSGUARD_HTTPD_ADDRESS_INDEX_H
#define TLSGUARD_HTTPD_ADDRESS_INDEX_H

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/name_table.h"
#include "core/protocol.h"
#include "httpd/judged.h"
#include "httpd/plan.h"

struct server_rec;
struct apr_pool_t;
struct conn_rec;

namespace tlsguard::httpd {

struct VirtualHost;

// A virtual host as reached over one address: where SSLProtocol is not set for it, mod_ssl keeps
// the protocols of the address's default virtual host.
struct Target {
  const VirtualHost* host = nullptr;
  const VirtualHost* default_host = nullptr;  // of the address
  // What the SSL gets in the ClientHello; an empty range (min above max) refuses everybody.
  Protocol min = Protocol::tls1_0;
  Protocol max = Protocol::tls1_3;
  JudgedSettings judged{};
  SettingsSet own_judged;  // owns what differs from the plan's
  // For managed certificates, which the plan does not know.
  std::unique_ptr<JudgedByKeys> by_keys = std::make_unique<JudgedByKeys>();
};

[[nodiscard]] Target make_target(const VirtualHost* host, const VirtualHost* default_host);

// The virtual hosts of one address.
class AddressIndex {
 public:
  explicit AddressIndex(const VirtualHost* default_host);
  // In file order. host: null for one that does not speak TLS; the default then serves it.
  void add(const server_rec* s, const VirtualHost* host);
  // The virtual host for a server name; null: none, the default one serves it.
  [[nodiscard]] const Target* find(std::string_view server_name) const;
  [[nodiscard]] const Target& default_target() const { return default_; }
  // Every distinct virtual host, the default one first.
  [[nodiscard]] std::vector<const VirtualHost*> hosts() const;

 private:
  Target default_;
  std::vector<std::unique_ptr<Target>> targets_;
  NameTable<const Target*> names_;
};

#ifdef TLSGUARD_SANITIZED
// Checked builds only: walks as mod_ssl does and aborts where the index found another virtual host.
void check_against_walk(conn_rec* c, std::string_view server_name, const AddressIndex& index);
#endif

// All addresses. httpd's own matching decides which one a connection belongs to.
class AddressIndexes {
 public:
  // Asks httpd for the virtual hosts behind every address that is written or listened on.
  void build(server_rec* base, apr_pool_t* temporary);
  // Null: httpd found an address that build() did not foresee.
  [[nodiscard]] const AddressIndex* find(const conn_rec* c) const;
  [[nodiscard]] const std::vector<std::unique_ptr<AddressIndex>>& all() const { return indexes_; }

 private:
  void add(conn_rec* probe);
  struct Key {
    const void* names;
    const server_rec* base;
    int port;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<const void*>{}(key.names) * 31 + std::hash<const void*>{}(key.base) * 17 +
             static_cast<std::size_t>(key.port);
    }
  };
  static Key key_of(const conn_rec* c);
  std::unordered_map<Key, const AddressIndex*, KeyHash> by_key_;
  std::vector<std::unique_ptr<AddressIndex>> indexes_;
};

}  // namespace tlsguard::httpd

#endif
