// SPDX-License-Identifier: Apache-2.0
#include "renew/activation.h"

#include <fmt/format.h>

#include <algorithm>

#include "acme/client.h"
#include "core/date.h"
#include "core/text.h"
#include "crypto/certificate.h"

namespace tlsguard::renew {
namespace {

Error ours(const Error& error, const std::string& context) {
  Error within = error.within(context);
  within.kind = "store";
  return within;
}

void success(JobState& state) {
  state.ari = {};
  state.failure = {};
  state.failure_text.clear();
  state.failure_under.clear();
  state.ca_failures.clear();
  state.forced = false;
  state.warned_at = 0;
  state.vetoed_at = 0;
}

bool same_pairs(const store::Version& a, const store::Version& b) {
  return std::equal(a.pairs.begin(), a.pairs.end(), b.pairs.begin(), b.pairs.end(),
                    [](const store::StoredKeyPair& x, const store::StoredKeyPair& y) {
                      return x.type == y.type && x.chain_pem == y.chain_pem;
                    });
}

// The newest version, where it has exactly these certificates: put before we were ended.
Result<std::uint32_t> put_once(const Workshop& shop, const DomainSpec& spec,
                               const store::Version& version) {
  auto tell_renewed = [&](std::uint32_t number) {
    shop.events.tell(Event::renewed, spec,
                     fmt::format("{} has issued version {}: {}", version.meta.ca, number,
                                 join(version.meta.names, " ")));
    return number;
  };
  auto known = shop.certificates.versions(spec.identity);
  if (known && !known->empty()) {
    auto newest = shop.certificates.load(spec.identity, known->front());
    // It may not have been told then: rather twice than not at all.
    if (newest && same_pairs(*newest, version)) return tell_renewed(newest->number);
  }
  auto number = shop.certificates.put(spec.identity, version);
  if (!number) return tl::unexpected(ours(number.error(), "certificate store"));
  return tell_renewed(*number);
}

}  // namespace

Result<LiveState> live_state_of(const store::Version& version, const Origin& origin) {
  LiveState live;
  live.version = version.number;
  live.names = version.meta.names;
  live.ca = version.meta.ca;
  live.profile = version.meta.profile;
  live.ca_url = origin.ca_url;
  live.preferred_chain = origin.preferred_chain;
  live.by_ari_at = origin.by_ari_at;
  live.validity.not_after = never;
  for (const store::StoredKeyPair& pair : version.pairs) {
    auto chain = crypto::parse_chain(pair.chain_pem);
    if (!chain) return tl::unexpected(chain.error());
    auto facts = crypto::facts_of(chain->front().get());
    if (!facts) return tl::unexpected(facts.error());
    live.key_types.push_back(pair.type);
    live.validity.not_before = std::max(live.validity.not_before, facts->not_before);
    live.validity.not_after = std::min(live.validity.not_after, facts->not_after);
    live.has_ocsp = live.has_ocsp || facts->has_ocsp;
    // A certificate without an authority key identifier has none: it is not asked for.
    live.renewal_ids.push_back(acme::renewal_id(chain->front().get()).value_or(""));
  }
  if (version.pairs.empty()) return fail("there is no certificate in it");
  return live;
}

Origin origin_of(const store::Version& version, const DomainSpec& spec) {
  Origin origin{.preferred_chain = spec.settings->preferred_chain};
  for (const CaSpec& ca : spec.settings->cas) {
    if (ca.name == version.meta.ca) origin.ca_url = ca.directory_url;
  }
  return origin;
}

Result<bool> mend_store(const Workshop& shop, const DomainSpec& spec) {
  auto healed = shop.certificates.heal(spec.identity, [&](std::uint32_t version) {
    auto job = shop.jobs.read_job(spec.identity);
    if (!job || !*job) return true;
    const auto& revoked = (*job)->revoked;
    return std::find(revoked.begin(), revoked.end(), version) == revoked.end();
  });
  if (!healed) return tl::unexpected(ours(healed.error(), "certificate store"));
  if (healed->wrong.empty()) return true;
  std::string now = healed->current
                        ? fmt::format("version {} is live instead", healed->current->version)
                        : "no other can be served, and a new one is obtained";
  shop.log.write(Severity::error, "TG0118",
                 fmt::format("domain={}: the certificate that was live cannot be used any more "
                             "({}); {}",
                             spec.identity, healed->wrong, now));
  return healed->current.has_value();
}

Result<void> look_at_store(const Workshop& shop, const DomainSpec& spec, JobState& state) {
  auto current = shop.certificates.current(spec.identity);
  if (!current) return tl::unexpected(ours(current.error(), "certificate store"));
  if (!*current) {
    state.live.reset();
    return {};
  }
  const store::Current& now = **current;
  if (state.live && state.live->version == now.version) {
    state.live->generation = now.generation;
    return {};
  }
  auto version = shop.certificates.load(spec.identity, now.version);
  if (!version && version.error().kind == store::torn_kind) {
    state.live.reset();
    return {};
  }
  if (!version) return tl::unexpected(ours(version.error(), "certificate store"));
  auto live = live_state_of(*version, origin_of(*version, spec));
  if (!live) return tl::unexpected(ours(live.error(), "certificate store"));
  live->generation = now.generation;
  live->since = version->meta.issued_at;
  state.live = std::move(*live);
  success(state);
  return {};
}

Result<void> put_and_activate(const Workshop& shop, const DomainSpec& spec, JobState& state,
                              store::Version version, const Origin& origin) {
  auto number = put_once(shop, spec, version);
  if (!number) return tl::unexpected(number.error());
  version.number = *number;
  auto activated = activate(shop, spec, state, version, origin);
  if (!activated) return activated;
  if (auto collected = shop.certificates.collect(spec.identity, versions_kept); !collected) {
    shop.log.write(Severity::warning, "TG0119",
                   fmt::format("domain={}: old versions could not be deleted: {}", spec.identity,
                               collected.error().text));
  }
  return {};
}

Result<void> activate(const Workshop& shop, const DomainSpec& spec, JobState& state,
                      const store::Version& version, const Origin& origin) {
  auto live = live_state_of(version, origin);
  if (!live) return tl::unexpected(ours(live.error(), "certificate store"));
  auto current = shop.certificates.activate(spec.identity, version.number);
  if (!current) return tl::unexpected(ours(current.error(), "certificate store"));
  bool recovered = state.failure.in_row > 0 || state.warned_at > 0;
  live->generation = current->generation;
  live->since = shop.world.now();
  state.live = std::move(*live);
  success(state);
  publish(shop, spec, state, 0);
  std::string text = say_live(shop, spec, state);
  if (recovered) shop.events.tell(Event::recovered, spec, text);
  return {};
}

std::string say_live(const Workshop& shop, const DomainSpec& spec, JobState& state) {
  const LiveState& live = *state.live;
  std::string text =
      fmt::format("version {} from {} is live: {}, valid until {}", live.version, live.ca,
                  join(live.names, " "), format_date(live.validity.not_after));
  state.remember(shop.world.now(), "activated", text);
  shop.log.write(Severity::notice, "TG0102", fmt::format("domain={}: {}", spec.identity, text));
  shop.events.tell(Event::activated, spec, text);
  return text;
}

void publish(const Workshop& shop, const DomainSpec& spec, const JobState& state,
             UnixSeconds next_run) {
  DomainView view;
  if (state.live) {
    view.generation = state.live->generation;
    view.not_before = state.live->validity.not_before;
    view.not_after = state.live->validity.not_after;
    view.warn_from = std::min(view.not_after, never / 2) -
                     warn_window_of(state.live->validity, spec.settings->warn_window);
  }
  view.next_run = next_run == never ? 0 : next_run;
  view.errors = state.failure.in_row;
  view.phase = state.phase;
  view.ari_start = state.ari.start;
  view.ari_end = state.ari.end;
  shop.live.publish(state.identity, view);
}

}  // namespace tlsguard::renew
