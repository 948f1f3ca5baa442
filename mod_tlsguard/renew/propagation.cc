// SPDX-License-Identifier: Apache-2.0
#include "renew/propagation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace tlsguard::renew {
namespace {

// Servers are asked again and again: one try each, so that a dead one does not hold up a round.
net::DnsSettings brisk(net::DnsSettings settings) {
  settings.attempts = 1;
  settings.timeout = std::min(settings.timeout, std::chrono::milliseconds(2000));
  return settings;
}

}  // namespace

TxtWatch::TxtWatch(const net::DnsSettings& settings, std::string record, Wanted wanted,
                   std::function<bool()> stopping)
    : resolving_(settings, stopping),
      asking_(brisk(settings), std::move(stopping)),
      record_(std::move(record)),
      wanted_(std::move(wanted)) {}

void TxtWatch::find_zone() {
  auto zone = resolving_.zone_of(record_);
  if (!zone) {
    trouble_ = zone.error().text;
    return;
  }
  trouble_.clear();
  for (net::DnsZone::Server& server : zone->servers) servers_.push_back({std::move(server)});
}

TxtWatch::State TxtWatch::judge(const net::DnsAnswer& answer) {
  std::vector<std::string> values;
  for (const net::DnsRecord& record : answer.records) {
    values.push_back(record.value);
    if (std::find(seen_.begin(), seen_.end(), record.value) == seen_.end()) {
      seen_.push_back(record.value);
    }
  }
  return wanted_(values) ? State::having : State::lacking;
}

TxtWatch::State TxtWatch::ask(Server& server) {
  auto& addresses = server.facts.addresses;
  for (auto address = addresses.begin(); address != addresses.end(); ++address) {
    auto answer = asking_.ask_server(*address, record_, net::DnsType::txt);
    if (!answer) continue;
    std::rotate(addresses.begin(), address, address + 1);  // this one first, the next time
    return judge(*answer);
  }
  return State::silent;
}

TxtWatch::Sight TxtWatch::look() {
  seen_.clear();
  if (servers_.empty()) find_zone();
  Sight sight;
  for (Server& server : servers_) {
    if (server.state != State::having) server.state = ask(server);
    sight.having += server.state == State::having ? 1 : 0;
    sight.lacking += server.state == State::lacking ? 1 : 0;
    sight.silent += server.state == State::silent ? 1 : 0;
  }
  if (sight.having + sight.lacking == 0) look_through_resolvers(sight);
  return sight;
}

void TxtWatch::look_through_resolvers(Sight& sight) {
  sight.by_resolver = true;
  auto answer = resolving_.ask(record_, net::DnsType::txt);
  if (!answer) {
    trouble_ = answer.error().text;
    ++sight.silent;
  } else if (judge(*answer) == State::having) {
    ++sight.having;
  } else {
    ++sight.lacking;
  }
}

bool TxtWatch::glance() {
  if (servers_.empty()) find_zone();
  for (Server& server : servers_) {
    State state = ask(server);
    if (state != State::silent) return state == State::having;
  }
  return false;
}

bool TxtWatch::wait(const Propagation& times, const net::Patience& patience) {
  net::Patience all = patience.at_most(times.limit);
  net::Patience for_the_silent = patience.at_most(times.silence);
  auto pause = times.first_pause;
  for (;;) {
    Sight sight = look();
    bool enough = sight.silent == 0 || sight.by_resolver || for_the_silent.over();
    if (sight.everywhere() && enough) return true;
    if (!all.sleep(pause)) return false;
    pause = std::min(pause * 2, times.longest_pause);
  }
}

std::string TxtWatch::missing() const {
  std::vector<std::string> lacking;
  std::vector<std::string> silent;
  for (const Server& server : servers_) {
    if (server.state == State::lacking) lacking.push_back(server.facts.name);
    if (server.state == State::silent) silent.push_back(server.facts.name);
  }
  std::vector<std::string> parts;
  if (!lacking.empty()) parts.push_back(fmt::format("not at {}", join(lacking, ", ")));
  if (!silent.empty()) parts.push_back(fmt::format("no answer from {}", join(silent, ", ")));
  if (servers_.empty() && !trouble_.empty()) parts.push_back(trouble_);
  return join(parts, "; ");
}

}  // namespace tlsguard::renew
