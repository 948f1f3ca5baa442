// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/text.h"
#include "policy/policy.h"
#include "policy/suggest.h"

namespace tlsguard::policy {
namespace {

const char* const default_parent = "baseline";

// The preset of this name, name@version or alias; nullptr where there is none.
const Policy* find_preset(std::string_view name) {
  std::string wanted = to_lower(name);
  if (auto alias = aliases().find(wanted); alias != aliases().end()) wanted = alias->second;
  for (const Policy& preset : presets()) {
    if (equal_ignoring_case(preset.id(), wanted)) return &preset;
  }
  return nullptr;
}

// The versions there are of the name before '@', for an error; empty: no such name.
std::vector<std::string> versions_of(const std::string& name) {
  std::vector<std::string> ids;
  std::string plain = name.substr(0, name.find('@'));
  if (auto alias = aliases().find(to_lower(plain)); alias != aliases().end()) {
    plain = alias->second.substr(0, alias->second.find('@'));
  }
  for (const Policy& preset : presets()) {
    if (equal_ignoring_case(preset.name, plain)) ids.push_back(preset.id());
  }
  return ids;
}

bool is_policy_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

Result<void> Catalogue::define(const std::string& name, const std::string& from,
                               const Settings& settings, const std::string& where) {
  if (!is_policy_name(name)) {
    return fail("'" + name + "' cannot be the name of a policy: letters, digits, '-', '_' and '.'");
  }
  if (find_preset(name) != nullptr || equal_ignoring_case(name, "none")) {
    return fail("the name '" + name + "' is taken by a built-in policy");
  }
  if (const Own* other = own(name)) {
    return fail("policy '" + name + "' is already defined at " + other->where);
  }
  own_.push_back({name, from, settings, where});
  return {};
}

const Catalogue::Own* Catalogue::own(const std::string& name) const {
  auto found = std::find_if(own_.begin(), own_.end(),
                            [&](const Own& o) { return equal_ignoring_case(o.name, name); });
  return found != own_.end() ? &*found : nullptr;
}

Result<Policy> Catalogue::find(const std::string& name) const {
  std::vector<std::string> via;
  return find(name, via);
}

Result<Policy> Catalogue::find(const std::string& name, std::vector<std::string>& via) const {
  if (const Policy* preset = find_preset(name)) return *preset;
  const Own* found = own(name);
  if (found == nullptr) return unknown(name);
  const bool seen = std::find(via.begin(), via.end(), found->name) != via.end();
  via.push_back(found->name);
  if (seen) {
    return fail(found->where + ": policy '" + found->name +
                "' is defined by way of itself: " + join(via, " from "));
  }
  const std::string from = found->from.empty() ? default_parent : found->from;
  auto parent = find(from, via);
  if (!parent) {
    // Whatever goes wrong inside an own parent already says where.
    const bool is_own = find_preset(from) == nullptr && own(from) != nullptr;
    return tl::unexpected(is_own ? parent.error() : parent.error().within(found->where));
  }
  auto policy = with_settings(*parent, found->settings);
  if (!policy) {
    return tl::unexpected(policy.error().within(found->where + ": policy '" + found->name + "'"));
  }
  policy->name = found->name;
  policy->version.clear();
  policy->source = found->where;
  policy->date.clear();
  policy->note = "An own policy, made from " + parent->id() + ".";
  return policy;
}

std::optional<std::string> Catalogue::origin(const std::string& name) const {
  std::optional<std::string> from;
  const Own* at = own(name);
  // A cycle, which find() complains of, ends here too.
  for (std::size_t steps = 0; at != nullptr && steps < own_.size(); ++steps) {
    from = at->from.empty() ? default_parent : at->from;
    at = own(*from);
  }
  return from;
}

tl::unexpected<Error> Catalogue::unknown(const std::string& name) const {
  if (auto versions = versions_of(name); !versions.empty()) {
    return fail("there is no policy '" + name + "': valid are " + join(versions, ", "));
  }
  std::vector<std::string> valid = names();
  std::vector<std::string> candidates = valid;
  for (const auto& [alias, id] : aliases()) {
    if (std::find(valid.begin(), valid.end(), alias) == valid.end()) candidates.push_back(alias);
  }
  return fail("unknown policy '" + name + "'" + did_you_mean(name, candidates) + ": valid are " +
              join(valid, ", ") + ", and the short names modern, intermediate, old");
}

Result<void> Catalogue::resolve_all() const {
  for (const Own& each : own_) {
    if (auto policy = find(each.name); !policy) return tl::unexpected(policy.error());
  }
  return {};
}

std::vector<std::string> Catalogue::names() const {
  std::vector<std::string> all;
  for (const Policy& preset : presets()) all.push_back(preset.id());
  for (const Own& each : own_) all.push_back(each.name);
  return all;
}

}  // namespace tlsguard::policy
