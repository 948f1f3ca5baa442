// SPDX-License-Identifier: Apache-2.0
#include "renew/ca_counts.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr JsonBounds bounds{max_ca_counts, 6};
constexpr std::size_t longest_name = 128;
constexpr char others[] = "other";
constexpr std::int64_t most_counted = std::int64_t{1} << 53;

template <typename T>
T& bounded(std::map<std::string, T>& map, const std::string& name) {
  bool fits = name.size() <= longest_name && (map.size() < CaCounts::most || map.contains(name));
  return map[fits ? name : others];
}

Json to_json(const Latency& latency) {
  return {{"buckets", latency.buckets},
          {"milliseconds", latency.milliseconds},
          {"unanswered", latency.unanswered},
          {"last_at", latency.last_at}};
}

void read_latency(Members& m, Latency& latency) {
  const Json* buckets = m.find("buckets");
  bool fits = buckets != nullptr && buckets->is_array() &&
              buckets->size() == latency.buckets.size() &&
              std::all_of(buckets->begin(), buckets->end(), [](const Json& one) {
                return one.is_number_unsigned() && one.get<std::uint64_t>() <= most_counted;
              });
  if (!fits) return m.note(m.where() + ".buckets is not a list of counts");
  for (std::size_t i = 0; i < latency.buckets.size(); ++i) {
    latency.buckets.at(i) = (*buckets)[i].get<std::uint64_t>();
  }
  m.number("milliseconds", latency.milliseconds, 0, most_counted);
  m.number("unanswered", latency.unanswered, 0, most_counted);
  m.time("last_at", latency.last_at);
}

// An object of objects or numbers, by names that are data.
template <typename T, typename Read>
void read_map(Members& m, const char* key, std::map<std::string, T>& map, Read&& read) {
  const Json* object = m.find(key);
  if (object == nullptr) return;
  if (!object->is_object() || object->size() > CaCounts::most + 1) {
    return m.note(std::string(key) + " is not an object of bounded size");
  }
  m.object(key, [&](Members& members) {
    for (const auto& [name, value] : object->items()) {
      if (name.size() <= longest_name) read(members, name.c_str(), map[name]);
    }
  });
}

void read_counts(Members& m, const char* key, std::map<std::string, std::uint64_t>& counts) {
  read_map(m, key, counts, [](Members& members, const char* name, std::uint64_t& count) {
    members.number(name, count, 0, most_counted);
  });
}

}  // namespace

void Latency::add(std::int64_t took, bool answered, UnixSeconds now) {
  took = std::max<std::int64_t>(took, 0);
  const auto* bound = std::lower_bound(latency_bounds.begin(), latency_bounds.end(), took);
  ++buckets.at(static_cast<std::size_t>(bound - latency_bounds.begin()));
  milliseconds += static_cast<std::uint64_t>(took);
  if (!answered) ++unanswered;
  last_at = now;
}

std::uint64_t Latency::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

Latency& CaCounts::of(const std::string& host) { return bounded(requests, host); }

void CaCounts::count(std::map<std::string, std::uint64_t>& counts, const std::string& name) {
  ++bounded(counts, name);
}

std::string to_json(const CaCounts& counts) {
  Json requests = Json::object();
  for (const auto& [host, latency] : counts.requests) requests[host] = to_json(latency);
  return dump({{"since", counts.since},
               {"requests", std::move(requests)},
               {"attempts", counts.attempts},
               {"successes", counts.successes},
               {"errors", counts.errors}});
}

Result<CaCounts> ca_counts_from_json(std::string_view text) {
  auto object = parse_object(text, bounds);
  if (!object) return tl::unexpected(object.error());
  CaCounts counts;
  Members m(*object, "counts");
  m.time("since", counts.since);
  read_map(m, "requests", counts.requests, [](Members& members, const char* name, Latency& one) {
    members.object(name, [&](Members& latency) { read_latency(latency, one); });
  });
  read_counts(m, "attempts", counts.attempts);
  read_counts(m, "successes", counts.successes);
  read_counts(m, "errors", counts.errors);
  if (m.error()) return tl::unexpected(*m.error());
  return counts;
}

}  // namespace tlsguard::renew
