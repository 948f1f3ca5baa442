// SPDX-License-Identifier: Apache-2.0
#include "renew/report_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "renew/domain_report.h"
#include "renew/json_members.h"
#include "store/layout.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t max_report = 256UL * 1024;
constexpr JsonBounds bounds{max_report, 8};
constexpr std::size_t kept_events = 8;
constexpr std::size_t kept_generations = 5;

UnixSeconds planned(UnixSeconds at) { return at == never ? 0 : at; }

Json next_to_json(const Situation& situation, UnixSeconds now) {
  Plan due = plan(situation, now);
  UnixSeconds floor_at = 0;
  if (situation.live) {
    floor_at = situation.live->not_after - renew_window_of(*situation.live, situation.renew_window);
  }
  // What is due is due now, however long it has been.
  UnixSeconds renew_at = due.renew_at <= now ? now : due.renew_at;
  return {{"renew_at", planned(renew_at)},
          {"cause", cause_name(due.cause)},
          {"floor_at", std::max<UnixSeconds>(floor_at, 0)},
          {"ask_ari_at", planned(due.ask_ari_at)}};
}

// Its own, or null where it is torn or foreign.
Json object_in(const Json& json, const char* key) {
  auto member = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && member != json.end() && member->is_object() ? *member : Json();
}

bool same_number(const Json& object, const char* key, std::uint64_t number) {
  auto member = object.find(key);
  return member != object.end() && member->is_number_unsigned() &&
         member->get<std::uint64_t>() == number;
}

// What the report before says of this very version; null: it must be read from the store, which
// costs opening its keys.
Json known_certificates(const Json& before, const LiveState& live) {
  Json known = object_in(before, "live");
  if (!known.is_object() || !same_number(known, "version", live.version) ||
      !same_number(known, "generation", live.generation)) {
    return nullptr;
  }
  auto certificates = known.find("certificates");
  bool usable = certificates != known.end() && certificates->is_array() && !certificates->empty();
  return usable ? *certificates : Json();
}

Json serials_of(const Json& certificates) {
  Json serials = Json::array();
  for (const Json& one : certificates) {
    auto serial = one.is_object() ? one.find("serial") : one.end();
    if (one.is_object() && serial != one.end()) serials.push_back(*serial);
  }
  return serials;
}

// The newest first; workers may still serve one of before.
Json served_with(const Json& before, const LiveState& live, const Json& certificates) {
  Json served = Json::array();
  served.push_back({{"generation", live.generation}, {"serials", serials_of(certificates)}});
  auto known = before.is_object() ? before.find("served") : before.end();
  if (!before.is_object() || known == before.end() || !known->is_array()) return served;
  for (const Json& one : *known) {
    if (served.size() == kept_generations) break;
    if (one.is_object() && !same_number(one, "generation", live.generation)) served.push_back(one);
  }
  return served;
}

}  // namespace

void ReportFiles::write(const JobState& state, const std::vector<std::string>& names,
                        const Situation& situation, UnixSeconds now) {
  const std::string file = store::report_file_of(state.identity);
  const std::string old = content_of(file, max_report);
  auto parsed = parse_object(old, bounds);
  const Json before = parsed ? std::move(*parsed) : Json();

  Json report = state_report(state, names);
  report["next"] = next_to_json(situation, now);
  report["served"] = Json::array();
  if (state.live) {
    Json certificates = known_certificates(before, *state.live);
    if (certificates.is_null()) {
      certificates = certificates_report(state.identity, state.live->version, certificates_);
    }
    report["served"] = served_with(before, *state.live, certificates);
    report["live"]["certificates"] = std::move(certificates);
  }
  Json& history = report["history"];
  std::reverse(history.begin(), history.end());
  if (history.size() > kept_events) {
    history.erase(history.begin() + kept_events, history.end());
  }
  if (std::string fresh = dump(report); fresh != old) put(file, fresh);
}

void ReportFiles::remove(const std::string& identity) {
  static_cast<void>(directory_.remove(store::report_file_of(identity)));
}

CaCounts ReportFiles::read_counts() const {
  auto text = directory_.read(ca_counts_file, max_ca_counts);
  if (!text || !*text) return {};
  auto counts = ca_counts_from_json(**text);
  return counts ? std::move(*counts) : CaCounts{};
}

void ReportFiles::write_counts(const CaCounts& counts) { put(ca_counts_file, to_json(counts)); }

void ReportFiles::write_troubles(const TroubleReport& report) {
  std::string fresh = to_json(report);
  if (fresh != content_of(trouble_report_file, max_trouble_report)) {
    put(trouble_report_file, fresh);
  }
}

// "" where there is none, or none that can be read.
std::string ReportFiles::content_of(const std::string& file, std::size_t limit) const {
  auto text = directory_.read(file, limit);
  return text && *text ? std::move(**text) : "";
}

void ReportFiles::put(const std::string& file, const std::string& text) {
  auto written = directory_.write(file, text, store::shared_file_mode, store::Durability::quick);
  if (written) {
    complained_ = false;
  } else if (!complained_.exchange(true)) {
    log_.write(Severity::warning, "TG0160",
               fmt::format("store={}: the status page will be out of date: {}", directory_.path(),
                           written.error().text));
  }
}

}  // namespace tlsguard::renew
