// SPDX-License-Identifier: Apache-2.0
#include "renew/state.h"

#include <algorithm>

#include "crypto/digest.h"
#include "renew/json_members.h"
#include "renew/spec_json.h"
#include "renew/spread.h"

namespace tlsguard::renew {

void JobState::remember(UnixSeconds at, std::string what, std::string text) {
  if (text.size() > max_text) text.resize(max_text);
  if (history.size() >= max_history) {
    history.erase(history.begin(), history.end() - (max_history - 1));
  }
  history.push_back({at, std::move(what), std::move(text)});
}

std::string settings_digest(const DomainSpec& spec) {
  AgentSpec alone;
  alone.domains.push_back(spec);
  return crypto::hex(crypto::sha256(to_json(alone))).substr(0, 16);
}

std::string must_change(const LiveState& live, const DomainSpec& spec) {
  for (const std::string& name : spec.names) {
    if (std::find(live.names.begin(), live.names.end(), name) == live.names.end()) {
      return "'" + name + "' is not in the certificate";
    }
  }
  if (live.ca == imported_ca) return {};
  const auto& cas = spec.settings->cas;
  bool listed = std::any_of(cas.begin(), cas.end(), [&](const CaSpec& ca) {
    return ca.directory_url == live.ca_url && (!live.ca_url.empty() || ca.name == live.ca);
  });
  return listed ? "" : "its CA (" + live.ca + ") is no longer in TLSGuardCA";
}

Situation situation_of(const JobState& state, const DomainSpec& spec) {
  const DomainSettings& settings = *spec.settings;
  Situation s;
  s.seed = seed_of(spec.identity);
  s.renew_window = settings.renew_window;
  s.warn_window = settings.warn_window;
  s.forced = state.forced;
  s.automatic = settings.automatic && !state.hold;
  s.ari = state.ari;
  s.failure = state.failure;
  // What failed under other settings may work now.
  if (s.failure.in_row > 0 && state.failure_under != settings_digest(spec)) s.failure.in_row = 0;
  s.warned_at = state.warned_at;
  s.vetoed_at = state.vetoed_at;
  if (state.live) {
    s.live = state.live->validity;
    s.by_ari_at = state.live->by_ari_at;
    s.changed = !must_change(*state.live, spec).empty();
    const auto& ids = state.live->renewal_ids;
    bool has_id = std::any_of(ids.begin(), ids.end(), [](const auto& id) { return !id.empty(); });
    s.ask_ari = settings.ari && has_id && !state.live->ca_url.empty();
  }
  return s;
}

}  // namespace tlsguard::renew
