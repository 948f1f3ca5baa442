// SPDX-License-Identifier: Apache-2.0
#include "renew/alerts.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "acme/plain_text.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;
constexpr int format_version = 1;
constexpr JsonBounds bounds{max_alerts_file, 5};
constexpr std::size_t longest_subject = 8192;
constexpr std::int64_t most_times = 1000000000;
// A check is written down this often while all goes well: a restart then loses no more.
constexpr std::int64_t checks_written_every = 6 * hour;

struct Rule {
  std::string_view name;
  Event event;
  std::int64_t again;  // seconds between two reminders
  std::int64_t quiet;  // where it comes back within this time it is not said again
};

const Rule& rule_of(AlertKind kind) {
  static constexpr std::array<Rule, 6> rules{{{"expiring", Event::expiring, day, 0},
                                              {"failing", Event::failed, day, 0},
                                              {"unchecked", Event::action_needed, day, 0},
                                              {"ca-silent", Event::failed, day, hour},
                                              {"cannot-load", Event::failed, day, hour},
                                              {"awaits-reload", Event::action_needed, 7 * day, 0}}};
  return rules.at(static_cast<std::size_t>(kind));
}

constexpr std::array<AlertKind, 6> all_kinds{AlertKind::expiring,    AlertKind::failing,
                                             AlertKind::unchecked,   AlertKind::ca_silent,
                                             AlertKind::cannot_load, AlertKind::awaits_reload};

struct ReadAlert {
  AlertKey key;
  Alert alert;
};

void read_alert(Members& members, ReadAlert& out) {
  std::string kind;
  members.text("subject", out.key.subject, longest_subject);
  members.text("kind", kind, 32);
  members.time("raised_at", out.alert.raised_at);
  members.time("said_at", out.alert.said_at);
  members.number("count", out.alert.count, 0, most_times);
  members.time("ended_at", out.alert.ended_at);
  members.text("text", out.alert.text, Alert::max_text);
  for (AlertKind each : all_kinds) {
    out.key.kind = each;
    if (kind == alert_name(each)) return;
  }
  members.note(members.where() + ".kind is none");
}

struct ReadCheck {
  std::string subject;
  UnixSeconds at = 0;
};

void read_said(Members& members, Said& out) {
  members.time("at", out.at);
  members.text("event", out.event, 32);
  members.text("domain", out.domain, longest_subject);
  members.text("text", out.text, Alert::max_text);
}

}  // namespace

std::string_view alert_name(AlertKind kind) { return rule_of(kind).name; }

Event event_of(AlertKind kind) { return rule_of(kind).event; }

std::string text_of_alert(std::string_view text) { return acme::plain_text(text, Alert::max_text); }

bool Alerts::raise(const AlertKey& key, std::string_view text, UnixSeconds now) {
  const Rule& rule = rule_of(key.kind);
  auto [place, fresh] = alerts_.try_emplace(key);
  Alert& alert = place->second;
  if (fresh && alerts_.size() > most) {
    alerts_.erase(place);
    return false;
  }
  alert.said_at = std::min(alert.said_at, now);
  bool ended = std::exchange(alert.ended_at, 0) > 0;
  changed_ |= fresh || ended;
  if (fresh || ended) alert.raised_at = now;
  // One that has come back is said once it has outlived its quiet time.
  if (!fresh && now - alert.said_at < (alert.count == 0 ? rule.quiet : rule.again)) return false;
  alert.said_at = now;
  ++alert.count;
  alert.text = text_of_alert(text);
  return changed_ = true;
}

bool Alerts::end(const AlertKey& key, UnixSeconds now) {
  auto found = alerts_.find(key);
  if (found == alerts_.end() || found->second.ended_at > 0) return false;
  changed_ = true;
  Alert& alert = found->second;
  bool said = alert.count > 0;
  if (rule_of(key.kind).quiet == 0) {
    alerts_.erase(found);
  } else {
    alert.count = 0;
    alert.ended_at = std::max<UnixSeconds>(now, 1);
  }
  return said;
}

std::set<AlertKey> Alerts::open() const {
  std::set<AlertKey> open;
  for (const auto& [key, alert] : alerts_) {
    if (alert.ended_at == 0) open.insert(key);
  }
  return open;
}

void Alerts::checked(const std::string& subject, UnixSeconds now) {
  auto [place, fresh] = checks_.try_emplace(subject);
  if (fresh && checks_.size() > most) {
    checks_.erase(place);
    return;
  }
  UnixSeconds before = std::exchange(place->second, Check{now, false}).at;
  changed_ |= fresh || now / checks_written_every != before / checks_written_every;
}

UnixSeconds Alerts::last_check(const std::string& subject, UnixSeconds now) {
  auto [place, fresh] = checks_.try_emplace(subject, Check{now, false});
  Check& check = place->second;
  check.at = std::min(check.at, now);
  if (!std::exchange(check.noted, true)) changed_ = true;
  return check.at;
}

void Alerts::remember(Said said) {
  said.text = text_of_alert(said.text);
  said_.push_back(std::move(said));
  if (said_.size() > most_said) said_.pop_front();
  changed_ = true;
}

void Alerts::keep_only(const std::function<bool(const std::string&)>& is_subject) {
  auto gone = [&](const auto& subject) { return !is_subject(subject); };
  std::size_t removed =
      std::erase_if(alerts_, [&](const auto& each) { return gone(each.first.subject); }) +
      std::erase_if(checks_, [&](const auto& each) { return gone(each.first); });
  changed_ |= removed > 0;
}

void Alerts::put_open(TroubleReport& report) const {
  using Open = std::pair<const AlertKey, Alert>;
  std::array<std::vector<const Open*>, all_kinds.size()> by_kind;
  for (const Open& each : alerts_) {
    if (each.second.ended_at > 0) continue;
    by_kind.at(static_cast<std::size_t>(each.first.kind)).push_back(&each);
  }
  auto newer = [](const Open* a, const Open* b) {
    return std::tie(b->second.raised_at, a->first) < std::tie(a->second.raised_at, b->first);
  };
  for (AlertKind kind : all_kinds) {
    auto& open = by_kind.at(static_cast<std::size_t>(kind));
    report.counts[std::string(alert_name(kind))] = open.size();
    auto end = open.begin() + static_cast<std::ptrdiff_t>(
                                  std::min(open.size(), TroubleReport::most_alerts_of_kind));
    std::partial_sort(open.begin(), end, open.end(), newer);
    for (auto each = open.begin(); each != end; ++each) {
      const auto& [key, alert] = **each;
      report.alerts.push_back(
          {std::string(alert_name(kind)), key.subject, alert.raised_at, alert.text, alert.said_at});
    }
  }
}

bool Alerts::take_changed() { return std::exchange(changed_, false); }

void Alerts::not_kept() { changed_ = true; }

std::string Alerts::to_json() const {
  Json alerts = Json::array();
  for (const auto& [key, alert] : alerts_) {
    alerts.push_back({{"subject", key.subject},
                      {"kind", alert_name(key.kind)},
                      {"raised_at", alert.raised_at},
                      {"said_at", alert.said_at},
                      {"count", alert.count},
                      {"ended_at", alert.ended_at},
                      {"text", alert.text}});
  }
  Json checks = Json::array();
  for (const auto& [subject, check] : checks_) {
    checks.push_back({{"subject", subject}, {"at", check.at}});
  }
  Json said = Json::array();
  for (const Said& each : said_) {
    said.push_back(
        {{"at", each.at}, {"event", each.event}, {"domain", each.domain}, {"text", each.text}});
  }
  return dump({{"version", format_version},
               {"alerts", std::move(alerts)},
               {"checks", std::move(checks)},
               {"said", std::move(said)}}) +
         "\n";
}

Result<void> Alerts::read_json(std::string_view text, UnixSeconds now) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  Members members(*parsed, "alerts");
  int version = 0;
  std::vector<ReadAlert> alerts;
  std::vector<ReadCheck> checks;
  members.number("version", version, format_version, format_version);
  members.objects("alerts", alerts, most, read_alert);
  members.objects("checks", checks, most, [](Members& check, ReadCheck& out) {
    check.text("subject", out.subject, longest_subject);
    check.time("at", out.at);
  });
  std::vector<Said> said;
  members.objects("said", said, most_said, read_said);
  if (members.error()) return tl::unexpected(*members.error());
  alerts_.clear();
  checks_.clear();
  said_.assign(said.begin(), said.end());
  for (ReadAlert& each : alerts) alerts_.emplace(std::move(each.key), std::move(each.alert));
  for (ReadCheck& each : checks) {
    checks_.emplace(std::move(each.subject), Check{std::min(each.at, now), false});
  }
  changed_ = false;
  return {};
}

}  // namespace tlsguard::renew
