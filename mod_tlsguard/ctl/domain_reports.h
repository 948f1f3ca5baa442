// SPDX-License-Identifier: Apache-2.0
// What is known of managed domains: asked of the agent or, where httpd is down, read from the
// store. One thread; blocking.
#ifndef TLSGUARD_CTL_DOMAIN_REPORTS_H
#define TLSGUARD_CTL_DOMAIN_REPORTS_H

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "renew/state.h"

namespace tlsguard::ctl {

// {"agent": whether it was asked, "domains": [{domain, names, phase, next_run, errors,
// not_after}], "alerts": as in all_events()}, sorted. Where there is no agent, "httpd" is "down",
// "up", or "idle": it runs, and has nothing to manage. What it declared when it started is listed,
// too.
[[nodiscard]] Result<nlohmann::json> all_domains(const std::string& store);
// renew::domain_report and its alerts, with "agent" and "httpd" as above, and next_run where the
// agent is at work. name: the domain's first name, or another of its names. nullopt: it is not
// managed here.
[[nodiscard]] Result<std::optional<nlohmann::json>> one_domain(const std::string& store,
                                                               const std::string& name);
// What happened to all domains, or to one (its first name), what is wrong, and what could not be
// told: renew::event_report().
[[nodiscard]] Result<nlohmann::json> all_events(const std::string& store,
                                                const std::string& domain);

// Of either: domains are managed, and nobody renews them.
[[nodiscard]] bool lacks_agent(const nlohmann::json& report);
// Of a domain of either: it has expired, nothing is live, the last attempt failed, or somebody has
// to do something. Not of one that is held, manual or no longer declared while its certificate is
// good.
[[nodiscard]] bool needs_attention(const nlohmann::json& domain, UnixSeconds now);
// Of all_events(): an alert is open, or an event was given up within the last day. Older ones stay
// in the list, as nobody can take them out.
[[nodiscard]] bool tells_of_trouble(const nlohmann::json& events, UnixSeconds now);

// For people.
[[nodiscard]] std::string domains_table(const nlohmann::json& all, UnixSeconds now);
[[nodiscard]] std::string domain_text(const nlohmann::json& domain, UnixSeconds now);
// What is wrong now, so many lines at most; empty where nothing is.
[[nodiscard]] std::string alerts_text(const nlohmann::json& alerts, std::size_t most);

}  // namespace tlsguard::ctl

#endif
