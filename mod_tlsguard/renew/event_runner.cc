// SPDX-License-Identifier: Apache-2.0
#include "renew/event_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "acme/plain_text.h"
#include "core/date.h"
#include "core/text.h"
#include "renew/command.h"
#include "renew/webhook.h"

namespace tlsguard::renew {

std::string_view event_name(Event event) {
  constexpr std::array<std::string_view, 8> names{"renewing", "renewed",      "activated",
                                                  "expiring", "failed",       "recovered",
                                                  "revoked",  "action-needed"};
  return names.at(static_cast<std::size_t>(event));
}

EventRunner::EventRunner(Setup setup, LogSink& log)
    : factories_{std::move(setup.webhooks), {}},
      log_(log),
      now_(std::move(setup.now)),
      server_(std::move(setup.server)),
      pace_(std::move(setup.pace)),
      outbox_(log),
      pool_({.busy = 32, .threads = 64}, factories_) {}

void EventRunner::open(const std::string& agent,
                       const std::function<bool(const EventSpec&)>& is_known) {
  outbox_.open(agent, is_known, now_());
  deliver_due();
  wake();  // what is not due yet is nearer than what it waits for
}

void EventRunner::wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

std::string EventRunner::run_line(const EventSpec& line, const std::string& event,
                                  const std::string& domain, bool& started) {
  std::vector<std::string> argv = line.arguments;
  argv.push_back(event);
  argv.push_back(domain);
  auto end = run_command(argv, net::Patience(pace_.command));
  started = end.has_value();
  std::string wrong = end ? end->text() : end.error().text;
  if (wrong.empty()) return wrong;
  std::string output = end ? std::string(trim(end->output)) : "";
  log_.write(Severity::warning, "TG0140",
             fmt::format("domain={}: command {} for event '{}': {}{}", domain, argv.front(), event,
                         wrong, output.empty() ? "" : ": " + output));
  return wrong;
}

bool EventRunner::allows(const DomainSpec& domain) {
  bool allowed = true;
  const std::string event(event_name(Event::renewing));
  for (const EventSpec& line : domain.settings->events) {
    if (line.kind != EventSpec::Kind::command) continue;
    bool started = false;
    bool well = run_line(line, event, domain.identity, started).empty();
    // One that cannot be started has no opinion.
    allowed = (well || !started) && allowed;
  }
  if (allowed) tell(Event::renewing, domain, "a new certificate is about to be obtained");
  return allowed;
}

void EventRunner::tell(Event event, const DomainSpec& domain, const std::string& text) {
  Delivery delivery;
  delivery.id = new_event_id();
  delivery.event = event_name(event);
  delivery.domain = domain.identity;
  delivery.at = delivery.next_at = now_();
  delivery.text = acme::plain_text(text, max_event_text);
  const std::string body =
      webhook_body({delivery.id, delivery.event, domain, delivery.text, delivery.at, server_});
  bool any = false;
  for (const EventSpec& line : domain.settings->events) {
    bool webhook = line.kind == EventSpec::Kind::webhook;
    // Commands were asked about `renewing` before.
    if (line.arguments.empty() || (event == Event::renewing && !webhook)) continue;
    delivery.to = line;
    delivery.body = webhook ? body : "";
    outbox_.add(delivery, now_());
    any = true;
  }
  if (any) deliver_due();
}

UnixSeconds EventRunner::deliver_due() {
  while (auto due = outbox_.take(now_())) {
    pool_.submit([this, delivery = std::move(*due)](HttpClients& clients) {
      deliver(delivery, clients);
      deliver_due();  // what waited for this one
    });
  }
  return outbox_.next();
}

void EventRunner::run() {
  constexpr std::int64_t longest_nap = 60;  // the clock may jump
  for (;;) {
    UnixSeconds next = deliver_due();
    UnixSeconds now = now_();
    // What is due, and was not taken, is taken by the thread that is in its way.
    std::int64_t nap = next == never ? longest_nap : std::clamp<std::int64_t>(next - now, 1, 60);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(nap), [&] { return woken_; });
    woken_ = false;
  }
}

void EventRunner::deliver(Delivery delivery, HttpClients& clients) {
  ++delivery.tries;
  if (delivery.to.kind == EventSpec::Kind::command) return run_command_of(delivery);
  call(delivery, clients.to_ca(DomainSettings{}));
}

void EventRunner::run_command_of(Delivery& delivery) {
  outbox_.begun(delivery);
  bool started = false;
  std::string wrong = run_line(delivery.to, delivery.event, delivery.domain, started);
  if (wrong.empty()) return outbox_.delivered(delivery);
  delivery.error = acme::plain_text(wrong, max_event_text);
  outbox_.give_up(delivery, now_());
}

// What is wrong; empty: it was taken.
std::string EventRunner::post(const Delivery& delivery, net::HttpClient& http) {
  auto request = webhook_request(delivery.to, delivery.body);
  if (!request) return request.error().text;
  auto response = http.send(*request);
  if (!response) return response.error().text;
  return response->status / 100 == 2 ? "" : fmt::format("HTTP status {}", response->status);
}

void EventRunner::call(Delivery& delivery, net::HttpClient& http) {
  std::string wrong = post(delivery, http);
  if (wrong.empty()) return outbox_.delivered(delivery);
  delivery.error = acme::plain_text(wrong, max_event_text);
  not_delivered(delivery);
}

void EventRunner::not_delivered(Delivery& delivery) {
  UnixSeconds now = now_();
  std::string about = fmt::format("domain={}: webhook {} for event '{}'", delivery.domain,
                                  receiver_of(delivery.to), delivery.event);
  if (delivery.tries > pace_.again.size()) {
    outbox_.give_up(delivery, now);
    return log_.write(Severity::warning, "TG0141",
                      fmt::format("{}: {}; given up after {} tries, see 'tlsguardctl events'",
                                  about, delivery.error, delivery.tries));
  }
  delivery.next_at = now + pace_.again[delivery.tries - 1];
  outbox_.again(delivery);
  // The first time, since a day may pass until it is given up.
  log_.write(delivery.tries == 1 ? Severity::notice : Severity::info, "TG0144",
             fmt::format("{}: {}; tried again at {}", about, delivery.error,
                         format_date(delivery.next_at)));
  wake();
}

}  // namespace tlsguard::renew
