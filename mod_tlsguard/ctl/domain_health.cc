// SPDX-License-Identifier: Apache-2.0
// Which reports mean trouble, for the exit status.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/domain_reports.h"
#include "ctl/report_members.h"
#include "status/model.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::Phase;

// Of all_domains() or one_domain(): the latter says more of what is live.
UnixSeconds end_of_live(const json& domain) {
  const json& live = member(domain, "live");
  return number_of(live.is_object() ? live : domain, "not_after");
}

}  // namespace

bool lacks_agent(const json& report) {
  return member(report, "agent") != true && text_of(report, "httpd") != "idle";
}

bool needs_attention(const json& domain, UnixSeconds now) {
  status::Domain seen;
  seen.phase = renew::phase_from_name(text_of(domain, "phase"));
  seen.not_after = end_of_live(domain);
  seen.generation = seen.not_after > 0 ? 1 : 0;
  seen.errors = number_of(domain, "errors") > 0 ? 1 : 0;
  // After a start it takes the agent a while to look at all of them.
  if (seen.phase == Phase::fresh) return false;
  bool paused = member(domain, "hold") == true || seen.phase == Phase::held ||
                seen.phase == Phase::manual || seen.phase == Phase::undeclared;
  if (paused && seen.not_after > now) return false;
  return status::health_of(seen, now) <= status::Health::missing;
}

bool tells_of_trouble(const json& events, UnixSeconds now) {
  constexpr UnixSeconds day = 86400;
  const json& letters = member(events, "dead_letters");
  return !member(events, "alerts").empty() ||
         std::any_of(letters.begin(), letters.end(),
                     [&](const json& letter) { return number_of(letter, "died_at") > now - day; });
}

}  // namespace tlsguard::ctl
