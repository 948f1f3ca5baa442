// SPDX-License-Identifier: Apache-2.0
#include "httpd/managed_domains.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace tlsguard::httpd {

bool ManagedHost::may_serve(const ManagedDomain& domain) const {
  return fully || std::find(own.begin(), own.end(), &domain) != own.end();
}

const ManagedDomain* ManagedDomains::declared(std::string_view name) const {
  auto found = names_.find(name);
  return found != names_.end() ? found->second : nullptr;
}

const ManagedDomain* ManagedDomains::find(std::string_view asked) const {
  if (asked.size() > live::max_identity) return nullptr;
  std::array<char, live::max_identity + 1> buffer;  // NOLINT: only what is written is read
  std::transform(asked.begin(), asked.end(), buffer.begin(), [](char c) { return to_lower(c); });
  std::string_view name(buffer.data(), asked.size());
  if (const ManagedDomain* exact = declared(name)) return exact;
  auto dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  buffer[dot - 1] = '*';
  return declared(name.substr(dot - 1));
}

ManagedDomain& ManagedDomains::add(std::unique_ptr<ManagedDomain> domain) {
  domain->position = domains_.size();
  domains_.push_back(std::move(domain));
  ManagedDomain& added = *domains_.back();
  for (const std::string& name : added.names) names_.try_emplace(name, &added);
  return added;
}

void ManagedDomains::add_name(ManagedDomain& domain, const std::string& name) {
  if (names_.try_emplace(name, &domain).second) domain.names.push_back(name);
}

ManagedList& ManagedDomains::add(std::unique_ptr<ManagedList> list) {
  lists_.push_back(std::move(list));
  return *lists_.back();
}

}  // namespace tlsguard::httpd
