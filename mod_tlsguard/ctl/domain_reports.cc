// SPDX-License-Identifier: Apache-2.0
#include "ctl/domain_reports.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "ctl/agent_client.h"
#include "ctl/store_access.h"
#include "renew/domain_report.h"
#include "renew/event_report.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;

// Of each domain that has a certificate or a history in the store. What the state says is live may
// be older than what is.
Result<std::map<std::string, renew::JobState>> stored_domains(StoreAccess& access) {
  std::map<std::string, renew::JobState> all;
  for (renew::JobState& state : access.jobs().all_jobs()) {
    std::string identity = state.identity;
    all.emplace(std::move(identity), std::move(state));
  }
  auto identities = access.certificates().identities();
  if (!identities) return tl::unexpected(identities.error());
  for (const std::string& identity : *identities) all[identity].identity = identity;
  return all;
}

std::vector<std::string> names_of(const renew::JobState& state) {
  return state.live ? state.live->names : std::vector<std::string>{state.identity};
}

json in_short(const renew::JobState& state) {
  json domain{{"domain", state.identity},
              {"names", names_of(state)},
              {"phase", renew::phase_name(state.phase)},
              {"next_run", 0},
              {"errors", state.failure.in_row}};
  if (state.live) domain["not_after"] = state.live->validity.not_after;
  return domain;
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
  json all{{"agent", asked->has_value()}, {"domains", json::array()}};
  if (*asked) {
    all["domains"] = std::move((**asked)["domains"]);
    return all;
  }
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return all;
  auto stored = stored_domains(**access);
  if (!stored) return tl::unexpected(stored.error());
  for (const auto& [identity, state] : *stored) all["domains"].push_back(in_short(state));
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
    return ask_agent(store, {.command = ControlCommand::status, .domain = identity});
  }
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return std::optional<json>();
  auto stored = stored_domains(**access);
  if (!stored) return tl::unexpected(stored.error());
  const renew::JobState& state = stored->at(identity);
  return std::optional(renew::domain_report(state, names_of(state), (*access)->certificates()));
}

Result<json> all_events(const std::string& store, const std::string& domain) {
  auto asked = ask_agent(store, {.command = ControlCommand::events, .domain = to_lower(domain)});
  if (!asked) return tl::unexpected(asked.error());
  if (*asked) return std::move(**asked);
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) {
    return json{
        {"events", json::array()}, {"alerts", json::array()}, {"dead_letters", json::array()}};
  }
  return renew::event_report((*access)->agent_path(), (*access)->jobs(), domain);
}

}  // namespace tlsguard::ctl
