// SPDX-License-Identifier: Apache-2.0
// The schema is in docs/census.md.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/date.h"
#include "core/protocol.h"
#include "live/report.h"
#include "policy/cipher_ids.h"
#include "policy/names.h"

namespace tlsguard::live {
namespace {

using nlohmann::json;

using policy::CipherNames;

json moment(UnixSeconds seconds) {
  return seconds == 0 ? json(nullptr) : json(format_date(seconds));
}

json counted(const Count& count) {
  return {{"count", count.count}, {"last_seen", moment(count.last_seen)}};
}

json by_verdict(const Judged& judged) {
  json object = json::object();
  for (hello::Verdict verdict : hello::all_verdicts) {
    const Count& count = judged.verdicts[static_cast<std::size_t>(verdict)];
    object[std::string(hello::verdict_name(verdict))] = counted(count);
  }
  return object;
}

template <typename Name>
json by_name(const std::vector<IdCount>& counts, const Count& others, const Name& name) {
  json object = json::object();
  for (const IdCount& one : counts) object[name(one.id)] = counted(one.count);
  if (others.count != 0) object["other"] = counted(others);
  return object;
}

void put_traffic(json& object, const Traffic& traffic, const CipherNames& cipher_name) {
  object["full"] = counted(traffic.full);
  object["resumed"] = counted(traffic.resumed);
  for (std::size_t i = 0; i < all_protocols.size(); ++i) {
    object["versions"][std::string(protocol_name(all_protocols[i]))] = counted(traffic.versions[i]);
  }
  object["ciphers"] = by_name(traffic.ciphers, traffic.other_ciphers, cipher_name);
  object["groups"] = by_name(traffic.groups, traffic.other_groups,
                             [](std::uint16_t id) { return policy::group_name(id); });
}

json judgement(const Judged& judged) {
  return {{"policy", judged.policy},
          {"since", moment(judged.began)},
          {"handshakes", judged.total()},
          {"refused", judged.refused()},
          {"verdicts", by_verdict(judged)}};
}

json offer_json(const Offer& offer) {
  json object{{"count", offer.count},
              {"first_seen", moment(offer.first_seen)},
              {"last_seen", moment(offer.last_seen)}};
  object["offer"] = offer.facts ? json(describe(*offer.facts)) : json(nullptr);
  return object;
}

json all_of(const VirtualHostCounts& host, const CipherNames& cipher_name) {
  json object{{"virtual_host", host.key},
              {"configured", host.configured},
              {"floor_exception",
               host.floor_exception.empty() ? json(nullptr) : json(host.floor_exception)},
              {"since", moment(host.began)},
              {"server_name",
               {{"missing", counted(host.name_missing)}, {"unknown", counted(host.name_unknown)}}},
              {"judges", json::object()},
              {"offers", json::array()},
              {"past", json::array()}};
  put_traffic(object, host.traffic, cipher_name);
  for (Judge judge : all_judges) {
    if (host.by(judge).policy.empty()) continue;
    object["judges"][std::string(judge_name(judge))] = judgement(host.by(judge));
  }
  for (const Offer& offer : host.offers) {
    json entry = offer_json(offer);
    for (Judge judge : all_judges) {
      auto verdict = offer.verdicts.get(judge);
      if (verdict)
        entry["verdicts"][std::string(judge_name(judge))] = hello::verdict_name(*verdict);
    }
    object["offers"].push_back(std::move(entry));
  }
  for (const Past& past : host.past) {
    json entry = judgement(past.judged);
    entry["judge"] = judge_name(past.judge);
    if (past.judge == Judge::in_force) put_traffic(entry, past.traffic, cipher_name);
    object["past"].push_back(std::move(entry));
  }
  return object;
}

std::string dump(const json& object) {
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string cut_off_json(const Snapshot& snapshot, Judge judge) {
  json hosts = json::array();
  for (const CutOff& cut : cut_offs(snapshot, judge)) {
    json host = judgement(cut.host->by(judge));
    host["virtual_host"] = cut.host->key;
    host["configured"] = cut.host->configured;
    host["share"] = cut.handshakes == 0
                        ? 0.0
                        : static_cast<double>(cut.refused) / static_cast<double>(cut.handshakes);
    host["last_refused"] = moment(cut.last_refused);
    host["offers"] = json::array();
    for (const Offer* offer : cut.offers) {
      json entry = offer_json(*offer);
      entry["verdict"] =
          hello::verdict_name(offer->verdicts.get(judge).value_or(hello::Verdict::ok));
      host["offers"].push_back(std::move(entry));
    }
    hosts.push_back(std::move(host));
  }
  return dump({{"judge", judge_name(judge)},
               {"written", moment(snapshot.written)},
               {"virtual_hosts", std::move(hosts)}});
}

json census_object(const Snapshot& snapshot) {
  const CipherNames cipher_name;
  json hosts = json::array();
  for (const VirtualHostCounts& host : snapshot.virtual_hosts) {
    hosts.push_back(all_of(host, cipher_name));
  }
  return {{"written", moment(snapshot.written)}, {"virtual_hosts", std::move(hosts)}};
}

std::string census_json(const Snapshot& snapshot) { return dump(census_object(snapshot)); }

}  // namespace tlsguard::live
