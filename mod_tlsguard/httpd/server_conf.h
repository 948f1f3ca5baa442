// SPDX-License-Identifier: Apache-2.0
// What was written in the configuration, for one server: every setting optional, with the place
// it was written at. Filled while httpd reads its files, merged into new objects, judged by
// judge_config.h. Configuration time only, one thread.
#ifndef TLSGUARD_HTTPD_SERVER_CONF_H
#define TLSGUARD_HTTPD_SERVER_CONF_H

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/protocol.h"
#include "httpd/domain_conf.h"
#include "httpd/written.h"
#include "policy/policy.h"
#include "web/hsts.h"
#include "web/hsts_ramp.h"
#include "web/port_map.h"
#include "web/require_https.h"
#include "web/trusted_proxy.h"

namespace tlsguard::httpd {

struct Site;
struct VirtualHost;

enum class Engine { off, report, on };

struct Floor {
  std::string policy;
  std::vector<std::string> except;  // server names, lower case
};

struct DefinedPolicy {
  std::string name;
  std::string from;
  policy::Settings settings;
  Place place;
};

// A per-directory SSLCipherSuite, with what mod_ssl appends to it.
struct DirectoryCipherSuite {
  std::string spec;
  Place place;
};

struct ServerConf {
  // Guard
  Setting<Engine> engine;
  Setting<std::string> policy;
  Setting<std::string> report_policy;  // empty: none
  Setting<Protocol> min_protocol;
  Setting<Protocol> max_protocol;
  Setting<std::string> cipher_suite;
  Setting<std::string> tls13_cipher_suite;
  Setting<std::vector<std::string>> groups;
  Setting<std::vector<std::string>> signature_algorithms;
  Setting<Floor> floor;
  Setting<bool> strict_sni;
  std::vector<DefinedPolicy> defined_policies;  // server only
  // HSTS and HTTPS
  Setting<web::HstsSetting> hsts;
  Setting<web::RampSteps> hsts_ramp;
  Setting<web::RequireHttps> require_https;
  Setting<std::vector<web::IpBlock>> trusted_proxies;
  Setting<web::PortMap> port_map;
  Setting<std::string> store;
  bool server_name = false;                 // ServerName is written; not inherited
  Setting<std::uint16_t> server_name_port;  // the one written in it; not inherited
  // Managed domains
  DomainConfPtr domain_conf;                       // null: nothing is written
  std::vector<DeclaredDomain> domains;             // of this server alone
  std::vector<Written<std::string>> domain_lists;  // of this server alone
  Setting<std::vector<std::string>> internal_ca_names;
  Setting<std::string> agent_user;
  Setting<std::string> agent_program;
  // mod_ssl's own, recorded by registering the same directives (ssl_directives.cc)
  Setting<bool> ssl_engine;
  Setting<ProtocolSet> ssl_protocol;
  Setting<std::string> ssl_cipher_suite;
  Setting<std::string> ssl_tls13_cipher_suite;
  Setting<bool> ssl_honor_cipher_order;
  Setting<bool> ssl_session_tickets;
  Setting<std::string> ssl_ticket_key_file;
  Setting<bool> ssl_strict_sni;
  std::vector<std::pair<std::string, std::string>> ssl_conf_cmds;
  std::vector<Written<std::string>> ssl_certificate_files;
  std::vector<DirectoryCipherSuite> directory_cipher_suites;
  Setting<bool> ssl_use_stapling;
  bool ssl_staple_url = false;  // SSLStaplingForceURL
  // What a line of the same server replaces that stands above it.
  Setting<ProtocolSet> ssl_protocol_above;
  Setting<std::string> ssl_cipher_suite_above;
  Setting<std::string> ssl_tls13_cipher_suite_above;
  Setting<bool> ssl_honor_cipher_order_above;
  // Others': names that mod_md manages, and where dumps of memory would go.
  std::vector<Written<std::vector<std::string>>> md_names;
  Setting<std::string> core_dump_directory;

  // Set by the judge, owned by the Runtime. virtual_host: null where this server does not speak
  // TLS.
  const VirtualHost* virtual_host = nullptr;
  const Site* site = nullptr;
};

// The five settings that make a policy of one's own.
inline constexpr auto policy_settings = std::make_tuple(
    &ServerConf::min_protocol, &ServerConf::max_protocol, &ServerConf::cipher_suite,
    &ServerConf::tls13_cipher_suite, &ServerConf::groups, &ServerConf::signature_algorithms);

// All settings that a virtual host takes over from the server unless it has its own.
inline constexpr auto inherited_settings = std::make_tuple(
    &ServerConf::engine, &ServerConf::policy, &ServerConf::report_policy, &ServerConf::floor,
    &ServerConf::strict_sni, &ServerConf::hsts, &ServerConf::hsts_ramp, &ServerConf::require_https,
    &ServerConf::trusted_proxies, &ServerConf::port_map, &ServerConf::store,
    &ServerConf::ssl_engine, &ServerConf::ssl_protocol, &ServerConf::ssl_cipher_suite,
    &ServerConf::ssl_tls13_cipher_suite, &ServerConf::ssl_honor_cipher_order,
    &ServerConf::ssl_session_tickets, &ServerConf::ssl_ticket_key_file, &ServerConf::ssl_strict_sni,
    &ServerConf::ssl_use_stapling, &ServerConf::internal_ca_names, &ServerConf::agent_user,
    &ServerConf::agent_program, &ServerConf::core_dump_directory);

// Recorded settings, and what they replace.
inline constexpr auto settings_above = std::make_tuple(
    std::pair{&ServerConf::ssl_protocol, &ServerConf::ssl_protocol_above},
    std::pair{&ServerConf::ssl_cipher_suite, &ServerConf::ssl_cipher_suite_above},
    std::pair{&ServerConf::ssl_tls13_cipher_suite, &ServerConf::ssl_tls13_cipher_suite_above},
    std::pair{&ServerConf::ssl_honor_cipher_order, &ServerConf::ssl_honor_cipher_order_above});

// A new object: add over base. A policy named in add starts afresh: none of base's five single
// settings applies to it (DIRECTIVES). mod_ssl's lists are merged as mod_ssl merges them.
[[nodiscard]] ServerConf merge(const ServerConf& base, const ServerConf& add);

// The five settings as policy/policy.h takes them.
[[nodiscard]] policy::Settings settings_of(const ServerConf& conf);

// True where anything that turns enforcement on by default is written (TLSGuardEngine).
[[nodiscard]] bool mentions_guard(const ServerConf& conf);

}  // namespace tlsguard::httpd

#endif
