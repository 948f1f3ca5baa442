// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/duration.h"
#include "core/text.h"
#include "ctl/output.h"
#include "policy/describe.h"
#include "policy/policy.h"
#include "policy/wording.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using policy::Policy;

// The plain names that stand for this policy.
std::vector<std::string> aliases_of(const Policy& policy) {
  std::vector<std::string> names;
  for (const auto& [alias, id] : policy::aliases()) {
    if (id == policy.id()) names.push_back(alias);
  }
  return names;
}

template <typename T>
json nullable(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json certificate_types(const Policy& policy) {
  json types = json::array();
  for (hello::KeyType type : policy.certificate_types) types.push_back(policy::key_type_name(type));
  return types;
}

json to_json(const Policy& policy) {
  json age = policy.min_hsts_age ? json(policy.min_hsts_age->count()) : json(nullptr);
  return {{"id", policy.id()},
          {"name", policy.name},
          {"version", policy.version},
          {"aliases", aliases_of(policy)},
          {"source", policy.source},
          {"date", policy.date},
          {"min_protocol", protocol_name(policy.min_protocol)},
          {"max_protocol", protocol_name(policy.max_protocol)},
          {"ciphers", policy.ciphers},
          {"suites", policy.suites},
          {"groups", policy.groups},
          {"signature_algorithms", nullable(policy.signature_algorithms)},
          {"server_preference", nullable(policy.server_preference)},
          {"security_level", nullable(policy.security_level)},
          {"min_rsa_bits", nullable(policy.min_rsa_bits)},
          {"certificate_types", certificate_types(policy)},
          {"min_hsts_age", age},
          {"note", policy.note}};
}

std::vector<std::string> without(const std::vector<std::string>& list,
                                 const std::vector<std::string>& taken) {
  std::vector<std::string> rest;
  for (const std::string& name : list) {
    if (std::find(taken.begin(), taken.end(), name) == taken.end()) rest.push_back(name);
  }
  return rest;
}

// Members that differ: {"from": …, "to": …}; of lists also what goes and what comes.
json difference(const Policy& a, const Policy& b) {
  json from = to_json(a);
  json to = to_json(b);
  json changes = json::object();
  for (const char* member : {"min_protocol", "max_protocol", "server_preference", "security_level",
                             "min_rsa_bits", "min_hsts_age", "ciphers", "suites", "groups",
                             "signature_algorithms", "certificate_types"}) {
    if (from[member] == to[member]) continue;
    json& change = changes[member] = {{"from", from[member]}, {"to", to[member]}};
    if (!from[member].is_array() || !to[member].is_array()) continue;
    auto before = from[member].get<std::vector<std::string>>();
    auto after = to[member].get<std::vector<std::string>>();
    change["removed"] = without(before, after);
    change["added"] = without(after, before);
  }
  return {{"from", a.id()},
          {"to", b.id()},
          {"changes", changes},
          {"cut_off", policy::newly_cut_off(a, b)}};
}

std::string versions_of(const Policy& policy) {
  std::string_view min = protocol_name(policy.min_protocol);
  std::string_view max = protocol_name(policy.max_protocol);
  return min == max ? std::string(min) : fmt::format("{} to {}", min, max);
}

Result<Policy> find(const std::string& name) { return policy::Catalogue{}.find(name); }

}  // namespace

int policy_list(bool as_json) {
  if (as_json) {
    json list = json::array();
    for (const Policy& policy : policy::presets()) list.push_back(to_json(policy));
    print_json(list);
    return exit_fine;
  }
  Table table({"POLICY", "ALSO", "VERSIONS", "DATE", "SOURCE"});
  for (const Policy& policy : policy::presets()) {
    table.add({policy.id(), join(aliases_of(policy), ", "), versions_of(policy), policy.date,
               policy.source});
  }
  print(table.text());
  return exit_fine;
}

int policy_show(const std::string& name, bool as_json) {
  auto policy = find(name);
  if (!policy) return wrong_arguments(policy.error());
  if (as_json) {
    print_json(to_json(*policy));
  } else {
    print(policy::dump(*policy));
  }
  return exit_fine;
}

int policy_diff(const std::string& from, const std::string& to, bool as_json) {
  auto a = find(from);
  if (!a) return wrong_arguments(a.error());
  auto b = find(to);
  if (!b) return wrong_arguments(b.error());
  if (as_json) {
    print_json(difference(*a, *b));
  } else {
    print(policy::diff(*a, *b));
  }
  return exit_fine;
}

int policy_explain(const std::string& name, bool as_json) {
  auto policy = find(name);
  if (!policy) return wrong_arguments(policy.error());
  std::string text = policy::explain(*policy);
  if (as_json) {
    print_json({{"id", policy->id()}, {"text", text}});
  } else {
    print(wrapped(text));
  }
  return exit_fine;
}

}  // namespace tlsguard::ctl
