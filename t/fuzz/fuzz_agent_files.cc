// SPDX-License-Identifier: Apache-2.0
// The agent's files in the store, and its configuration: torn, foreign or written by somebody else.
// What is read is written and read again as the same.
// Input: one byte that chooses the document, then its content.
#include <cstdint>
#include <string_view>

#include "renew/account_document.h"
#include "renew/alerts.h"
#include "renew/delivery.h"
#include "renew/ledger.h"
#include "renew/order_record.h"
#include "renew/spec_json.h"
#include "renew/state.h"
#include "round_trip.h"

namespace {

using namespace tlsguard;
using fuzz::round_trip;
using fuzz::wrong;

constexpr UnixSeconds now = 1800000000;

void schedule_holds(std::string_view text) {
  auto state = renew::job_state_from_json(text);
  if (!state) return;
  renew::DomainSettings settings;
  settings.cas = {{"letsencrypt", "https://ca.example/directory"}};
  renew::DomainSpec spec{
      "a.example", {"a.example"}, std::make_shared<const renew::DomainSettings>(settings)};
  renew::Plan plan = renew::plan(renew::situation_of(*state, spec), now);
  // Nothing that stands in a file may stop a domain for years.
  renew::Situation situation = renew::situation_of(*state, spec);
  if (situation.failure.in_row > 0 && renew::retry_at(situation, now) > now + 9 * 86400) {
    wrong("a retry that never comes");
  }
  static_cast<void>(plan.next());
}

void ledger_holds(std::string_view text) {
  renew::PublicSuffixes suffixes;
  renew::Ledger ledger(suffixes);
  if (!ledger.read_json(text, now)) return;
  renew::OrderFacts order{.ca = "letsencrypt", .account = "x", .names = {"a.example"}};
  auto held = ledger.postponed(order, now);
  if (held && (held->seconds <= 0 || held->seconds > 7 * 86400)) wrong("held for ever");
  renew::Ledger again(suffixes);
  if (!again.read_json(ledger.to_json(), now)) wrong("not read again");
  if (again.to_json() != ledger.to_json()) wrong("not the same after writing");
}

void alerts_hold(std::string_view text) {
  renew::Alerts alerts;
  if (!alerts.read_json(text, now)) return;
  renew::Alerts again;
  if (!again.read_json(alerts.to_json(), now)) wrong("not read again");
  if (again.to_json() != alerts.to_json()) wrong("not the same after writing");
  // Nothing that stands in a file may silence an alert for ever.
  for (const auto& [key, alert] : again.all()) {
    static_cast<void>(alerts.raise(key, "x", now));
    if (!alerts.raise(key, "x", now + 8 * 86400)) wrong("an alert that is never said");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      round_trip(text, renew::job_state_from_json);
      schedule_holds(text);
      break;
    case 1:
      round_trip(text, renew::order_record_from_json);
      break;
    case 2:
      round_trip(text, renew::account_document_from_json);
      break;
    case 3:
      ledger_holds(text);
      break;
    case 4:
      round_trip(text, renew::agent_spec_from_json);
      break;
    case 5:
      alerts_hold(text);
      break;
    case 6:
      round_trip(text, renew::delivery_from_json);
      break;
    default:
      round_trip(text, renew::dead_letters_from_json);
  }
  return 0;
}
