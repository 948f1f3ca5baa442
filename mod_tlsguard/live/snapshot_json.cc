// SPDX-License-Identifier: Apache-2.0
// census.json. A count is [how often, last seen]; what was never counted is left out.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "core/json_depth.h"
#include "core/protocol.h"
#include "live/snapshot.h"

namespace tlsguard::live {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
// file, virtual_hosts, one, past, one, traffic, ciphers, count; and two to spare.
constexpr int max_depth = 10;
constexpr std::uint64_t max_time = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t max_ids = 256;  // likewise
constexpr std::size_t max_list = 64;  // more than this release writes

// --- writing ---

void put(json& object, const std::string& name, const Count& count) {
  if (count.count != 0) object[name] = {count.count, count.last_seen};
}

void put(json& object, const char* name, const std::vector<IdCount>& counts) {
  json table = json::object();
  for (const IdCount& one : counts) put(table, fmt::format("0x{:04x}", one.id), one.count);
  if (!table.empty()) object[name] = std::move(table);
}

json write(const Traffic& traffic) {
  json object = json::object();
  json versions = json::object();
  for (std::size_t i = 0; i < all_protocols.size(); ++i) {
    put(versions, std::string(protocol_name(all_protocols[i])), traffic.versions[i]);
  }
  if (!versions.empty()) object["versions"] = std::move(versions);
  put(object, "full", traffic.full);
  put(object, "resumed", traffic.resumed);
  put(object, "ciphers", traffic.ciphers);
  put(object, "other_ciphers", traffic.other_ciphers);
  put(object, "groups", traffic.groups);
  put(object, "other_groups", traffic.other_groups);
  return object;
}

json write(const Judged& judged) {
  json object{{"policy", judged.policy}, {"began", judged.began}};
  json verdicts = json::object();
  json noticed = json::object();
  for (std::size_t i = 0; i < hello::verdict_count; ++i) {
    std::string name(hello::verdict_name(hello::all_verdicts[i]));
    put(verdicts, name, judged.verdicts[i]);
    if (judged.noticed[i] != 0) noticed[name] = judged.noticed[i];
  }
  object["verdicts"] = std::move(verdicts);
  if (!noticed.empty()) object["noticed"] = std::move(noticed);
  return object;
}

json write(const Offer& offer) {
  json object{{"tag", fmt::format("{:08x}", offer.tag)},
              {"count", offer.count},
              {"first_seen", offer.first_seen},
              {"last_seen", offer.last_seen}};
  if (!offer.facts) return object;
  json verdicts = json::object();
  for (Judge judge : all_judges) {
    if (auto verdict = offer.verdicts.get(judge)) {
      verdicts[std::string(judge_name(judge))] = hello::verdict_name(*verdict);
    }
  }
  json without = json::array();
  for (const OfferFlag& flag : offer_flags) {
    if ((*offer.facts).*flag.member) without.push_back(flag.lacking);
  }
  object["verdicts"] = std::move(verdicts);
  object["highest_version"] = offer.facts->highest_version;
  object["ciphers"] = offer.facts->ciphers;
  object["without"] = std::move(without);
  return object;
}

json write(const Past& past) {
  json object = write(past.judged);
  object["judge"] = judge_name(past.judge);
  if (past.judge == Judge::in_force) object["traffic"] = write(past.traffic);
  return object;
}

json write(const VirtualHostCounts& host) {
  json object{{"key", host.key}, {"began", host.began}, {"configured", host.configured}};
  if (!host.floor_exception.empty()) object["floor_exception"] = host.floor_exception;
  put(object, "name_missing", host.name_missing);
  put(object, "name_unknown", host.name_unknown);
  json judges = json::object();
  for (Judge judge : all_judges) {
    if (!host.by(judge).policy.empty()) {
      judges[std::string(judge_name(judge))] = write(host.by(judge));
    }
  }
  object["judges"] = std::move(judges);
  object["traffic"] = write(host.traffic);
  for (const Offer& offer : host.offers) object["offers"].push_back(write(offer));
  for (const Past& past : host.past) object["past"].push_back(write(past));
  return object;
}

// --- reading ---

std::optional<std::uint32_t> parse_hex(std::string_view text, std::uint32_t max) {
  std::uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

// Walks through the parsed text and keeps the first thing that is wrong; what is missing stays at
// its default.
class Reader {
 public:
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  Snapshot snapshot(const json& file) {
    Snapshot snapshot;
    if (!file.is_object()) complain("it is no object");
    if (number(file, "version", 1000000) != format_version) complain("its version is not 1");
    if (error_) return snapshot;
    snapshot.seed = seed(file);
    snapshot.written = time(file, "written");
    snapshot.noticed_at = time(file, "noticed_at");
    const json* hosts = member(file, "virtual_hosts", json::value_t::array);
    if (hosts == nullptr) return snapshot;
    if (hosts->size() > Board::max_capacity) complain("too many virtual hosts");
    std::unordered_set<std::string> keys;
    for (const json& one : *hosts) {
      VirtualHostCounts read = host(one);
      if (error_) break;
      if (keys.insert(read.key).second) snapshot.virtual_hosts.push_back(std::move(read));
    }
    return snapshot;
  }

 private:
  void complain(const std::string& what) {
    if (!error_) error_ = Error{where_.empty() ? what : "virtual host '" + where_ + "': " + what};
  }

  // nullptr: missing, or of another type.
  const json* member(const json& object, const char* name, json::value_t type) {
    if (!object.is_object()) return nullptr;
    auto found = object.find(name);
    if (found == object.end()) return nullptr;
    bool fits = found->type() == type;
    if (!fits) complain(fmt::format("'{}' is of the wrong type ({})", name, found->type_name()));
    return fits ? &*found : nullptr;
  }

  std::uint64_t value(const json& number, std::string_view name, std::uint64_t max) {
    // A negative one, and one with a fraction, is none either.
    if (number.is_number_unsigned() && number.get<std::uint64_t>() <= max) {
      return number.get<std::uint64_t>();
    }
    complain(fmt::format("'{}' is no number from 0 to {}", name, max));
    return 0;
  }
  std::uint64_t number(const json& object, const char* name, std::uint64_t max) {
    auto found = object.find(name);
    return found == object.end() ? 0 : value(*found, name, max);
  }
  UnixSeconds time(const json& object, const char* name) {
    return static_cast<UnixSeconds>(number(object, name, max_time));
  }

  std::string text(const json& object, const char* name) {
    const json* value = member(object, name, json::value_t::string);
    if (value == nullptr) return {};
    if (value->get_ref<const std::string&>().size() > max_key) {
      complain(fmt::format("'{}' is longer than {} bytes", name, max_key));
      return {};
    }
    return bounded_text(value->get_ref<const std::string&>());
  }

  std::uint64_t seed(const json& file) {
    std::string hex = text(file, "seed");
    auto high = parse_hex(std::string_view(hex).substr(0, 8), max_time);
    auto low = parse_hex(hex.size() == 16 ? std::string_view(hex).substr(8) : "", max_time);
    if (!hex.empty() && (!high || !low)) complain("'seed' is not 16 hexadecimal digits");
    return high && low ? static_cast<std::uint64_t>(*high) << 32 | *low : 0;
  }

  Count count(const json& object, const std::string& name) {
    auto pair = object.find(name);
    if (pair == object.end()) return {};
    if (!pair->is_array() || pair->size() != 2) {
      complain(fmt::format("'{}' is not [count, last seen]", name));
      return {};
    }
    Count count;
    count.count = value((*pair)[0], name, max_count);
    auto last_seen = static_cast<UnixSeconds>(value((*pair)[1], name, max_time));
    if (count.count != 0) count.last_seen = last_seen;
    return count;
  }

  std::vector<IdCount> ids(const json& object, const char* name) {
    std::vector<IdCount> counts;
    const json* table = member(object, name, json::value_t::object);
    if (table == nullptr) return counts;
    if (table->size() > max_ids) complain(fmt::format("'{}' has too many members", name));
    for (const auto& [key, pair] : table->items()) {
      auto id =
          key.starts_with("0x") ? parse_hex(std::string_view(key).substr(2), 0xffff) : std::nullopt;
      if (!id) complain(fmt::format("'{}' has a member that is no IANA number", name));
      if (error_) break;
      Count read = count(*table, key);
      if (read.count != 0) count_of(counts, static_cast<std::uint16_t>(*id)) += read;
    }
    return counts;
  }

  Traffic traffic(const json& object) {
    Traffic traffic;
    if (const json* versions = member(object, "versions", json::value_t::object)) {
      for (std::size_t i = 0; i < all_protocols.size(); ++i) {
        traffic.versions[i] = count(*versions, std::string(protocol_name(all_protocols[i])));
      }
    }
    traffic.full = count(object, "full");
    traffic.resumed = count(object, "resumed");
    traffic.ciphers = ids(object, "ciphers");
    traffic.other_ciphers = count(object, "other_ciphers");
    traffic.groups = ids(object, "groups");
    traffic.other_groups = count(object, "other_groups");
    return traffic;
  }

  Judged judged(const json& object) {
    Judged judged;
    judged.policy = text(object, "policy");
    judged.began = time(object, "began");
    const json* verdicts = member(object, "verdicts", json::value_t::object);
    const json* noticed = member(object, "noticed", json::value_t::object);
    for (std::size_t i = 0; i < hello::verdict_count; ++i) {
      std::string name(hello::verdict_name(hello::all_verdicts[i]));
      if (verdicts != nullptr) judged.verdicts[i] = count(*verdicts, name);
      if (noticed != nullptr) judged.noticed[i] = number(*noticed, name.c_str(), max_count);
    }
    if (judged.policy.empty()) complain("verdicts of no policy");
    return judged;
  }

  Verdicts verdicts(const json& object) {
    Verdicts verdicts;
    for (Judge judge : all_judges) {
      std::string name = text(object, std::string(judge_name(judge)).c_str());
      for (hello::Verdict verdict : hello::all_verdicts) {
        if (name == hello::verdict_name(verdict)) verdicts.set(judge, verdict);
      }
    }
    return verdicts;
  }

  Offer offer(const json& object) {
    Offer offer;
    offer.tag = parse_hex(text(object, "tag"), 0xffffffff).value_or(0);
    if (offer.tag == 0) complain("an offer without a tag");
    offer.count = number(object, "count", max_count);
    offer.first_seen = time(object, "first_seen");
    offer.last_seen = time(object, "last_seen");
    if (!object.is_object() || !object.contains("highest_version")) return offer;
    OfferFacts facts;
    facts.highest_version = static_cast<std::uint16_t>(number(object, "highest_version", 0xffff));
    facts.ciphers = static_cast<std::uint8_t>(number(object, "ciphers", 0xff));
    if (const json* without = member(object, "without", json::value_t::array)) {
      for (const OfferFlag& flag : offer_flags) {
        facts.*flag.member =
            std::find(without->begin(), without->end(), flag.lacking) != without->end();
      }
    }
    offer.facts = facts;
    if (const json* read = member(object, "verdicts", json::value_t::object)) {
      offer.verdicts = verdicts(*read);
    }
    return offer;
  }

  Past past(const json& object) {
    Past past;
    auto judge = parse_judge(text(object, "judge"));
    if (!judge) complain("'past' without a judge");
    past.judge = judge.value_or(Judge::in_force);
    past.judged = judged(object);
    const json* read = member(object, "traffic", json::value_t::object);
    if (read != nullptr && past.judge == Judge::in_force) {
      past.traffic = traffic(*read);
    }
    return past;
  }

  VirtualHostCounts host(const json& object) {
    VirtualHostCounts host;
    where_.clear();
    if (!object.is_object()) complain("a virtual host that is no object");
    host.key = where_ = text(object, "key");
    if (host.key.empty()) complain("a virtual host without a key");
    if (error_) return host;
    host.began = time(object, "began");
    if (const json* flag = member(object, "configured", json::value_t::boolean)) {
      host.configured = flag->get<bool>();
    }
    host.floor_exception = text(object, "floor_exception");
    host.name_missing = count(object, "name_missing");
    host.name_unknown = count(object, "name_unknown");
    if (const json* read = member(object, "traffic", json::value_t::object)) {
      host.traffic = traffic(*read);
    }
    if (const json* judges = member(object, "judges", json::value_t::object)) {
      for (Judge judge : all_judges) {
        std::string name(judge_name(judge));
        const json* read = member(*judges, name.c_str(), json::value_t::object);
        if (read != nullptr) host.by(judge) = judged(*read);
      }
    }
    if (const json* read = list(object, "offers")) {
      for (const json& one : *read) host.offers.push_back(offer(one));
    }
    if (const json* read = list(object, "past")) {
      for (const json& one : *read) host.past.push_back(past(one));
    }
    // The oldest come first.
    if (host.past.size() > max_past) host.past.erase(host.past.begin(), host.past.end() - max_past);
    return host;
  }

  const json* list(const json& object, const char* name) {
    const json* found = member(object, name, json::value_t::array);
    if (found == nullptr || found->size() <= max_list) return found;
    complain(fmt::format("'{}' is too long", name));
    return nullptr;
  }

  std::string where_;  // the virtual host being read
  std::optional<Error> error_;
};

}  // namespace

std::string to_json(const Snapshot& snapshot) {
  json hosts = json::array();
  for (const VirtualHostCounts& host : snapshot.virtual_hosts) hosts.push_back(write(host));
  json file{{"version", format_version},
            {"seed", fmt::format("{:016x}", snapshot.seed)},
            {"written", snapshot.written},
            {"noticed_at", snapshot.noticed_at},
            {"virtual_hosts", std::move(hosts)}};
  // Texts are bounded_text; the handler is for a caller that did not keep to it.
  return file.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Snapshot> parse_snapshot(std::string_view text) {
  if (text.size() > max_snapshot) {
    return fail(fmt::format("{} bytes are more than {}", text.size(), max_snapshot));
  }
  if (nested_deeper_than(max_depth, text)) {
    return fail("this is not a census in JSON: it is nested too deep");
  }
  json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) return fail("this is not a census in JSON, or torn");
  Reader reader;
  Snapshot snapshot = reader.snapshot(file);
  if (reader.error()) return tl::unexpected(*reader.error());
  return snapshot;
}

}  // namespace tlsguard::live
