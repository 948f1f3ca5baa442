// SPDX-License-Identifier: Apache-2.0
// Which domains are managed, and which virtual host serves which: from what was written. Complains
// of overlaps, contradictions and what cannot work. Configuration time, one thread; before virtual
// hosts are made. Neither store nor network is touched; files of TLSGuardDomainList are read.
#ifndef TLSGUARD_HTTPD_DOMAIN_RESOLVER_H
#define TLSGUARD_HTTPD_DOMAIN_RESOLVER_H

#include <string>
#include <unordered_map>
#include <vector>

#include "httpd/complaints.h"
#include "httpd/domain_settings.h"
#include "httpd/includes.h"
#include "httpd/managed_domains.h"
#include "httpd/server_conf.h"

namespace tlsguard::httpd {

// ServerName, ServerAliases (patterns too) of a server, in lower case.
[[nodiscard]] std::vector<std::string> names_of(const server_rec* s);

// A certificate of its own: SSLCertificateFile, or SSLOpenSSLConfCmd Certificate.
[[nodiscard]] bool has_own_certificate(const ServerConf& conf);

class DomainResolver {
 public:
  DomainResolver(server_rec* base, Complaints& complaints);

  [[nodiscard]] ManagedDomains resolve();

  // What a TLS virtual host may serve; once resolve() is done.
  [[nodiscard]] ManagedHost host_of(const server_rec* s, const ManagedDomains& domains) const;

 private:
  // Where a domain gets its settings from: a container in a server.
  struct Source {
    const server_rec* server;
    DomainConfPtr conf;  // container over server
    Place place;
  };
  // A domain while it is put together.
  struct Draft {
    ManagedDomain* domain;
    DomainConfPtr container;
    std::vector<Source> sources;
    bool of_server_name = false;  // without arguments
  };

  void collect(const server_rec* s, const DeclaredDomain& declared, ManagedDomains& domains);
  [[nodiscard]] bool names_of_host(const server_rec* s, const DeclaredDomain& declared,
                                   std::vector<std::string>& names);
  [[nodiscard]] Draft* draft_of(const std::vector<std::string>& names, bool of_server_name,
                                const Place& place, const ManagedDomains& domains);
  void collect_lists(const server_rec* s, ManagedDomains& domains);
  void note_covered_hosts(const ManagedDomains& domains);
  void settle(Draft& draft);
  void check_md(const ManagedDomains& domains);

  const server_rec* base_;
  // The base server, then the virtual hosts as they are written.
  std::vector<const server_rec*> servers_;
  Complaints& complaints_;
  DomainSettingsMaker settings_;
  std::vector<Draft> drafts_;  // by ManagedDomain::position
  std::unordered_map<const server_rec*, std::vector<const ManagedDomain*>> own_;
};

}  // namespace tlsguard::httpd

#endif
