// SPDX-License-Identifier: Apache-2.0
#include "status/words.h"

#include <fmt/format.h>

#include "status/markup.h"

namespace tlsguard::status {
namespace {

using renew::Phase;

std::string_view phase_words(Phase phase) {
  switch (phase) {
    case Phase::fresh:
      return "not looked at yet";
    case Phase::waiting:
      return "valid";
    case Phase::ordering:
      return "order under way";
    case Phase::preflight_failed:
      return "pre-flight failed";
    case Phase::ca_error:
      return "CA error";
    case Phase::own_error:
      return "own error";
    case Phase::postponed:
      return "postponed";
    case Phase::action_needed:
      return "action needed";
    case Phase::vetoed:
      return "vetoed";
    case Phase::terms_not_agreed:
      return "terms not agreed";
    case Phase::manual:
      return "manual";
    case Phase::held:
      return "held";
    case Phase::undeclared:
      return "no longer declared";
    case Phase::passive:
      return "renewed elsewhere";
  }
  return "unknown";
}

std::string by_hand(const Domain& domain, std::string_view command) {
  return fmt::format("tlsguardctl {} {}", command, domain.identity);
}

std::string plain_advice(const Domain& domain) {
  switch (*domain.phase) {
    case Phase::preflight_failed:
      return "Nothing was sent to the CA, since it would have failed there. Put right what is "
             "named; it is tried again at least hourly, or at once with '" +
             by_hand(domain, "renew") + "'.";
    case Phase::ca_error:
      return "The CA refused, failed or could not be reached. If its words name something of "
             "yours (DNS, a firewall, CAA), put that right; otherwise wait, as attempts go on. At "
             "once: '" +
             by_hand(domain, "renew") + "'.";
    case Phase::own_error:
      return "Something on this server failed: the store, the disk, the clock or a command. Put "
             "right what is named; 'tlsguardctl store verify' shows whether the store is whole.";
    case Phase::action_needed:
      return "Only you can do this. Then run '" + by_hand(domain, "renew") + "'.";
    case Phase::terms_not_agreed:
      return "Read the CA's terms of service, write 'TLSGuardAgreement accepted', and reload "
             "httpd. Until then no request is sent.";
    case Phase::vetoed:
      return "Your command for the event 'renewing' said no. It is asked again every hour, and not "
             "heeded any more once the certificate is about to expire.";
    case Phase::held:
      return "Nothing is renewed until '" + by_hand(domain, "resume") + "'.";
    case Phase::manual:
      return "TLSGuardRenew is manual: it is renewed with '" + by_hand(domain, "renew") + "' only.";
    case Phase::undeclared:
      return "It is served until it expires. Declare it again to have it renewed.";
    case Phase::postponed:
      return "The CA's limits, or its Retry-After. It goes on by itself.";
    default:
      return "";
  }
}

std::string window_words(const NextStep& next) {
  return fmt::format("the renew window begins {}", day(next.floor_at));
}

}  // namespace

std::string_view state_words(const Domain& domain) {
  if (domain.health == Health::expired) return "expired";
  if (!domain.phase) return "unknown";
  if (*domain.phase == Phase::waiting) {
    if (domain.generation == 0) return "no certificate yet";
    if (domain.errors > 0) return "trying again";
    if (domain.health == Health::expiring) return "expiring";
  }
  return phase_words(*domain.phase);
}

std::string advice(const Domain& domain) {
  std::string text = domain.phase ? plain_advice(domain) : "";
  if (domain.health == Health::expired) {
    std::string expired = "Clients see an expired certificate.";
    text = text.empty() ? expired : expired + ' ' + text;
  }
  return text;
}

std::string next_step(const Domain& domain, UnixSeconds now) {
  if (domain.phase == Phase::ordering) return "Under way";
  if (domain.phase == Phase::passive) return "By another server";
  if (domain.phase == Phase::terms_not_agreed) return "Waits for you";
  UnixSeconds renew_at = domain.facts ? domain.facts->next.renew_at : 0;
  if (domain.errors > 0 && domain.next_run > 0) {
    return "Next attempt " + distance(domain.next_run, now);
  }
  if (renew_at > 0) {
    std::string_view what = domain.generation > 0 ? "Renewal" : "First certificate";
    return fmt::format("{} {}", what, renew_at <= now ? "due now" : distance(renew_at, now));
  }
  if (domain.next_run == 0) return "None planned";
  return "Next look " + distance(domain.next_run, now);
}

std::string next_reason(const Domain& domain, UnixSeconds now) {
  if (!domain.facts) return "";
  const NextStep& next = domain.facts->next;
  const AriWindow& ari = domain.facts->ari;
  std::string text;
  if (next.cause == "ari") {
    text = fmt::format("the CA suggests {} to {} (ARI)", day(ari.start), day(ari.end));
    if (next.floor_at > 0) text += fmt::format("; at the latest when {}", window_words(next));
  } else if (next.cause == "window") {
    text = window_words(next);
    if (ari.end > 0) text += fmt::format("; the CA suggests {} (ARI)", day(ari.start));
  } else if (next.cause == "changed") {
    text = "names were added, or the CA is no longer listed";
  } else if (next.cause == "forced") {
    text = "asked for by hand, or after a revocation";
  } else if (next.cause == "first") {
    text = "nothing is live yet";
  }
  if (domain.errors > 0) {
    text = fmt::format("{} failed, the last {}{}{}", counted(domain.errors, "attempt"),
                       distance(domain.facts->failed_at, now), text.empty() ? "" : "; ", text);
  }
  return text;
}

}  // namespace tlsguard::status
