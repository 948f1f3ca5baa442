// SPDX-License-Identifier: Apache-2.0
#include "status/section.h"

#include <fmt/format.h>

#include "core/date.h"
#include "status/markup.h"

namespace tlsguard::status {
namespace {

std::string domains_html(const DomainTally& tally, UnixSeconds now) {
  std::string text = fmt::format("<dt>Managed domains: {}", grouped(tally.total));
  for (std::size_t i = 0; i < health_count; ++i) {
    if (tally.by_health.at(i) == 0) continue;
    text +=
        fmt::format(", {} {}", grouped(tally.by_health.at(i)), health_name(static_cast<Health>(i)));
  }
  if (tally.first_expiry > 0) {
    text += fmt::format("; the first expires {}", distance(tally.first_expiry, now));
  }
  return text + "</dt>\n";
}

}  // namespace

std::string section_html(const Model& model) {
  Handshakes sums = handshakes_of(model.census);
  std::string text = "<hr>\n<h1>TLS by mod_tlsguard</h1>\n<dl>\n";
  if (model.managing) text += domains_html(model.tally, model.now);
  if (agent_is_missing(model)) {
    text += "<dt>tlsguard-agent is not at work: nothing is renewed, nobody is told</dt>\n";
  }
  text += fmt::format(
      "<dt>Virtual hosts with TLS: {}; handshakes: {} full, {} resumed; {} did not fit the policy "
      "in force</dt>\n</dl>\n",
      grouped(model.hosts.size()), grouped(sums.full), grouped(sums.resumed),
      grouped(sums.refused));
  return text;
}

std::string section_text(const Model& model) {
  std::string text;
  auto add = [&](std::string_view name, std::uint64_t value) {
    text += fmt::format("TLSGuard{}: {}\n", name, value);
  };
  if (model.managing || model.watching) add("AgentMissing", agent_is_missing(model) ? 1 : 0);
  if (model.managing) {
    add("Domains", model.tally.total);
    add("DomainsExpired", model.tally.of(Health::expired));
    add("DomainsFailing", model.tally.of(Health::failing));
    add("DomainsMissing", model.tally.of(Health::missing));
    add("DomainsExpiring", model.tally.of(Health::expiring));
    if (model.tally.first_expiry > 0) {
      text += fmt::format("TLSGuardFirstExpiry: {}\n", format_date(model.tally.first_expiry));
    }
  }
  Handshakes sums = handshakes_of(model.census);
  add("VirtualHosts", model.hosts.size());
  add("HandshakesFull", sums.full);
  add("HandshakesResumed", sums.resumed);
  add("HandshakesNotFitting", sums.refused);
  return text;
}

}  // namespace tlsguard::status
