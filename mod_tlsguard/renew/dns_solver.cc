// SPDX-License-Identifier: Apache-2.0
#include "renew/dns_solver.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/date.h"
#include "core/text.h"
#include "renew/challenge_records.h"
#include "renew/dns_command.h"
#include "renew/propagation.h"

namespace tlsguard::renew {
namespace {

using std::chrono::minutes;

constexpr minutes look_again{15};  // for what has not been published
constexpr UnixSeconds warn_before =
    30LL * 24 * 60 * 60;  // the end of a persistent record, at least

tl::unexpected<Error> stopped() { return fail("the server is stopping"); }

bool is_stopping(const SolverContext& context) { return context.stopping && context.stopping(); }

net::Patience patience_of(const SolverContext& context, std::chrono::milliseconds limit) {
  return net::Patience(limit, context.stopping);
}

// Where the record has to stand: a CNAME at _acme-challenge leads to a zone made for this.
std::string place_of(SolverContext& context, const std::string& record) {
  auto canonical = net::Dns(context.dns, context.stopping).canonical_name(record);
  if (canonical) return *canonical;
  context.log.write(Severity::info, "TG0152",
                    fmt::format("record={}: whether it is a CNAME cannot be known, it is taken "
                                "for none: {}",
                                record, canonical.error().text));
  return record;
}

TxtWatch watch_for(const SolverContext& context, const std::string& place, std::string value) {
  return {context.dns, place,
          [value = std::move(value)](const std::vector<std::string>& values) {
            return std::find(values.begin(), values.end(), value) != values.end();
          },
          context.stopping};
}

Result<void> await(SolverContext& context, TxtWatch& watch, const std::string& place) {
  auto limit = context.propagation.limit;
  if (watch.wait(context.propagation, patience_of(context, limit))) {
    if (std::string missing = watch.missing(); !missing.empty()) {
      context.log.write(Severity::info, "TG0152", fmt::format("record={}: {}", place, missing));
    }
    return {};
  }
  if (is_stopping(context)) return stopped();
  context.log.write(
      Severity::warning, "TG0153",
      fmt::format("record={}: after {} it has not been seen at all servers of its zone ({}); the "
                  "CA is asked nevertheless",
                  place, format_duration(std::chrono::duration_cast<Seconds>(limit)),
                  watch.missing()));
  return {};
}

Error action_needed(const PersistClaim& claim, const PersistMatch& match) {
  std::string text = fmt::format("publish this record: {}", persist_zone_line(claim));
  if (!match.rejected.empty()) {
    text += fmt::format(" (what is published does not do: {})", join(match.rejected, "; "));
  }
  Error error{std::move(text), Next::wait, look_again, "actionNeeded"};
  return error;
}

void warn_of_end(SolverContext& context, const PersistClaim& claim, const PersistMatch& match) {
  // The record is not looked at again before the next order.
  UnixSeconds before = std::max(warn_before, context.next_order_within);
  if (!match.until || *match.until - now_of(context) > before) return;
  std::string text = fmt::format(
      "the record _validation-persist.{} ends at {}: publish one with a later persistUntil, or "
      "without: {}",
      without_wildcard(claim.name), format_date(*match.until), persist_zone_line(claim));
  context.log.write(Severity::warning, "TG0154", fmt::format("domain={}: {}", claim.name, text));
  if (context.action_needed) context.action_needed(text);
}

}  // namespace

Result<void> set_up_record(SolverContext& context, ChallengeType type, const std::string& name,
                           const std::string& key_authorization) {
  if (context.settings.dns_command.empty()) {
    return fail_for_good(fmt::format("{} needs TLSGuardDNSCommand", challenge_type_name(type)));
  }
  auto record = record_name(type, name, context.account_url);
  if (!record) return tl::unexpected(record.error());
  std::string place = place_of(context, *record);
  std::string value = record_value(key_authorization);
  // It is there already where an earlier agent was ended after it had put it there.
  if (watch_for(context, place, value).glance()) return {};
  if (is_stopping(context)) return stopped();
  return run_dns_command(context.settings.dns_command, {DnsAction::setup, place, value},
                         context.log, patience_of(context, context.propagation.command_limit));
}

Result<void> await_record(SolverContext& context, ChallengeType type, const std::string& name,
                          const std::string& key_authorization) {
  auto record = record_name(type, name, context.account_url);
  if (!record) return tl::unexpected(record.error());
  std::string place = place_of(context, *record);
  TxtWatch watch = watch_for(context, place, record_value(key_authorization));
  return await(context, watch, place);
}

void clean_up_record(SolverContext& context, ChallengeType type, const std::string& name,
                     const std::string& key_authorization) {
  auto record = record_name(type, name, context.account_url);
  // An agent that is stopping leaves it to the next one.
  if (!record || context.settings.dns_command.empty() || is_stopping(context)) return;
  std::string place = place_of(context, *record);
  // The command says in the log what went wrong.
  (void)run_dns_command(context.settings.dns_command,
                        {DnsAction::teardown, place, record_value(key_authorization)}, context.log,
                        patience_of(context, context.propagation.command_limit));
}

Result<void> check_persist(SolverContext& context, const PersistClaim& of_name, Issuers issuers) {
  PersistClaim claim = of_name;
  claim.wildcard_too = std::find(context.names.begin(), context.names.end(), "*." + claim.name) !=
                       context.names.end();
  auto record = record_name(ChallengeType::dns_persist_01, claim.name, claim.account_url);
  if (!record) return tl::unexpected(record.error());
  UnixSeconds now = now_of(context);
  TxtWatch watch(
      context.dns, place_of(context, *record),
      [&claim, now](const std::vector<std::string>& values) {
        return match_persist(claim, values, now).found;
      },
      context.stopping);
  TxtWatch::Sight sight = watch.look();
  if (is_stopping(context)) return stopped();
  PersistMatch match = match_persist(claim, watch.seen(), now);
  if (sight.having == 0) {
    if (issuers == Issuers::of_directory && match.other_issuer) return {};
    if (sight.lacking > 0) return tl::unexpected(action_needed(claim, match));
    context.log.write(Severity::info, "TG0152",
                      fmt::format("record={}: whether it is published cannot be known: {}", *record,
                                  watch.missing()));
    return {};
  }
  warn_of_end(context, claim, match);
  if (sight.lacking > 0) return await(context, watch, *record);
  return {};
}

}  // namespace tlsguard::renew
