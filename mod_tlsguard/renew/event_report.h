// SPDX-License-Identifier: Apache-2.0
// What has happened and what was said, as `tlsguardctl events` and status pages show it: read from
// the agent's files, by the agent or by who acts as its user. Any thread; blocking.
#ifndef TLSGUARD_RENEW_EVENT_REPORT_H
#define TLSGUARD_RENEW_EVENT_REPORT_H

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/error.h"
#include "renew/job_store.h"

namespace tlsguard::renew {

// {"events": [{"at", "domain", "what", "text"} …], the oldest first,
//  "alerts": [{"since", "subject", "kind", "said_at", "count", "text"} …], what is wrong now,
//  "dead_letters": [to_json(DeadLetter) …]}
// agent: path of the agent's directory. domain: of this one alone; empty: of all.
[[nodiscard]] Result<nlohmann::json> event_report(const std::string& agent, const JobStore& jobs,
                                                  const std::string& domain);
// Its "alerts" alone.
[[nodiscard]] Result<nlohmann::json> open_alerts(const std::string& agent,
                                                 const std::string& domain);

}  // namespace tlsguard::renew

#endif
