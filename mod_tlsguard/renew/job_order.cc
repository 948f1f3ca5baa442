// SPDX-License-Identifier: Apache-2.0
// A job's order: which CA, before it, with it, and when nothing comes of it.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/text.h"
#include "renew/activation.h"
#include "renew/job.h"
#include "renew/order_run.h"
#include "renew/preflight.h"

namespace tlsguard::renew {
namespace {

constexpr std::uint32_t failures_per_ca = 5;

Error of_kind(Error error, const char* kind) {
  error.kind = kind;
  return error;
}

// Of a request that just failed: whether anybody was there to refuse it.
Error seen(Error error, const WatchedHttp& http) {
  if (!http.answered()) error.kind = "unreachable";
  return error;
}

}  // namespace

// The order that an earlier agent has left, if it is still one to go on with.
Result<void> Job::settle_order() {
  auto read = shop_.jobs.read_order(spec_.identity);
  if (!read) return tl::unexpected(read.error());
  if (!*read) return {};
  order_ = std::move(**read);
  if (order_is_live() || !still_wanted(*order_, spec_)) give_up_order();
  return {};
}

// Ended after its certificates had been made live.
bool Job::order_is_live() const {
  if (!state_.live) return false;
  auto version = shop_.certificates.load(spec_.identity, state_.live->version);
  if (!version) return false;
  return !order_->parts.empty() &&
         std::all_of(order_->parts.begin(), order_->parts.end(), [&](const OrderPart& part) {
           if (part.sealed_key.empty()) return false;
           auto key = unseal_key(shop_.sealing, spec_.identity, part);
           if (!key) return false;
           return std::any_of(version->pairs.begin(), version->pairs.end(),
                              [&](const store::StoredKeyPair& pair) {
                                auto live = crypto::key_from_der(pair.type, pair.key_der.bytes());
                                return live && EVP_PKEY_eq(live->get(), key->get()) == 1;
                              });
         });
}

// Whatever was put in place for it is taken away, as far as that can be done without its CA.
void Job::give_up_order() {
  if (!order_->placed.empty()) {
    for (std::size_t i = 0; i < settings_.cas.size(); ++i) {
      if (settings_.cas[i].directory_url != order_->ca_url || order_->ca_url.empty()) continue;
      WatchedHttp http(clients_.to_ca(settings_));
      auto client = shop_.accounts.get(http, settings_, i, shop_.world.now());
      if (!client) break;
      SolverContext solver = solver_for(i, **client);
      OrderRun(shop_, http, solver, **client, *order_).abandon();
    }
  }
  if (auto removed = shop_.jobs.remove_order(spec_.identity); !removed) {
    shop_.log.write(Severity::error, "TG0111",
                    fmt::format("domain={}: its order could not be removed: {}", spec_.identity,
                                removed.error().text));
  }
  order_.reset();
}

SolverContext Job::solver_for(std::size_t ca_index, const acme::Client& client) {
  SolverContext solver{.http = clients_.to_ourselves(),
                       .settings = settings_,
                       .reach = shop_.reach,
                       .challenges = shop_.challenges,
                       .log = shop_.log,
                       .account_url = client.account_url(),
                       .directory_url = settings_.cas[ca_index].directory_url,
                       .stopping = shop_.world.stopping,
                       .names = spec_.names};
  solver.dns = shop_.world.dns;
  solver.outside = shop_.world.outside;
  solver.propagation = shop_.world.propagation;
  solver.now = shop_.world.now;
  if (state_.live) {
    const auto& validity = state_.live->validity;
    solver.next_order_within = validity.not_after - validity.not_before;
  }
  solver.action_needed = [this](const std::string& text) {
    shop_.log.write(Severity::warning, "TG0106",
                    fmt::format("domain={}: {}", spec_.identity, text));
    shop_.events.tell(Event::action_needed, spec_, text);
  };
  return solver;
}

// Those that may be asked, the one whose turn it is first: the next after each five failures.
Result<std::vector<std::size_t>> Job::usable_cas() const {
  auto turns = [&](std::size_t index) {
    auto found = state_.ca_failures.find(settings_.cas[index].directory_url);
    return found == state_.ca_failures.end() ? 0 : found->second / failures_per_ca;
  };
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < settings_.cas.size(); ++i) {
    if (settings_.cas[i].internal() || settings_.agreement) usable.push_back(i);
  }
  std::stable_sort(usable.begin(), usable.end(),
                   [&](std::size_t a, std::size_t b) { return turns(a) < turns(b); });
  if (!usable.empty()) return usable;
  return tl::unexpected(
      of_kind({"TLSGuardAgreement is missing: read the terms of service of " +
                   settings_.cas.front().name + " and write 'TLSGuardAgreement accepted'",
               Next::never},
              "terms"));
}

Job::Attempt Job::obtain(Cause cause) {
  auto cas = usable_cas();
  if (!cas) return tl::unexpected(cas.error());
  if (order_) {
    // One that may have brought a certificate is seen through; else it is the next CA's turn.
    bool sent = std::any_of(order_->parts.begin(), order_->parts.end(),
                            [](const OrderPart& part) { return part.finalized; });
    auto its_own = std::find_if(cas->begin(), cas->end(), [&](std::size_t i) {
      return settings_.cas[i].directory_url == order_->ca_url;
    });
    if (its_own == cas->end() || (its_own != cas->begin() && !sent)) {
      give_up_order();
    } else {
      return obtain_acme(*its_own, order_->cause);
    }
  }
  Attempt last = tl::unexpected(Error{"there is no CA"});
  for (std::size_t index : *cas) {
    last =
        settings_.cas[index].internal() ? obtain_internal(index, cause) : obtain_acme(index, cause);
    if (last || last.error().kind != "profileMissing") break;
  }
  return last;
}

Job::Attempt Job::obtain_internal(std::size_t ca_index, Cause cause) {
  ca_url_.clear();
  if (!in_warn_window(situation(), shop_.world.now()) && !shop_.events.allows(spec_)) {
    return tl::unexpected(Error{"the command of TLSGuardEvent said no to 'renewing'",
                                Next::back_off, std::chrono::seconds(0), "vetoed"});
  }
  UnixSeconds now = shop_.world.now();
  store::Version version;
  version.meta = {spec_.names, settings_.cas[ca_index].name, "", now};
  for (crypto::KeyType type : settings_.key_types) {
    auto key = crypto::generate_key(type);
    if (!key) return tl::unexpected(of_kind(key.error(), "store"));
    auto chain = shop_.internal.issue(spec_.names, key->get(), now);
    if (!chain) return tl::unexpected(of_kind(chain.error(), "store"));
    auto der = crypto::key_to_der(key->get());
    if (!der) return tl::unexpected(of_kind(der.error(), "store"));
    version.pairs.push_back({type, std::move(*chain), std::move(*der)});
  }
  Origin origin{"", settings_.preferred_chain, cause == Cause::ari ? now : 0};
  auto live = put_and_activate(shop_, spec_, state_, std::move(version), origin);
  if (!live) return tl::unexpected(live.error());
  return 0;
}

Job::Attempt Job::obtain_acme(std::size_t ca_index, Cause cause) {
  const CaSpec& ca = settings_.cas[ca_index];
  ca_url_ = ca.directory_url;
  // Who says `tlsguardctl renew` may know that it is well again.
  std::string trouble = hurry_ ? "" : shop_.health.trouble(ca_url_);
  if (!trouble.empty()) {
    waits_for_ca_ = ca_url_;
    return tl::unexpected(of_kind(Error{trouble}.within(ca.name), "unreachable"));
  }
  WatchedHttp http(clients_.to_ca(settings_));
  auto asked = ask_ca(ca_index, cause, http);
  if (asked) return asked;
  Error error = asked.error();
  if (error.kind == "unreachable") {
    shop_.health.unreachable(ca_url_, error.text, shop_.world.now());
    waits_for_ca_ = ca_url_;
  } else if (error.kind == "accountDoesNotExist") {
    shop_.accounts.forget_registration(account_id(settings_, ca_index));
  }
  return tl::unexpected(blame_of(error) == Blame::ours ? error : error.within(ca.name));
}

Job::Attempt Job::ask_ca(std::size_t ca_index, Cause cause, WatchedHttp& http) {
  auto client = shop_.accounts.get(http, settings_, ca_index, shop_.world.now());
  if (!client) return tl::unexpected(client.error());
  // An order of an account that is no more.
  if (order_ && order_->account_url != (*client)->account_url()) give_up_order();
  SolverContext solver = solver_for(ca_index, **client);
  if (!order_) {
    auto directory = (*client)->directory(http, shop_.world.now());
    if (!directory) return tl::unexpected(seen(directory.error(), http));
    auto begun = begin(ca_index, cause, *directory, solver);
    if (!begun) return tl::unexpected(begun.error());
  }
  return drive(http, **client, solver);
}

// What is looked at before anything is asked of the CA, and the record of the order.
Result<void> Job::begin(std::size_t ca_index, Cause cause, const acme::Directory& directory,
                        SolverContext& solver) {
  const CaSpec& ca = settings_.cas[ca_index];
  bool has_profile = directory.profiles.contains(settings_.profile);
  if (settings_.profile_required && !has_profile) {
    std::vector<std::string> names;
    for (const auto& [name, what] : directory.profiles) names.push_back(name);
    return tl::unexpected(
        of_kind({fmt::format("{} has no profile '{}' (it has: {}); see TLSGuardCAProfile", ca.name,
                             settings_.profile, names.empty() ? "none" : join(names, ", ")),
                 Next::never},
                "profileMissing"));
  }
  if (auto found = preflight(solver, spec_.names, directory); !found) return found;
  if (!in_warn_window(situation(), shop_.world.now()) && !shop_.events.allows(spec_)) {
    return tl::unexpected(Error{"the command of TLSGuardEvent said no to 'renewing'",
                                Next::back_off, std::chrono::seconds(0), "vetoed"});
  }
  OrderRecord order;
  order.identity = spec_.identity;
  order.names = spec_.names;
  order.ca = ca.name;
  order.ca_url = ca.directory_url;
  order.account_url = solver.account_url;
  order.profile = has_profile ? settings_.profile : "";
  order.preferred_chain = settings_.preferred_chain;
  order.cause = cause;
  order.begun_at = shop_.world.now();
  bool same_ca = state_.live && state_.live->ca_url == ca.directory_url;
  for (crypto::KeyType type : settings_.key_types) {
    OrderPart part{.type = type};
    // RFC 9773 5: of the certificate that this one takes the place of.
    if (same_ca && settings_.ari && !directory.renewal_info.empty()) {
      for (std::size_t i = 0; i < state_.live->key_types.size(); ++i) {
        bool known = state_.live->key_types[i] == type && i < state_.live->renewal_ids.size();
        if (known) part.replaces = state_.live->renewal_ids[i];
      }
    }
    order.parts.push_back(std::move(part));
  }
  // A store that cannot be written to shows itself before the CA is asked for anything.
  if (auto written = shop_.jobs.write_order(order); !written) {
    return tl::unexpected(of_kind(written.error(), "store"));
  }
  order_ = std::move(order);
  return {};
}

Job::Attempt Job::drive(WatchedHttp& http, acme::Client& client, SolverContext& solver) {
  OrderRun run(shop_, http, solver, client, *order_);
  auto progress = run.advance(state_.failure.in_row);
  if (progress && progress->wait > 0) return progress->wait;
  if (progress) {
    if (auto live = make_live(); !live) return tl::unexpected(live.error());
    return 0;
  }
  Error error = seen(progress.error(), http);
  bool never_made = std::all_of(order_->parts.begin(), order_->parts.end(),
                                [](const OrderPart& part) { return part.url.empty(); });
  // What may have been issued is fetched later.
  bool finalized = std::any_of(order_->parts.begin(), order_->parts.end(),
                               [](const OrderPart& part) { return part.finalized; });
  if (run.dead() || never_made || (error.next == Next::never && !finalized)) {
    run.abandon();
    give_up_order();
  }
  return tl::unexpected(std::move(error));
}

Result<void> Job::make_live() {
  UnixSeconds now = shop_.world.now();
  store::Version version;
  version.meta = {order_->names, order_->ca, order_->profile, now};
  for (const OrderPart& part : order_->parts) {
    auto key = unseal_key(shop_.sealing, spec_.identity, part);
    if (!key) return tl::unexpected(of_kind(key.error(), "store"));
    auto der = crypto::key_to_der(key->get());
    if (!der) return tl::unexpected(of_kind(der.error(), "store"));
    version.pairs.push_back({part.type, part.chain_pem, std::move(*der)});
  }
  std::string text =
      fmt::format("{} has issued a certificate ({})", order_->ca, cause_name(order_->cause));
  Origin origin{order_->ca_url, order_->preferred_chain, order_->cause == Cause::ari ? now : 0};
  shop_.log.write(Severity::notice, "TG0101", fmt::format("domain={}: {}", spec_.identity, text));
  state_.remember(now, "renewed", text);
  auto live = put_and_activate(shop_, spec_, state_, std::move(version), origin);
  if (!live) return live;
  give_up_order();
  return {};
}

}  // namespace tlsguard::renew
