// SPDX-License-Identifier: Apache-2.0
// Domains as text.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/date.h"
#include "ctl/domain_reports.h"
#include "ctl/output.h"
#include "ctl/report_members.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;

std::string words_of(const json& object, const char* key) {
  std::string text;
  for (const json& each : member(object, key)) {
    std::string word = each.is_string() ? printable(each.get<std::string>()) : each.dump();
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string moment(std::int64_t at) { return at == 0 ? "-" : format_date(at); }

// "in 59 days", "3 hours ago".
std::string from_now(std::int64_t at, UnixSeconds now) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  std::int64_t away = at > now ? at - now : now - at;
  std::string text = away >= 2 * day    ? fmt::format("{} days", away / day)
                     : away >= 2 * hour ? fmt::format("{} hours", away / hour)
                                        : fmt::format("{} minutes", away / minute);
  return at > now ? "in " + text : text + " ago";
}

void add_live(Table& table, const json& domain, UnixSeconds now) {
  const json& live = member(domain, "live");
  if (!live.is_object()) {
    table.add({"certificate", "none yet"});
    return;
  }
  std::int64_t end = number_of(live, "not_after");
  std::string profile = text_of(live, "profile");
  table.add({"certificate",
             fmt::format("version {} from {}{}, live since {}", number_of(live, "version"),
                         text_of(live, "ca"), profile.empty() ? "" : ", profile " + profile,
                         moment(number_of(live, "since")))});
  table.add(
      {end > now ? "expires" : "expired", fmt::format("{} ({})", moment(end), from_now(end, now))});
  for (const json& each : member(live, "certificates")) {
    table.add(
        {text_of(each, "key_type"),
         fmt::format("serial {}, issued by {}", text_of(each, "serial"), text_of(each, "issuer"))});
  }
}

void add_plan(Table& table, const json& domain, UnixSeconds now) {
  std::int64_t next = number_of(domain, "next_run");
  if (next > 0) table.add({"next look", fmt::format("{} ({})", moment(next), from_now(next, now))});
  const json& ari = member(domain, "ari");
  if (number_of(ari, "end") > 0) {
    std::string explained = text_of(ari, "explanation");
    table.add_wrapped(
        {"the CA suggests",
         fmt::format("renewal from {} to {}; it will be at {}{}", moment(number_of(ari, "start")),
                     moment(number_of(ari, "end")), moment(number_of(ari, "renew_at")),
                     explained.empty() ? "" : "; it explains why: " + explained)});
  }
  std::int64_t errors = number_of(domain, "errors");
  if (errors > 0) {
    table.add_wrapped(
        {"last error", fmt::format("{} ({} in a row, the last at {})", text_of(domain, "error"),
                                   errors, moment(number_of(domain, "failed_at")))});
  }
}

// A sentence; empty: one is at work.
std::string missing_agent(const json& report) {
  if (member(report, "agent") == true) return "";
  std::string httpd = text_of(report, "httpd");
  if (httpd == "up") {
    return "No agent is at work, though httpd runs, so nothing is renewed: the error log says why "
           "(TG0065, TG0067, TG0069).\n";
  }
  if (httpd == "idle") return "No agent is at work: the httpd that runs manages no domain.\n";
  return "No agent is at work: httpd is down, so nothing is renewed. Start it.\n";
}

constexpr std::size_t alerts_in_overview = 10;

}  // namespace

std::string alerts_text(const json& alerts, std::size_t most) {
  if (!alerts.is_array() || alerts.empty()) return {};
  Table table;
  for (const json& alert : alerts) {
    if (most-- == 0) break;
    table.add({"since " + moment(number_of(alert, "since")), text_of(alert, "subject"),
               text_of(alert, "kind"), text_of(alert, "text")});
  }
  return "Wrong now:\n" + table.text("  ");
}

std::string domains_table(const json& all, UnixSeconds now) {
  Table table({"DOMAIN", "STATE", "EXPIRES", "", "NEXT LOOK", "ERRORS", "NAMES"});
  for (const json& domain : member(all, "domains")) {
    std::int64_t end = number_of(domain, "not_after");
    table.add({text_of(domain, "domain"), text_of(domain, "phase"), moment(end),
               end == 0 ? "" : from_now(end, now), moment(number_of(domain, "next_run")),
               std::to_string(number_of(domain, "errors")),
               std::to_string(member(domain, "names").size())});
  }
  std::string text = table.text() + missing_agent(all);
  const json& alerts = member(all, "alerts");
  text += alerts_text(alerts, alerts_in_overview);
  if (alerts.size() > alerts_in_overview) {
    text +=
        fmt::format("  and {} more: see tlsguardctl events\n", alerts.size() - alerts_in_overview);
  }
  return text;
}

std::string domain_text(const json& domain, UnixSeconds now) {
  Table table;
  table.add_wrapped({"names", words_of(domain, "names")});
  std::string reason = text_of(domain, "reason");
  // Not wrapped: it may have a record to publish, to be copied.
  table.add({"state", text_of(domain, "phase") + (reason.empty() ? "" : ": " + reason)});
  if (member(domain, "hold") == true) table.add({"", "held: nothing is renewed until resume"});
  add_live(table, domain, now);
  add_plan(table, domain, now);
  std::string revoked = words_of(domain, "revoked");
  table.add({"versions kept", words_of(domain, "versions") +
                                  (revoked.empty() ? "" : " (revoked: " + revoked + ")")});
  Table history;
  for (const json& entry : member(domain, "history")) {
    std::string text = text_of(entry, "text");
    std::vector<std::string> row{moment(number_of(entry, "at")), text_of(entry, "what")};
    if (text.empty()) {
      history.add(std::move(row));
    } else {
      row.push_back(std::move(text));
      history.add_wrapped(std::move(row));
    }
  }
  const json& alerts = member(domain, "alerts");
  return text_of(domain, "domain") + "\n" + table.text("  ") + alerts_text(alerts, alerts.size()) +
         "History\n" + history.text("  ") + missing_agent(domain);
}

}  // namespace tlsguard::ctl
