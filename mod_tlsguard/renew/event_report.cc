// SPDX-License-Identifier: Apache-2.0
#include "renew/event_report.h"

#include <algorithm>
#include <ctime>
#include <set>
#include <tuple>

#include "core/text.h"
#include "renew/alerts.h"
#include "renew/json_members.h"
#include "renew/outbox.h"

namespace tlsguard::renew {
namespace {

bool is_asked(const std::string& asked, const std::string& domain) {
  return asked.empty() || equal_ignoring_case(asked, domain);
}

// A file's subject ends with its server name.
bool is_about(const std::string& asked, const std::string& subject) {
  return is_asked(asked, subject) || to_lower(subject).ends_with(' ' + to_lower(asked));
}

Json events_of(const JobStore& jobs, const Alerts& alerts, const std::string& asked) {
  Json events = Json::array();
  std::set<std::tuple<std::string, std::string, std::string>> known;
  auto add = [&](UnixSeconds at, const std::string& domain, const std::string& what,
                 const std::string& text) {
    events.push_back({{"at", at}, {"domain", domain}, {"what", what}, {"text", text}});
  };
  for (const JobState& state : jobs.all_jobs()) {
    if (!is_asked(asked, state.identity)) continue;
    for (const HistoryEntry& entry : state.history) {
      add(entry.at, state.identity, entry.what, entry.text);
      known.emplace(state.identity, entry.what, text_of_alert(entry.text));
    }
  }
  for (const Said& said : alerts.said()) {
    if (!is_asked(asked, said.domain)) continue;
    // A job has written it down already.
    if (known.contains({said.domain, said.event, said.text})) continue;
    add(said.at, said.domain, said.event, said.text);
  }
  std::stable_sort(events.begin(), events.end(), [](const Json& a, const Json& b) {
    return a.at("at").get<UnixSeconds>() < b.at("at").get<UnixSeconds>();
  });
  return events;
}

Json open_alerts_of(const Alerts& alerts, const std::string& asked) {
  Json open = Json::array();
  for (const auto& [key, alert] : alerts.all()) {
    if (alert.ended_at > 0 || !is_about(asked, key.subject)) continue;
    open.push_back({{"since", alert.raised_at},
                    {"subject", key.subject},
                    {"kind", alert_name(key.kind)},
                    {"said_at", alert.said_at},
                    {"count", alert.count},
                    {"text", alert.text}});
  }
  return open;
}

Result<Alerts> read_alerts(const store::Directory& directory) {
  Alerts alerts;
  auto text = directory.read(alerts_file, max_alerts_file);
  if (!text) return tl::unexpected(text.error());
  if (*text) {
    // A torn one is the agent's to set aside: what else is known is shown.
    static_cast<void>(alerts.read_json(**text, static_cast<UnixSeconds>(std::time(nullptr))));
  }
  return alerts;
}

}  // namespace

Result<Json> open_alerts(const std::string& agent, const std::string& domain) {
  auto directory = store::Directory::open(agent);
  if (!directory) return tl::unexpected(directory.error());
  auto alerts = read_alerts(*directory);
  if (!alerts) return tl::unexpected(alerts.error());
  return open_alerts_of(*alerts, domain);
}

Result<Json> event_report(const std::string& agent, const JobStore& jobs,
                          const std::string& domain) {
  auto directory = store::Directory::open(agent);
  if (!directory) return tl::unexpected(directory.error());
  auto alerts = read_alerts(*directory);
  if (!alerts) return tl::unexpected(alerts.error());
  auto letters = read_dead_letters(*directory);
  if (!letters) return tl::unexpected(letters.error().within("dead letters"));
  Json dead = Json::array();
  for (const DeadLetter& letter : *letters) {
    if (is_asked(domain, letter.domain)) dead.push_back(to_json(letter));
  }
  return Json{{"events", events_of(jobs, *alerts, domain)},
              {"alerts", open_alerts_of(*alerts, domain)},
              {"dead_letters", std::move(dead)}};
}

}  // namespace tlsguard::renew
