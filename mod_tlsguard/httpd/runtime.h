// SPDX-License-Identifier: Apache-2.0
// The configuration as resolved: immutable once post_config is over, owned by pconf, read by every
// thread of every worker. ServerConf::virtual_host and ServerConf::site point into it.
#ifndef TLSGUARD_HTTPD_RUNTIME_H
#define TLSGUARD_HTTPD_RUNTIME_H

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "httpd/address_index.h"
#include "httpd/advice.h"
#include "httpd/agent_spec.h"
#include "httpd/handshake_log.h"
#include "httpd/live_domains.h"
#include "httpd/managed_domains.h"
#include "httpd/placeholders.h"
#include "httpd/plan.h"
#include "httpd/server_conf.h"
#include "httpd/shared_flag.h"
#include "httpd/site.h"
#include "live/census.h"
#include "live/keeper.h"
#include "live/verdict_cache.h"
#include "policy/policy.h"
#include "status/certificate_file.h"

struct server_rec;
struct ap_filter_rec_t;

namespace tlsguard::httpd {

struct Runtime;
using SessionGetCallback = SSL_SESSION* (*)(SSL*, const unsigned char*, int, int*);

// One virtual host that speaks TLS.
struct VirtualHost {
  Runtime* runtime = nullptr;
  std::size_t position = 0;  // in Runtime::virtual_hosts
  server_rec* server = nullptr;
  std::string name;  // ServerName, or the host httpd gave it
  std::vector<std::string> addresses;
  Place place;
  Engine engine = Engine::report;
  std::shared_ptr<const Plan> plan;
  bool protocol_set = false;  // SSLProtocol is written for it or for the server
  bool strict_sni = false;
  bool is_default = false;  // of one of its addresses at least
  std::optional<std::string> floor;
  bool floor_exception = false;
  std::string policy_id;            // name@version
  std::string report_policy_id;     // empty: none
  bool policy_floats = false;       // named without a version
  std::vector<policy::Note> notes;  // beside those of the plan
  ManagedHost managed;
  live::CountedHost counted;
  live::VirtualHostCensus census;  // set in post_config, as is past
  std::vector<live::Past> past;    // for the status handler
  // Of the certificates mod_ssl serves, all of them together; set in post_config.
  std::int64_t not_before = 0;  // unix seconds
  std::int64_t not_after = INT64_MAX;
  // The real SSL_CTX did not take the policy: no handshake of this virtual host may succeed.
  bool refuse_all = false;
};

// The first real SSL_CTX of a plan, which was read back whole, before and after it was tightened.
struct FirstContext {
  policy::Outline before;
  policy::Outline after;
  hello::ServerSettings settings;
};

struct Runtime {
  policy::Catalogue catalogue;
  // Configuration time only.
  Planner planner{catalogue};
  std::map<const Plan*, FirstContext> first_contexts;
  std::vector<std::unique_ptr<VirtualHost>> virtual_hosts;
  std::vector<std::unique_ptr<Site>> sites;  // one a server_rec, TLS or not
  AddressIndexes addresses;
  ManagedDomains domains;
  std::unique_ptr<PlaceholderFile> placeholder_file = std::make_unique<PlaceholderFile>();
  std::unique_ptr<LiveDomains> live;  // set in post_config; null: nothing is managed
  // Those that serve where nothing is managed, each once; empty while httpd rehearses.
  std::vector<status::CertificateFile> certificate_files;
  Names names;                 // of TLS virtual hosts, for redirects
  bool judging = false;        // some virtual host is not off
  bool enforcing = false;      // some virtual host is on
  bool any_hsts = false;       // some server sends it
  bool watching = false;       // some certificate of a file, for TLSGuardEvent
  std::vector<Advice> advice;  // empty while httpd rehearses
  ap_filter_rec_t* hsts_filter = nullptr;
  std::unique_ptr<SharedFlag> loop_warning = std::make_unique<SharedFlag>();
  std::string store_path;
  AgentConf agent;         // where there is work for it
  std::uint64_t seed = 0;  // of the fingerprints
  // mod_ssl's session cache look-up, behind ours (sessions.h); set in post_config.
  SessionGetCallback ssl_get_session = nullptr;
  // Per process: workers inherit empty ones and fill their own.
  std::unique_ptr<live::VerdictCache> verdict_cache = std::make_unique<live::VerdictCache>();
  std::unique_ptr<HandshakeLog> handshake_log = std::make_unique<HandshakeLog>();

  [[nodiscard]] bool needs_agent() const { return domains.any() || watching; }
};

}  // namespace tlsguard::httpd

#endif
