// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "renew/json_members.h"
#include "renew/state.h"

namespace tlsguard::renew {
namespace {

constexpr int format_version = 1;
constexpr JsonBounds bounds{max_job_file, 8};
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_url = 4096;
// Bytes that are no UTF-8 take three when they are written.
constexpr std::size_t longest_text = 3 * JobState::max_text;
constexpr std::size_t most_names = 1000;
constexpr std::size_t most_keys = 16;
constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t any_32 = std::numeric_limits<std::uint32_t>::max();

Json key_types_to_json(const std::vector<crypto::KeyType>& types) {
  Json json = Json::array();
  for (crypto::KeyType type : types) json.push_back(crypto::key_type_name(type));
  return json;
}

Json to_json(const LiveState& live) {
  return {{"generation", live.generation},
          {"version", live.version},
          {"not_before", live.validity.not_before},
          {"not_after", live.validity.not_after},
          {"since", live.since},
          {"names", live.names},
          {"key_types", key_types_to_json(live.key_types)},
          {"ca", live.ca},
          {"ca_url", live.ca_url},
          {"profile", live.profile},
          {"preferred_chain", live.preferred_chain},
          {"renewal_ids", live.renewal_ids},
          {"has_ocsp", live.has_ocsp},
          {"by_ari_at", live.by_ari_at}};
}

Json to_json(const AriState& ari) {
  return {{"start", ari.start},       {"end", ari.end},
          {"draw", ari.draw},         {"explanation", ari.explanation},
          {"asked_at", ari.asked_at}, {"wait", ari.wait},
          {"errors", ari.errors}};
}

constexpr std::array<std::string_view, 6> blames{"ca",     "preflight", "ours",
                                                 "limits", "action",    "terms"};

Json failure_to_json(const JobState& state) {
  const Failure& failure = state.failure;
  return {{"in_row", failure.in_row},
          {"last_at", failure.last_at},
          {"blame", blames.at(static_cast<std::size_t>(failure.blame))},
          {"retry_after", failure.retry_after},
          {"for_good", failure.for_good},
          {"text", state.failure_text},
          {"under", state.failure_under}};
}

void read_live(Members& members, LiveState& live) {
  members.number("generation", live.generation, 0, any);
  members.number("version", live.version, 0, any_32);
  // Certificates may claim any dates.
  members.number("not_before", live.validity.not_before, -any, any);
  members.number("not_after", live.validity.not_after, -any, any);
  members.number("since", live.since, 0, any);
  members.texts("names", live.names, most_names, longest_name);
  std::vector<std::string> types;
  members.texts("key_types", types, most_keys, longest_name);
  for (const std::string& text : types) {
    auto type = crypto::parse_key_type(text);
    if (!type) return members.note(members.where() + ": " + type.error().text);
    live.key_types.push_back(*type);
  }
  members.text("ca", live.ca, longest_url);
  members.text("ca_url", live.ca_url, longest_url);
  members.text("profile", live.profile, longest_url);
  members.text("preferred_chain", live.preferred_chain, longest_url);
  members.texts("renewal_ids", live.renewal_ids, most_keys, longest_url);
  members.flag("has_ocsp", live.has_ocsp);
  members.number("by_ari_at", live.by_ari_at, 0, any);
}

void read_ari(Members& members, AriState& ari) {
  members.number("start", ari.start, -any, any);
  members.number("end", ari.end, -any, any);
  members.number("draw", ari.draw, -any, any);
  members.text("explanation", ari.explanation, longest_url);
  members.number("asked_at", ari.asked_at, 0, any);
  members.number("wait", ari.wait, 0, any);
  members.number("errors", ari.errors, 0, any_32);
}

void read_failure(Members& members, JobState& state) {
  Failure& failure = state.failure;
  members.number("in_row", failure.in_row, 0, any_32);
  members.number("last_at", failure.last_at, 0, any);
  std::string blame;
  members.text("blame", blame, longest_name);
  const auto* found = std::find(blames.begin(), blames.end(), blame);
  if (found == blames.end()) return members.note(members.where() + ".blame is unknown");
  failure.blame = static_cast<Blame>(found - blames.begin());
  members.number("retry_after", failure.retry_after, 0, any);
  members.flag("for_good", failure.for_good);
  members.text("text", state.failure_text, longest_text);
  members.text("under", state.failure_under, longest_name);
}

void read_ca_failures(Members& members, std::map<std::string, std::uint32_t>& failures) {
  std::vector<std::pair<std::string, std::uint32_t>> list;
  members.objects("ca_failures", list, 64, [](Members& entry, auto& out) {
    entry.text("ca", out.first, longest_url);
    entry.number("in_row", out.second, 0, any_32);
  });
  failures.insert(list.begin(), list.end());
}

void read_revoked(Members& members, std::vector<std::uint32_t>& revoked) {
  members.objects("revoked", revoked, 256, [](Members& entry, std::uint32_t& version) {
    entry.number("version", version, 0, any_32);
  });
}

void read_entry(Members& members, HistoryEntry& entry) {
  members.number("at", entry.at, 0, any);
  members.text("what", entry.what, longest_name);
  members.text("text", entry.text, longest_text);
}

}  // namespace

std::string to_json(const JobState& state) {
  Json json{{"version", format_version},
            {"identity", state.identity},
            {"phase", phase_name(state.phase)},
            {"reason", state.reason},
            {"ari", to_json(state.ari)},
            {"failure", failure_to_json(state)},
            {"hold", state.hold},
            {"forced", state.forced},
            {"warned_at", state.warned_at},
            {"vetoed_at", state.vetoed_at}};
  if (state.live) json["live"] = to_json(*state.live);
  Json failures = Json::array();
  for (const auto& [ca, in_row] : state.ca_failures) {
    failures.push_back({{"ca", ca}, {"in_row", in_row}});
  }
  json["ca_failures"] = std::move(failures);
  Json revoked = Json::array();
  for (std::uint32_t version : state.revoked) revoked.push_back({{"version", version}});
  json["revoked"] = std::move(revoked);
  Json history = Json::array();
  for (const HistoryEntry& entry : state.history) {
    history.push_back({{"at", entry.at}, {"what", entry.what}, {"text", entry.text}});
  }
  json["history"] = std::move(history);
  return dump(json) + "\n";
}

Result<JobState> job_state_from_json(std::string_view text) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  JobState state;
  Members members(*parsed, "job");
  int version = 0;
  members.number("version", version, format_version, format_version);
  members.text("identity", state.identity, longest_name);
  std::string phase;
  members.text("phase", phase, longest_name);
  if (auto known = phase_from_name(phase)) {
    state.phase = *known;
  } else {
    members.note("job.phase is unknown");
  }
  members.text("reason", state.reason, longest_text);
  if (members.has("live")) {
    members.object("live", [&](Members& live) { read_live(live, state.live.emplace()); });
  }
  members.object("ari", [&](Members& ari) { read_ari(ari, state.ari); });
  members.object("failure", [&](Members& failure) { read_failure(failure, state); });
  read_ca_failures(members, state.ca_failures);
  members.flag("hold", state.hold);
  members.flag("forced", state.forced);
  members.number("warned_at", state.warned_at, 0, any);
  members.number("vetoed_at", state.vetoed_at, 0, any);
  read_revoked(members, state.revoked);
  members.objects("history", state.history, JobState::max_history, read_entry);
  if (members.error()) return tl::unexpected(*members.error());
  return state;
}

}  // namespace tlsguard::renew
