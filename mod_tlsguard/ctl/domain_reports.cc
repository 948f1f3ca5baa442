// SPDX-License-Identifier: Apache-2.0
#include "ctl/domain_reports.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "ctl/agent_client.h"
#include "ctl/progress.h"
#include "ctl/running_server.h"
#include "ctl/store_access.h"
#include "renew/domain_report.h"
#include "renew/event_report.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;

// What the store knows of a domain that httpd declares, or has obtained a certificate for.
struct Known {
  renew::JobState state;
  std::vector<std::string> declared;  // names; empty: httpd says nothing of it
  [[nodiscard]] std::vector<std::string> names() const {
    if (!declared.empty()) return declared;
    return state.live ? state.live->names : std::vector<std::string>{state.identity};
  }
};
using KnownDomains = std::map<std::string, Known>;

// httpd, where its agent is not at work; domains: as it started last.
struct Server {
  std::string how = "down";
  std::vector<live::RuntimeDomain> domains;
};

Server look_at_server(const std::string& store) {
  auto running = read_server(store);
  if (!running) return {};
  bool idle = running->domains.empty() && running->lists.empty() && !running->watching;
  std::string how = !is_running(*running) ? "down" : idle ? "idle" : "up";
  return {std::move(how), std::move(running->domains)};
}

// What the state says is live may be older than what is.
Result<KnownDomains> known_domains(StoreAccess& access, const Server& server) {
  KnownDomains all;
  for (renew::JobState& state : access.jobs().all_jobs()) {
    std::string identity = state.identity;
    all[identity].state = std::move(state);
  }
  auto identities = access.certificates().identities();
  if (!identities) return tl::unexpected(identities.error());
  for (const std::string& identity : *identities) all[identity].state.identity = identity;
  for (const live::RuntimeDomain& domain : server.domains) {
    if (domain.names.empty()) continue;
    Known& known = all[domain.names.front()];
    known.state.identity = domain.names.front();
    known.declared = domain.names;
  }
  return all;
}

json in_short(const Known& known) {
  const renew::JobState& state = known.state;
  json domain{{"domain", state.identity},
              {"names", known.names()},
              {"phase", renew::phase_name(state.phase)},
              {"next_run", 0},
              {"errors", state.failure.in_row}};
  if (state.live) domain["not_after"] = state.live->validity.not_after;
  return domain;
}

// What cannot be read is no reason to say nothing else; `events` says why.
json alerts_about(const StoreAccess& access, const std::string& identity) {
  return renew::open_alerts(access.agent_path(), identity).value_or(json::array());
}

bool is_called(const json& domain, const std::string& name) {
  const json& names = domain.at("names");
  return std::any_of(names.begin(), names.end(), [&](const json& each) {
    return each.is_string() && equal_ignoring_case(each.get_ref<const std::string&>(), name);
  });
}

}  // namespace

Result<json> all_domains(const std::string& store) {
  auto asked = ask_agent(store, {.command = ControlCommand::status});
  if (!asked) return tl::unexpected(asked.error());
  json all{{"agent", asked->has_value()}, {"domains", json::array()}, {"alerts", json::array()}};
  if (*asked) {
    all["domains"] = std::move((**asked)["domains"]);
    all["alerts"] = (**asked).value("alerts", json::array());
    return all;
  }
  Progress progress("reading the store");
  Server server = look_at_server(store);
  all["httpd"] = server.how;
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return all;
  auto known = known_domains(**access, server);
  if (!known) return tl::unexpected(known.error());
  for (const auto& [identity, domain] : *known) all["domains"].push_back(in_short(domain));
  all["alerts"] = alerts_about(**access, "");
  return all;
}

Result<std::optional<json>> one_domain(const std::string& store, const std::string& name) {
  auto all = all_domains(store);
  if (!all) return tl::unexpected(all.error());
  const json& domains = (*all)["domains"];
  auto found = std::find_if(domains.begin(), domains.end(),
                            [&](const json& each) { return is_called(each, name); });
  if (found == domains.end()) return std::optional<json>();
  std::string identity = found->at("domain");
  if ((*all)["agent"] == true) {
    auto one = ask_agent(store, {.command = ControlCommand::status, .domain = identity});
    if (!one) return one;
    if (*one) {
      (**one)["agent"] = true;
      return one;
    }
    // It has ended just now.
  }
  Progress progress("reading the store");
  Server server = look_at_server(store);
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return std::optional<json>();
  auto known = known_domains(**access, server);
  if (!known) return tl::unexpected(known.error());
  auto domain = known->find(identity);
  if (domain == known->end()) return std::optional<json>();
  json report =
      renew::domain_report(domain->second.state, domain->second.names(), (*access)->certificates());
  report["agent"] = false;
  report["httpd"] = server.how;
  report["alerts"] = alerts_about(**access, identity);
  return std::optional(std::move(report));
}

Result<json> all_events(const std::string& store, const std::string& domain) {
  auto asked = ask_agent(store, {.command = ControlCommand::events, .domain = to_lower(domain)});
  if (!asked) return tl::unexpected(asked.error());
  if (*asked) return std::move(**asked);
  Progress progress("reading the store");
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) {
    return json{
        {"events", json::array()}, {"alerts", json::array()}, {"dead_letters", json::array()}};
  }
  return renew::event_report((*access)->agent_path(), (*access)->jobs(), domain);
}

}  // namespace tlsguard::ctl
