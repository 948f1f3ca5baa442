// SPDX-License-Identifier: Apache-2.0
// From ServerConf to VirtualHost: which policy, which mod_ssl settings, which certificates.
// Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_VIRTUAL_HOSTS_H
#define TLSGUARD_HTTPD_VIRTUAL_HOSTS_H

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "httpd/certificate_files.h"
#include "httpd/complaints.h"
#include "httpd/domain_resolver.h"
#include "httpd/includes.h"
#include "httpd/plan.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

// mod_ssl's rule: SSLEngine on, or a certificate where Listen or Protocol says https.
[[nodiscard]] bool speaks_tls(const server_rec* s, const ServerConf& conf);

// "127.0.0.1:8443", "[::1]:8443", "*:443", as the configuration has them.
[[nodiscard]] std::vector<std::string> addresses_of(const server_rec* s);

// Where a virtual host stands in the configuration.
[[nodiscard]] Place place_of(const server_rec* s);

class VirtualHostMaker {
 public:
  // resolver: once runtime.domains are resolved.
  VirtualHostMaker(Runtime& runtime, const DomainResolver& resolver, CertificateFiles& files,
                   Complaints& complaints)
      : runtime_(runtime), resolver_(resolver), files_(files), complaints_(complaints) {}

  // Complains of what does not fit; null where no plan could be made at all.
  [[nodiscard]] std::unique_ptr<VirtualHost> make(server_rec* s, const ServerConf& conf);

 private:
  [[nodiscard]] Result<policy::Policy> resolve(const std::string& name,
                                               const policy::Settings& settings);
  [[nodiscard]] bool fill_policies(VirtualHost& host, const ServerConf& conf, PlanKey& key);
  void fill_certificates(VirtualHost& host, const ServerConf& conf, PlanKey& key);
  void fill_managed(VirtualHost& host, const ServerConf& conf, PlanKey& key);
  void complain_of_misfit(const VirtualHost& host, const ServerConf& conf);
  void check_floor(VirtualHost& host, const ServerConf& conf);
  void check_directory_ciphers(const VirtualHost& host, const ServerConf& conf);

  Runtime& runtime_;
  const DomainResolver& resolver_;
  CertificateFiles& files_;
  Complaints& complaints_;
  struct Resolved {
    std::string name;
    policy::Settings settings;
    policy::Policy policy;
  };
  std::vector<Resolved> resolved_;
};

// In post_config, after mod_ssl: other modules may have brought certificates that no
// SSLCertificateFile names. keys: those of the real SSL_CTX.
void plan_again(VirtualHost& host, std::vector<hello::CertificateKey> keys);

}  // namespace tlsguard::httpd

#endif
