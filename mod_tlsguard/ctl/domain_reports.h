// SPDX-License-Identifier: Apache-2.0
// What is known of managed domains: asked of the agent or, where httpd is down, read from the
// store. One thread; blocking.
#ifndef TLSGUARD_CTL_DOMAIN_REPORTS_H
#define TLSGUARD_CTL_DOMAIN_REPORTS_H

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "renew/state.h"

namespace tlsguard::ctl {

// {"agent": whether it was asked, "domains": [{domain, names, phase, next_run, errors,
// not_after}]}, sorted.
[[nodiscard]] Result<nlohmann::json> all_domains(const std::string& store);
// renew::domain_report, with next_run where the agent is at work. name: the domain's first name,
// or another of its names. nullopt: it is not managed here.
[[nodiscard]] Result<std::optional<nlohmann::json>> one_domain(const std::string& store,
                                                               const std::string& name);
// What happened to all domains, or to one (its first name), what is wrong, and what could not be
// told: renew::event_report().
[[nodiscard]] Result<nlohmann::json> all_events(const std::string& store,
                                                const std::string& domain);

// For people.
[[nodiscard]] std::string domains_table(const nlohmann::json& all, UnixSeconds now);
[[nodiscard]] std::string domain_text(const nlohmann::json& domain, UnixSeconds now);

}  // namespace tlsguard::ctl

#endif
