// SPDX-License-Identifier: Apache-2.0
#include "renew/domain_report.h"

#include "crypto/certificate.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

Json live_to_json(const LiveState& live) {
  Json types = Json::array();
  for (crypto::KeyType type : live.key_types) types.push_back(crypto::key_type_name(type));
  return {{"version", live.version},
          {"generation", live.generation},
          {"not_before", live.validity.not_before},
          {"not_after", live.validity.not_after},
          {"since", live.since},
          {"names", live.names},
          {"key_types", std::move(types)},
          {"ca", live.ca},
          {"profile", live.profile},
          {"has_ocsp", live.has_ocsp}};
}

Json ari_to_json(const AriState& ari) {
  return {{"start", ari.start},
          {"end", ari.end},
          {"renew_at", ari.draw},
          {"explanation", ari.explanation},
          {"asked_at", ari.asked_at}};
}

Json history_to_json(const JobState& state) {
  Json history = Json::array();
  for (const HistoryEntry& entry : state.history) {
    history.push_back({{"at", entry.at}, {"what", entry.what}, {"text", entry.text}});
  }
  return history;
}

}  // namespace

// Of what cannot be read there is none; `store verify` says why.
Json certificates_report(const std::string& identity, std::uint32_t number,
                         const store::CertificateStore& certificates) {
  Json list = Json::array();
  auto version = certificates.load(identity, number);
  if (!version) return list;
  for (const store::StoredKeyPair& pair : version->pairs) {
    auto chain = crypto::parse_chain(pair.chain_pem);
    if (!chain) continue;
    auto facts = crypto::facts_of(chain->front().get());
    if (!facts) continue;
    list.push_back({{"key_type", crypto::key_type_name(pair.type)},
                    {"serial", facts->serial},
                    {"issuer", facts->issuer},
                    {"not_before", facts->not_before},
                    {"not_after", facts->not_after},
                    {"sha256", facts->sha256}});
  }
  return list;
}

Json state_report(const JobState& state, const std::vector<std::string>& names) {
  Json json{{"domain", state.identity},
            {"names", names},
            {"phase", phase_name(state.phase)},
            {"reason", state.reason},
            {"errors", state.failure.in_row},
            {"error", state.failure_text},
            {"failed_at", state.failure.last_at},
            {"hold", state.hold},
            {"forced", state.forced},
            {"ari", ari_to_json(state.ari)},
            {"history", history_to_json(state)},
            {"live", nullptr},
            {"revoked", state.revoked}};
  if (state.live) json["live"] = live_to_json(*state.live);
  return json;
}

Json domain_report(const JobState& state, const std::vector<std::string>& names,
                   const store::CertificateStore& certificates) {
  Json json = state_report(state, names);
  if (state.live) {
    json["live"]["certificates"] =
        certificates_report(state.identity, state.live->version, certificates);
  }
  auto versions = certificates.versions(state.identity);
  json["versions"] = versions ? Json(*versions) : Json::array();
  return json;
}

}  // namespace tlsguard::renew
