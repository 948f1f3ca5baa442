// SPDX-License-Identifier: Apache-2.0
#include "renew/alert_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/text.h"

namespace tlsguard::renew {
namespace {

constexpr mode_t private_file = 0600;
constexpr std::int64_t day = 86400;

// Of a managed domain: an activation after failures ends all of them.
constexpr std::array<AlertKind, 3> ended_by_recovery{AlertKind::expiring, AlertKind::failing,
                                                     AlertKind::unchecked};

// More than this of one kind at once, for the same receivers, are one message: a thousand would
// crowd out all others, and nobody reads them.
constexpr std::size_t most_at_once = 20;

std::string lines_of(const DomainSpec& domain) {
  std::string lines;
  for (const EventSpec& line : domain.settings->events) {
    lines += std::to_string(static_cast<int>(line.kind)) + join(line.arguments, "\n") + '\n';
  }
  return lines;
}

}  // namespace

void AlertKeeper::open(const std::string& agent) {
  auto complain = [&](const Error& error) {
    log_.write(Severity::warning, "TG0145",
               "alerts: what was said before is not known, and may be said again: " + error.text);
  };
  std::lock_guard lock(mutex_);
  auto directory = store::Directory::open(agent);
  if (!directory) return complain(directory.error());
  directory_.emplace(std::move(*directory));
  auto text = directory_->read(alerts_file, max_alerts_file);
  if (!text) return complain(text.error());
  if (!*text) return;
  auto read = alerts_.read_json(**text, now_());
  if (read) return;
  complain(read.error());
  static_cast<void>(directory_->set_aside(alerts_file));
}

// Under the mutex. Jobs say what they find each time they find it.
bool AlertKeeper::passes(Event event, const std::string& domain, const std::string& text) {
  UnixSeconds now = now_();
  switch (event) {
    case Event::expiring:
      if (!alerts_.raise({domain, AlertKind::expiring}, text, now)) return false;
      break;
    case Event::failed:
      return alerts_.raise({domain, AlertKind::failing}, text, now);
    case Event::action_needed: {
      const auto& said = alerts_.said();
      bool lately = std::any_of(said.begin(), said.end(), [&](const Said& each) {
        return each.event == event_name(event) && each.domain == domain && each.at <= now &&
               now - each.at < day && each.text == text_of_alert(text);
      });
      if (lately) return false;
      break;
    }
    case Event::recovered:
      if (!ends_anything(domain, now)) return false;
      break;
    default:
      return true;
  }
  alerts_.remember({now, std::string(event_name(event)), domain, text});
  return true;
}

// Under the mutex. Nothing recovers of which nobody was told.
bool AlertKeeper::ends_anything(const std::string& domain, UnixSeconds now) {
  bool any = false;
  for (AlertKind kind : ended_by_recovery) any |= alerts_.end({domain, kind}, now);
  const auto& said = alerts_.said();
  auto last = std::find_if(said.rbegin(), said.rend(), [&](const Said& each) {
    return each.domain == domain && (each.event == event_name(Event::action_needed) ||
                                     each.event == event_name(Event::recovered));
  });
  return any || (last != said.rend() && last->event == event_name(Event::action_needed));
}

void AlertKeeper::tell(Event event, const DomainSpec& domain, const std::string& text) {
  {
    std::lock_guard lock(mutex_);
    if (!passes(event, domain.identity, text)) return;
    ++on_the_way_;
  }
  inner_.tell(event, domain, text);
  {
    std::lock_guard lock(mutex_);
    --on_the_way_;
  }
  flush();
}

// Under the mutex. Several troubles of one subject that are over at once are one message.
void AlertKeeper::settle(const Observation& finding, UnixSeconds seen_at,
                         std::vector<Message>& messages, std::map<std::string, Message>& over) {
  UnixSeconds now = now_();
  const std::string& subject = finding.key.subject;
  if (finding.state == Observation::State::wrong) {
    if (!alerts_.raise(finding.key, finding.text, now)) return;
    log_.write(
        Severity::warning, "TG0146",
        fmt::format("alert={}: {}: {}", alert_name(finding.key.kind), subject, finding.text));
    for (const auto& to : finding.to) {
      messages.push_back({event_of(finding.key.kind), to, finding.text});
    }
    return;
  }
  auto open = alerts_.all().find(finding.key);
  if (open == alerts_.all().end() || open->second.raised_at >= seen_at) return;
  if (!alerts_.end(finding.key, now)) return;
  log_.write(
      Severity::notice, "TG0147",
      fmt::format("alert={}: {}: over: {}", alert_name(finding.key.kind), subject, finding.text));
  for (const auto& to : finding.to) {
    auto [place, first] = over.try_emplace(to->identity + '\n' + subject,
                                           Message{Event::recovered, to, finding.text});
    if (!first) place->second.text += "; " + finding.text;
  }
}

void AlertKeeper::judge(const std::vector<Observation>& findings, UnixSeconds seen_at,
                        const std::function<bool(const std::string&)>& is_subject) {
  std::vector<Message> messages;
  std::map<std::string, Message> over;
  {
    std::lock_guard lock(mutex_);
    for (const Observation& finding : findings) settle(finding, seen_at, messages, over);
    alerts_.keep_only(is_subject);
    for (auto& [key, message] : over) messages.push_back(std::move(message));
    messages = gathered(std::move(messages));
    for (const Message& message : messages) {
      alerts_.remember(
          {now_(), std::string(event_name(message.event)), message.to->identity, message.text});
    }
    ++on_the_way_;
  }
  for (const Message& message : messages) inner_.tell(message.event, *message.to, message.text);
  {
    std::lock_guard lock(mutex_);
    --on_the_way_;
  }
  flush();
}

std::vector<AlertKeeper::Message> AlertKeeper::gathered(std::vector<Message> messages) {
  if (messages.size() <= most_at_once) return messages;
  constexpr std::size_t named = 10;
  std::map<std::pair<Event, std::string>, std::vector<Message>> groups;
  for (Message& message : messages) {
    groups[{message.event, lines_of(*message.to)}].push_back(std::move(message));
  }
  messages.clear();
  for (auto& [key, group] : groups) {
    if (group.size() <= most_at_once) {
      std::move(group.begin(), group.end(), std::back_inserter(messages));
      continue;
    }
    std::vector<std::string> others;
    for (std::size_t i = 1; i <= named; ++i) others.push_back(group[i].to->identity);
    Message all = std::move(group.front());
    all.text += fmt::format("; and so for {} more: {} …; 'tlsguardctl events' has all",
                            group.size() - 1, join(others, ", "));
    messages.push_back(std::move(all));
  }
  return messages;
}

void AlertKeeper::checked(const std::string& subject) {
  std::lock_guard lock(mutex_);
  alerts_.checked(subject, now_());
}

UnixSeconds AlertKeeper::last_check(const std::string& subject) {
  std::lock_guard lock(mutex_);
  return alerts_.last_check(subject, now_());
}

void AlertKeeper::put_open(TroubleReport& report) const {
  std::lock_guard lock(mutex_);
  alerts_.put_open(report);
}

std::set<AlertKey> AlertKeeper::open_alerts() const {
  std::lock_guard lock(mutex_);
  return alerts_.open();
}

// Only once each message is in the outbox: one that is told twice is better than one that is lost.
void AlertKeeper::flush() {
  using Steady = std::chrono::steady_clock;
  std::lock_guard writing(writing_);
  std::string content;
  const auto began = Steady::now();
  {
    std::lock_guard lock(mutex_);
    if (!directory_ || on_the_way_ > 0 || began < write_again_at_) return;
    if (!alerts_.take_changed()) return;
    content = alerts_.to_json();
  }
  auto written = directory_->write(alerts_file, content, private_file, store::Durability::quick);
  // Ten thousand alerts take a moment each time: no more of it than a twentieth of the time.
  constexpr std::chrono::milliseconds brief{5};
  const auto took = Steady::now() - began;
  if (took > brief) write_again_at_ = Steady::now() + 20 * took;
  if (written) return;
  std::lock_guard lock(mutex_);
  alerts_.not_kept();
  if (std::exchange(complained_, true)) return;
  log_.write(Severity::warning, "TG0145",
             "alerts: what was said is not kept, and may be said again after a restart: " +
                 written.error().text);
}

}  // namespace tlsguard::renew
