// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_domains.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/text.h"
#include "ctl/agent_client.h"
#include "ctl/output.h"
#include "ctl/store_access.h"
#include "renew/activation.h"
#include "renew/revocation.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;
using renew::JobState;

json said(const std::string& text) { return {{"text", text}}; }

Result<json> roll_back(StoreAccess& access, JobState& state, UnixSeconds now) {
  auto current = access.certificates().current(state.identity);
  if (!current) return tl::unexpected(current.error());
  if (*current && state.live) state.live->version = (*current)->version;
  auto version = renew::version_before(access.certificates(), state.identity, state, now);
  if (!version) return tl::unexpected(version.error());
  auto live = renew::live_state_of(*version, {.ca_url = state.live->ca_url});
  if (!live) return tl::unexpected(live.error());
  auto activated = access.certificates().activate(state.identity, version->number);
  if (!activated) return tl::unexpected(activated.error());
  live->generation = activated->generation;
  live->since = now;
  state.live = std::move(*live);
  state.failure = {};
  std::string text = fmt::format("version {} is live when httpd starts", version->number);
  state.remember(now, "activated", text);
  json result = said(text + "; 'hold' keeps it from being renewed");
  result["version"] = version->number;
  return result;
}

Result<json> change(StoreAccess& access, ControlCommand command, JobState& state) {
  const UnixSeconds now = std::time(nullptr);
  switch (command) {
    case ControlCommand::renew:
      state.forced = true;
      state.failure = {};
      return said("a new certificate is obtained when httpd starts");
    case ControlCommand::hold:
    case ControlCommand::resume: {
      bool held = command == ControlCommand::hold;
      if (state.hold != held) state.remember(now, held ? "hold" : "resume", "");
      state.hold = held;
      return said(held ? "nothing is renewed until resume" : "renewals go on when httpd runs");
    }
    case ControlCommand::rollback:
      return roll_back(access, state, now);
    default:
      return fail("a CA can only be asked while httpd runs: start it first");
  }
}

Result<json> act_on_store(const DomainOptions& options, const std::string& domain) {
  auto opened = StoreAccess::open(options.store);
  if (!opened) return tl::unexpected(opened.error());
  auto unknown = [&] {
    return fail(fmt::format("'{}' is not a domain of the store {}", domain, options.store));
  };
  if (!*opened) return unknown();
  StoreAccess& access = **opened;
  if (auto locked = access.lock(); !locked) return tl::unexpected(locked.error());
  auto read = access.jobs().read_job(domain);
  if (!read) return tl::unexpected(read.error());
  auto versions = access.certificates().versions(domain);
  if (!*read && (!versions || versions->empty())) return unknown();
  JobState state = *read ? std::move(**read) : JobState{};
  state.identity = domain;
  auto done = change(access, options.command, state);
  if (!done) return done;
  if (auto written = access.jobs().write_job(state); !written) {
    return tl::unexpected(written.error());
  }
  return done;
}

Result<json> act(const DomainOptions& options) {
  renew::ControlRequest request{.command = options.command, .domain = to_lower(options.domain)};
  if (!options.reason.empty()) {
    auto reason = renew::parse_revocation_reason(options.reason);
    if (!reason) return tl::unexpected(reason.error());
    request.reason = *reason;
  }
  auto asked = ask_agent(options.store, request);
  if (!asked) return tl::unexpected(asked.error());
  return *asked ? Result<json>(std::move(**asked)) : act_on_store(options, request.domain);
}

}  // namespace

int act_on_domain(const DomainOptions& options) {
  if (!options.reason.empty()) {
    auto reason = renew::parse_revocation_reason(options.reason);
    if (!reason) return wrong_arguments(reason.error());
  }
  auto done = act(options);
  if (!done) return trouble(done.error());
  if (options.json) {
    print_json(*done);
  } else {
    print(fmt::format("{}: {}\n", printable(options.domain),
                      printable(done->value("text", std::string("done")))));
  }
  return exit_fine;
}

}  // namespace tlsguard::ctl
