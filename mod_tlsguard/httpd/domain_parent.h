// SPDX-License-Identifier: Apache-2.0
// Managed domains, in httpd's parent: the board, the store, the agent. Parent only, one thread.
#ifndef TLSGUARD_HTTPD_DOMAIN_PARENT_H
#define TLSGUARD_HTTPD_DOMAIN_PARENT_H

#include <optional>
#include <string>
#include <vector>

#include "core/unix_time.h"
#include "httpd/agent_process.h"
#include "httpd/includes.h"
#include "httpd/runtime.h"
#include "live/domain_board.h"
#include "store/prepare.h"
#include "store/state_file.h"

namespace tlsguard::httpd {

// What outlives a reload: in the process pool, all zero at first.
struct DomainAnchor {
  live::DomainBoardAnchor board;
  store::StoreLock lock;
};

class DomainParent {
 public:
  DomainParent(server_rec* base, apr_pool_t* pconf, Runtime& runtime, DomainAnchor& anchor)
      : base_(base), pconf_(pconf), runtime_(runtime), anchor_(anchor) {}

  // Gives the workers what they serve from, and starts the agent. Never fails: what does not work
  // is logged, and what can be served is served. store: the top directory; null: it could not be
  // opened, which was said.
  void start(const store::Directory* store);
  // Every ten seconds or so.
  void tick(UnixSeconds now);

 private:
  void make_board();
  void claim_lists(const live::DomainBoard& board);
  void open_store(const store::Directory& store);
  void open_foreign_store();
  void serve_from_store(crypto::SealingKey key);
  void hold_what_workers_cannot_read();
  void complain_of_closed(const std::vector<std::string>& directories);
  void prepare();
  void complain(const Error& error);
  void start_agent();

  server_rec* base_;
  apr_pool_t* pconf_;
  Runtime& runtime_;
  DomainAnchor& anchor_;
  bool usable_ = false;   // the store is as it should be
  bool passive_ = false;  // another server renews
  std::optional<AgentProcess> agent_;
};

// Whether what a virtual host serves lets its HSTS ramp go on: a certificate that is live, within
// its dates and renewed without errors. nullopt: nothing managed is live; mod_ssl's counts.
[[nodiscard]] std::optional<bool> managed_certificate_good(const VirtualHost& host, UnixSeconds at);

}  // namespace tlsguard::httpd

#endif
