// SPDX-License-Identifier: Apache-2.0
#include "renew/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/date.h"
#include "renew/activation.h"
#include "renew/ari.h"
#include "renew/spread.h"

namespace tlsguard::renew {

Blame blame_of(const Error& error) {
  if (error.kind == "store" || error.kind == "provision") return Blame::ours;
  if (error.kind == "preflight") return Blame::preflight;
  if (error.kind == "actionNeeded" || error.kind == "profileMissing") return Blame::action;
  if (error.kind == "terms") return Blame::terms;
  if (error.kind == "rateLimited" && error.next == Next::wait) return Blame::limits;
  return Blame::ca;
}

namespace {

Phase phase_of(Blame blame) {
  switch (blame) {
    case Blame::ca:
      return Phase::ca_error;
    case Blame::preflight:
      return Phase::preflight_failed;
    case Blame::ours:
      return Phase::own_error;
    case Blame::limits:
      return Phase::postponed;
    case Blame::action:
      return Phase::action_needed;
    case Blame::terms:
      return Phase::terms_not_agreed;
  }
  return Phase::own_error;
}

// Those that another CA may not have.
void count_ca_failure(std::uint32_t& count, bool for_good) {
  constexpr std::uint32_t per_ca = 5;
  std::uint32_t more = for_good ? per_ca - count % per_ca : 1;
  count = std::min(count + more, 1000000U);
}

}  // namespace

void Job::set_phase(Phase phase, std::string reason) {
  if (reason.size() > JobState::max_text) reason.resize(JobState::max_text);
  state_.phase = phase;
  state_.reason = std::move(reason);
}

Result<void> Job::load(const Failure& unsaved) {
  auto read = shop_.jobs.read_job(spec_.identity);
  if (!read) {
    state_.identity = spec_.identity;
    // What is live is shown even so.
    static_cast<void>(look_at_store(shop_, spec_, state_));
    return tl::unexpected(read.error());
  }
  if (*read) state_ = std::move(**read);
  state_.identity = spec_.identity;
  before_ = state_;
  if (unsaved.in_row > 0 && unsaved.last_at > state_.failure.last_at) {
    state_.failure = unsaved;
    state_.failure_under = settings_digest(spec_);
  }
  return look_at_store(shop_, spec_, state_);
}

Situation Job::situation() const {
  Situation s = situation_of(state_, spec_);
  if (hurry_) s.failure.in_row = 0;
  return s;
}

Outcome Job::look() {
  auto loaded = load();
  set_phase(Phase::passive, loaded ? "another server's agent renews it" : loaded.error().text);
  ended_ = true;
  return finish(/*keep=*/false);
}

Outcome Job::run(const Known& known) {
  hurry_ = known.hurry;
  auto servable = known.mended ? Result<bool>(true) : mend_store(shop_, spec_);
  auto loaded = load(known.mended ? known.unsaved : Failure{});
  if (loaded && !servable) loaded = tl::unexpected(servable.error());
  if (loaded && !*servable) state_.live.reset();
  if (loaded) loaded = settle_order();
  if (!loaded) {
    // No failure of an order: it is not kept, and forgotten once all can be read.
    if (known.unsaved.in_row > 0) state_.failure = known.unsaved;
    failed(Error{loaded.error().text, Next::back_off, std::chrono::seconds(0), "store"});
    Outcome outcome = finish(/*keep=*/false);
    outcome.next = retry_at(outcome.situation, shop_.world.now());
    outcome.unsaved = true;
    outcome.mended = false;
    return outcome;
  }
  if (became_live_unsaid()) say_live(shop_, spec_, state_);
  if (!known.mended) warn_of_lost_clients();
  UnixSeconds now = shop_.world.now();
  if (plan(situation(), now).warn_at <= now) warn(now);
  if (plan(situation(), now).ask_ari_at <= now) ask_ari(now);
  Situation s = situation();
  Plan due = plan(s, now);
  if (due.renew_at <= now) {
    attempt(due.cause);
  } else if (order_ && (s.automatic || s.forced) && retry_at(s, now) <= now) {
    attempt(order_->cause);
  }
  hurry_ = false;
  return finish(/*keep=*/true);
}

// An agent was ended between making it live and saying so, or `tlsguardctl rollback` has made it
// live while none was at work. Rather said twice than not at all: a server beside us may wait for
// its copy. Of what was imported who did that knows.
bool Job::became_live_unsaid() const {
  if (!state_.live || state_.live->ca == imported_ca) return false;
  return !before_.live || before_.live->version != state_.live->version;
}

// Of a static certificate -t says it; what is in the store it does not touch.
void Job::warn_of_lost_clients() {
  auto has_rsa = [](const std::vector<crypto::KeyType>& types) {
    return std::any_of(types.begin(), types.end(), [](crypto::KeyType type) {
      return type != crypto::KeyType::p256 && type != crypto::KeyType::p384;
    });
  };
  bool lost = state_.live && state_.live->ca == imported_ca && has_rsa(state_.live->key_types) &&
              !has_rsa(settings_.key_types);
  if (!lost) return;
  shop_.log.write(Severity::warning, "TG0126",
                  fmt::format("domain={}: the imported certificate is RSA, and TLSGuardKeyTypes "
                              "has no RSA: from its renewal on, clients that know RSA only are "
                              "lost; add rsa2048 to keep them",
                              spec_.identity));
}

void Job::warn(UnixSeconds now) {
  state_.warned_at = now;
  std::string why = state_.reason.empty() ? "" : ": " + state_.reason;
  std::string text = fmt::format("its certificate expires at {} and has not been renewed{}",
                                 format_date(state_.live->validity.not_after), why);
  shop_.log.write(Severity::warning, "TG0107", fmt::format("domain={}: {}", spec_.identity, text));
  shop_.events.tell(Event::expiring, spec_, text);
}

// Certificates of one version are replaced together: of their windows the first counts.
void Job::ask_ari(UnixSeconds now) {
  AriState& ari = state_.ari;
  if (std::string trouble = shop_.health.trouble(state_.live->ca_url); !trouble.empty()) {
    return take_failure(ari, Error{trouble}, now, seed_of(spec_.identity));
  }
  auto client = shop_.accounts.reader(state_.live->ca_url);
  if (!client) return take_failure(ari, client.error(), now, seed_of(spec_.identity));
  net::HttpClient& http = clients_.to_ca(settings_);
  std::optional<acme::RenewalInfo> first;
  for (const std::string& id : state_.live->renewal_ids) {
    if (id.empty()) continue;
    auto info = (*client)->renewal_info(http, id);
    if (!info) {
      shop_.log.write(Severity::info, "TG0108",
                      fmt::format("domain={}: the CA does not say when to renew: {}",
                                  spec_.identity, info.error().text));
      return take_failure(ari, info.error(), now, seed_of(spec_.identity));
    }
    if (!first || info->start < first->start) first = std::move(*info);
  }
  if (!first) return;
  UnixSeconds known = ari.draw;
  std::string explained = ari.explanation;
  take_window(ari, *first, now, shop_.world.random());
  if (ari.draw == known && ari.explanation == explained) return;
  std::string text =
      fmt::format("the CA suggests renewal from {} to {}; it will be at {}", format_date(ari.start),
                  format_date(ari.end), format_date(ari.draw));
  if (!ari.explanation.empty()) text += "; it explains why: " + ari.explanation;
  shop_.log.write(ari.explanation.empty() ? Severity::info : Severity::notice, "TG0109",
                  fmt::format("domain={}: {}", spec_.identity, text));
}

void Job::attempt(Cause cause) {
  const std::string why(cause_name(cause));
  const bool goes_on = order_ && state_.phase == Phase::ordering;
  if (!goes_on) shop_.metrics.attempt(why);
  set_phase(Phase::ordering,
            fmt::format("a certificate is being obtained ({})", cause_name(cause)));
  publish(shop_, spec_, state_, 0);
  auto result = obtain(cause);
  ended_ = true;
  if (!result) return failed(result.error());
  order_wait_ = *result;
  if (order_wait_ > 0) return set_phase(Phase::ordering, "the CA is still at work");
  shop_.metrics.success(why);
  ended_ = false;
}

void Job::failed(const Error& error) {
  ended_ = true;
  UnixSeconds now = shop_.world.now();
  shop_.metrics.error(!error.kind.empty() ? error.kind : "other");
  if (error.kind == "vetoed") {
    state_.vetoed_at = now;
    return set_phase(Phase::vetoed, error.text);
  }
  Failure& failure = state_.failure;
  bool news = state_.failure_text != error.text || failure.in_row == 0;
  failure.blame = blame_of(error);
  bool counts = failure.blame != Blame::limits && failure.blame != Blame::terms;
  if (failure.in_row == 0 || counts) {
    failure.in_row += failure.in_row < std::numeric_limits<std::uint32_t>::max() ? 1 : 0;
  }
  failure.last_at = now;
  failure.retry_after = error.next == Next::wait ? error.after.count() : 0;
  failure.for_good = error.next == Next::never;
  state_.failure_text = error.text.substr(0, JobState::max_text);
  state_.failure_under = settings_digest(spec_);
  if (failure.blame == Blame::ca && !ca_url_.empty()) {
    count_ca_failure(state_.ca_failures[ca_url_], failure.for_good);
  }
  // One attempt in haste has been made; from here on the usual pace holds.
  hurry_ = false;
  set_phase(phase_of(failure.blame), state_.failure_text);
  say_failed(error, news);
}

void Job::say_failed(const Error& error, bool news) {
  const Failure& failure = state_.failure;
  UnixSeconds now = shop_.world.now();
  Situation s = situation();
  std::string again = failure.blame == Blame::terms
                          ? "nothing is sent until that is changed"
                          : "next attempt at " + format_date(retry_at(s, now));
  std::string text = fmt::format("{}; {}", error.text, again);
  bool urgent = !state_.live || in_warn_window(s, now);
  Severity severity = urgent ? Severity::error : Severity::warning;
  // Said of the CA already; of a domain where it hurts.
  if (error.kind == "unreachable" && !(news && urgent)) severity = Severity::info;
  if (!news && failure.blame == Blame::action) severity = Severity::info;
  if (failure.blame == Blame::limits) severity = Severity::notice;
  bool action = failure.blame == Blame::action || failure.blame == Blame::terms;
  shop_.log.write(severity, action ? "TG0106" : "TG0105",
                  fmt::format("domain={}: no new certificate ({} in a row): {}", spec_.identity,
                              failure.in_row, text));
  if (news) state_.remember(now, action ? "action-needed" : "failed", error.text);
  if (action) {
    if (news) shop_.events.tell(Event::action_needed, spec_, error.text);
  } else if (failure.blame != Blame::limits) {
    shop_.events.tell(Event::failed, spec_, text);
  }
}

// keep: job.json is written where anything has changed.
Outcome Job::finish(bool keep) {
  UnixSeconds now = shop_.world.now();
  Outcome outcome;
  outcome.situation = situation();
  Plan next = plan(outcome.situation, now);
  if (!ended_) {
    if (state_.hold) {
      set_phase(Phase::held, "tlsguardctl hold");
    } else if (!settings_.automatic) {
      set_phase(Phase::manual, "TLSGuardRenew manual");
    } else if (state_.failure.in_row == 0 && state_.vetoed_at == 0) {
      set_phase(Phase::waiting, "");
    }
  }
  outcome.next = next.next();
  bool may_order = outcome.situation.automatic || outcome.situation.forced;
  if (order_ && may_order) {
    UnixSeconds at = order_wait_ > 0 ? now + order_wait_ : retry_at(outcome.situation, now);
    outcome.next = std::min(outcome.next, at);
  }
  if (order_wait_ > 0) {
    // What is due is under way: nothing else hurries.
    outcome.next = std::min({now + order_wait_, next.ask_ari_at, next.warn_at});
  }
  outcome.phase = state_.phase;
  outcome.reason = state_.reason;
  outcome.waits_for_ca = waits_for_ca_;
  if (keep && !(state_ == before_)) {
    // Losing no more than when the CA was asked needs no wait for the disk.
    JobState but_for_ari = before_;
    but_for_ari.ari = state_.ari;
    auto durability = but_for_ari == state_ ? store::Durability::quick : store::Durability::synced;
    auto written = shop_.jobs.write_job(state_, durability);
    outcome.unsaved = !written;
    if (!written) {
      shop_.log.write(Severity::error, "TG0111",
                      fmt::format("domain={}: its state could not be written: {}", spec_.identity,
                                  written.error().text));
    }
  }
  if (keep) shop_.reports.write(state_, spec_.names, outcome.situation, now);
  publish(shop_, spec_, state_, outcome.next);
  return outcome;
}

}  // namespace tlsguard::renew
