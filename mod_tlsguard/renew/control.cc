// SPDX-License-Identifier: Apache-2.0
#include "renew/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>

#include "core/text.h"
#include "renew/activation.h"
#include "renew/domain_report.h"
#include "renew/event_report.h"
#include "renew/json_members.h"
#include "renew/revocation.h"

namespace tlsguard::renew {
namespace {

constexpr std::chrono::seconds patience{20};  // until nobody else works on the domain

}  // namespace

std::string Control::answer(std::string_view line) {
  auto request = parse_control_request(line);
  if (!request) return error_reply(request.error().text);
  try {
    auto result = carry_out(*request);
    return result ? ok_reply(*result) : error_reply(result.error().text);
  } catch (const std::exception& fault) {
    return error_reply(std::string("an internal error: ") + fault.what());
  }
}

Control::Answer Control::carry_out(const ControlRequest& request) {
  switch (request.command) {
    case ControlCommand::status:
      return request.domain.empty() ? status() : status_of(request.domain);
    case ControlCommand::renew:
      return renew(request.domain);
    case ControlCommand::hold:
      return hold(request.domain, true);
    case ControlCommand::resume:
      return hold(request.domain, false);
    case ControlCommand::rollback:
      return roll_back(request.domain);
    case ControlCommand::revoke:
      return revoke(request.domain, request.reason);
    case ControlCommand::account_show:
      return show_accounts();
    case ControlCommand::account_rollover:
      return roll_over(request.ca);
    case ControlCommand::ca_root:
      return ca_root();
    case ControlCommand::look:
      return look(request.domain);
    case ControlCommand::store_gc:
      return collect();
    case ControlCommand::events:
      return events(request.domain);
  }
  return fail("this command is not known here");
}

Control::Answer Control::events(const std::string& identity) {
  return event_report(manager_.agent_directory(), manager_.workshop().jobs, identity);
}

Control::Answer Control::status() {
  Json domains = Json::array();
  for (const DomainStatus& domain : manager_.status()) {
    Json json{{"domain", domain.identity},
              {"names", domain.names},
              {"phase", phase_name(domain.phase)},
              {"next_run", domain.next_run},
              {"errors", domain.errors}};
    if (domain.live) json["not_after"] = domain.live->not_after;
    domains.push_back(std::move(json));
  }
  return Json{{"store", manager_.spec().store_path},
              {"owns_store", manager_.owns_store()},
              {"domains", std::move(domains)},
              {"alerts", alerts_about("")}};
}

// What cannot be read is no reason to say nothing else; `events` says why.
Json Control::alerts_about(const std::string& identity) const {
  return open_alerts(manager_.agent_directory(), identity).value_or(Json::array());
}

Control::Answer Control::status_of(const std::string& identity) {
  auto spec = manager_.find(identity);
  if (!spec) return fail_for_good("'" + identity + "' is not a managed domain of this server");
  const Workshop& shop = manager_.workshop();
  auto read = shop.jobs.read_job(identity);
  if (!read) return tl::unexpected(read.error());
  JobState state = *read ? std::move(**read) : JobState{};
  state.identity = identity;
  Json json = domain_report(state, spec->names, shop.certificates);
  for (const DomainStatus& each : manager_.status()) {
    if (each.identity != identity) continue;
    json["next_run"] = each.next_run;
    if (each.phase == Phase::fresh) continue;  // not looked at yet: what is in the store stands
    // On a full disk these are newer than what could be written.
    json["phase"] = phase_name(each.phase);
    json["reason"] = each.reason;
    json["errors"] = each.errors;
  }
  json["alerts"] = alerts_about(identity);
  return json;
}

Control::Answer Control::renew(const std::string& identity) {
  auto done = manager_.with_domain(identity, patience, /*hurry=*/true, [](JobState& state) {
    state.forced = true;
    return Result<void>{};
  });
  if (!done) return tl::unexpected(done.error());
  return Json{{"text", "a new certificate is being obtained; see status"}};
}

Control::Answer Control::hold(const std::string& identity, bool held) {
  const Workshop& shop = manager_.workshop();
  auto done = manager_.with_domain(identity, patience, /*hurry=*/false, [&](JobState& state) {
    if (state.hold != held) state.remember(shop.world.now(), held ? "hold" : "resume", "");
    state.hold = held;
    return Result<void>{};
  });
  if (!done) return tl::unexpected(done.error());
  return Json{{"text", held ? "nothing is renewed until resume" : "renewals go on"}};
}

Control::Answer Control::roll_back(const std::string& identity) {
  const Workshop& shop = manager_.workshop();
  auto spec = manager_.find(identity);
  if (!spec) return fail_for_good("'" + identity + "' is not a managed domain of this server");
  std::uint32_t now_live = 0;
  auto done = manager_.with_domain(identity, patience, /*hurry=*/false, [&](JobState& state) {
    auto version = version_before(shop.certificates, identity, state, shop.world.now());
    if (!version) return Result<void>(tl::unexpected(version.error()));
    now_live = version->number;
    return activate(shop, *spec, state, *version, origin_of(*version, *spec));
  });
  if (!done) return tl::unexpected(done.error());
  return Json{
      {"version", now_live},
      {"text", fmt::format("version {} is live; 'hold' keeps it from being renewed", now_live)}};
}

Control::Answer Control::revoke(const std::string& identity, std::optional<int> reason) {
  const Workshop& shop = manager_.workshop();
  auto spec = manager_.find(identity);
  if (!spec) return fail_for_good("'" + identity + "' is not a managed domain of this server");
  HttpClients clients(manager_.http());
  auto done = manager_.with_domain(identity, patience, /*hurry=*/true, [&](JobState& state) {
    return revoke_live(shop, clients, *spec, state, reason);
  });
  if (!done) return tl::unexpected(done.error());
  return Json{{"text", "it is revoked, and a new certificate is being obtained"}};
}

Control::Answer Control::show_accounts() {
  Json accounts = Json::array();
  for (const AccountSummary& account : manager_.workshop().accounts.list()) {
    accounts.push_back(to_json(account));
  }
  return Json{{"accounts", std::move(accounts)}};
}

Control::Answer Control::roll_over(const std::string& ca) {
  Accounts& accounts = manager_.workshop().accounts;
  HttpClients clients(manager_.http());
  Json rolled = Json::array();
  for (const AccountSummary& account : accounts.list()) {
    const std::string& url = account.id.directory_url;
    auto settings = manager_.settings_for(url);
    if (!settings || account.account_url.empty()) continue;
    bool meant = ca.empty() || ca == url ||
                 std::any_of(settings->cas.begin(), settings->cas.end(), [&](const CaSpec& each) {
                   return each.directory_url == url && equal_ignoring_case(each.name, ca);
                 });
    if (!meant) continue;
    auto done = accounts.roll_over(clients.to_ca(*settings), account.id);
    if (!done) return tl::unexpected(done.error().within("account at " + url));
    rolled.push_back(account.account_url);
  }
  if (rolled.empty()) {
    return fail_for_good("there is no registered account" + (ca.empty() ? "" : " at " + ca));
  }
  return Json{{"accounts", std::move(rolled)}};
}

Control::Answer Control::ca_root() {
  if (!manager_.settings_for("")) return fail_for_good("no domain has TLSGuardCA internal");
  const Workshop& shop = manager_.workshop();
  auto root = shop.internal.root_pem(shop.world.now());
  if (!root) return tl::unexpected(root.error());
  return Json{{"pem", *root}};
}

// What with_domain() reads anew is put to use.
Control::Answer Control::look(const std::string& identity) {
  auto done = manager_.with_domain(identity, patience, /*hurry=*/true,
                                   [](JobState&) { return Result<void>{}; });
  if (!done) return tl::unexpected(done.error());
  return Json{{"text", "the store was looked at"}};
}

Result<void> Control::collect_versions(const std::string& identity) {
  store::CertificateStore& certificates = manager_.workshop().certificates;
  if (!manager_.find(identity)) return certificates.collect(identity, versions_kept);
  return manager_.with_domain(identity, patience, /*hurry=*/false, [&](JobState&) {
    return certificates.collect(identity, versions_kept);
  });
}

// A domain with an order under way stays: the order holds keys that a CA may have certified.
Control::Answer Control::collect() {
  if (auto ours = manager_.wait_for_store(patience); !ours) return tl::unexpected(ours.error());
  const Workshop& shop = manager_.workshop();
  auto stored = shop.certificates.identities();
  if (!stored) return tl::unexpected(stored.error());
  std::set<std::string> in_use = manager_.served(shop.world.now());
  Json removed = Json::array();
  for (const std::string& identity : *stored) {
    bool keep = in_use.contains(identity) || shop.jobs.has_order(identity);
    auto done = keep ? collect_versions(identity) : shop.certificates.remove(identity);
    if (done && !keep) done = shop.jobs.remove(identity);
    if (!done) return tl::unexpected(done.error().within("domain '" + identity + "'"));
    if (keep) continue;
    shop.reports.remove(identity);
    removed.push_back(identity);
  }
  std::size_t kept = stored->size() - removed.size();
  return Json{{"removed", std::move(removed)}, {"kept", kept}};
}

}  // namespace tlsguard::renew
