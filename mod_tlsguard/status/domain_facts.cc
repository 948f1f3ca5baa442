// SPDX-License-Identifier: Apache-2.0
#include "status/domain_facts.h"

#include <algorithm>
#include <limits>

#include "core/text.h"
#include "renew/json_members.h"

namespace tlsguard::status {
namespace {

using renew::Members;

constexpr renew::JsonBounds bounds{max_report, 8};
constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_name = 255;
constexpr std::size_t most_names = 1024;
constexpr std::size_t most_certificates = 16;
constexpr std::size_t most_events = 64;
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

void read_certificate(Members& m, Certificate& one) {
  m.text("key_type", one.key_type, longest_name);
  m.text("serial", one.serial, longest_name);
  m.text("issuer", one.issuer, longest_text);
  m.time("not_before", one.not_before);
  m.time("not_after", one.not_after);
}

void read_live(Members& m, DomainFacts& facts) {
  m.number("version", facts.version, 0, std::numeric_limits<std::uint32_t>::max());
  m.time("since", facts.since);
  m.text("ca", facts.ca, longest_text);
  m.optional_text("profile", facts.profile, longest_text);
  m.objects("certificates", facts.certificates, most_certificates, read_certificate);
}

void read_ari(Members& m, AriWindow& ari) {
  m.time("start", ari.start);
  m.time("end", ari.end);
  m.time("renew_at", ari.renew_at);
  m.optional_text("explanation", ari.explanation, longest_text);
}

void read_next(Members& m, NextStep& next) {
  m.time("renew_at", next.renew_at);
  m.text("cause", next.cause, longest_name);
  m.time("floor_at", next.floor_at);
  m.time("ask_ari_at", next.ask_ari_at);
}

void read_served(Members& m, Served& served) {
  m.number("generation", served.generation, 0, most);
  m.texts("serials", served.serials, most_certificates, longest_name);
}

void read_event(Members& m, PastEvent& event) {
  m.time("at", event.at);
  m.text("what", event.what, longest_name);
  m.text("text", event.text, longest_text);
}

}  // namespace

std::string DomainFacts::serial_of(std::uint64_t generation) const {
  auto found = std::find_if(served.begin(), served.end(),
                            [&](const Served& one) { return one.generation == generation; });
  return found != served.end() ? join(found->serials, " ") : "";
}

Result<DomainFacts> read_domain_facts(std::string_view json) {
  auto object = renew::parse_object(json, bounds);
  if (!object) return tl::unexpected(object.error());
  DomainFacts facts;
  Members m(*object, "report");
  m.texts("names", facts.names, most_names, longest_name);
  m.text("reason", facts.reason, longest_text);
  m.text("error", facts.error, longest_text);
  m.time("failed_at", facts.failed_at);
  m.object("ari", [&](Members& ari) { read_ari(ari, facts.ari); });
  m.object("next", [&](Members& next) { read_next(next, facts.next); });
  if (m.has("live")) m.object("live", [&](Members& live) { read_live(live, facts); });
  m.objects("served", facts.served, most_certificates, read_served);
  m.objects("history", facts.history, most_events, read_event);
  if (m.error()) return tl::unexpected(*m.error());
  return facts;
}

}  // namespace tlsguard::status
