// SPDX-License-Identifier: Apache-2.0
#include "httpd/domain_resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/dns_name.h"
#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/virtual_hosts.h"
#include "live/board.h"
#include "renew/spec_names.h"

namespace tlsguard::httpd {

namespace {

template <typename Use>
void each_name(const apr_array_header_t* list, Use&& use) {
  for (int i = 0; list != nullptr && i < list->nelts; ++i) {
    const char* name = APR_ARRAY_IDX(list, i, const char*);
    if (name != nullptr) use(name);
  }
}

std::optional<Place> renew_place(const DomainConfPtr& conf) {
  bool written = conf != nullptr && conf->automatic;
  return written ? std::optional(conf->automatic->place) : std::nullopt;
}

bool is_pattern(std::string_view name) { return name.find_first_of("*?") != std::string::npos; }

DomainConfPtr conf_in(const server_rec* s, const DomainConfPtr& container) {
  return merge(conf_of(s)->domain_conf, container);
}

}  // namespace

std::vector<std::string> names_of(const server_rec* s) {
  std::vector<std::string> names;
  auto add = [&](const char* name) { names.push_back(to_lower(std::string_view(name))); };
  if (s->server_hostname != nullptr) add(s->server_hostname);
  each_name(s->names, add);
  each_name(s->wild_names, add);
  return names;
}

bool has_own_certificate(const ServerConf& conf) {
  return !conf.ssl_certificate_files.empty() ||
         std::any_of(conf.ssl_conf_cmds.begin(), conf.ssl_conf_cmds.end(),
                     [](const auto& cmd) { return equal_ignoring_case(cmd.first, "Certificate"); });
}

DomainResolver::DomainResolver(server_rec* base, Complaints& complaints)
    : base_(base), complaints_(complaints) {
  for (const server_rec* s = base; s != nullptr; s = s->next) servers_.push_back(s);
  // httpd has the last one first.
  std::reverse(servers_.begin() + 1, servers_.end());
}

ManagedDomains DomainResolver::resolve() {
  ManagedDomains domains;
  for (const server_rec* s : servers_) {
    for (const DeclaredDomain& declared : conf_of(s)->domains) collect(s, declared, domains);
    collect_lists(s, domains);
  }
  if (domains.any()) {
    note_covered_hosts(domains);
    for (Draft& draft : drafts_) settle(draft);
    check_md(domains);
  }
  return domains;
}

// TLSGuardDomain without arguments. False: complained of.
bool DomainResolver::names_of_host(const server_rec* s, const DeclaredDomain& declared,
                                   std::vector<std::string>& names) {
  const ServerConf& conf = *conf_of(s);
  auto refuse = [&](const std::string& text) {
    complaints_.error(declared.place, "TLSGuardDomain without names " + text);
    return false;
  };
  if (s == base_) {
    return refuse("stands for those of a virtual host, so it must stand in one; here, name them");
  }
  if (!conf.server_name) return refuse("needs a ServerName in its virtual host");
  if (!speaks_tls(s, conf)) return refuse("needs 'SSLEngine on' in its virtual host");
  for (const std::string& name : names_of(s)) {
    auto good = renew::certificate_name(name);
    if (!good) {
      return refuse(
          fmt::format("takes those of the virtual host, of which one will not do: {}; "
                      "name the certificate's names",
                      good.error().text));
    }
    if (std::find(names.begin(), names.end(), *good) == names.end()) names.push_back(*good);
  }
  return true;
}

// The domain that has these names already; nullptr: none, or complained of (then names overlap).
DomainResolver::Draft* DomainResolver::draft_of(const std::vector<std::string>& names,
                                                bool of_server_name, const Place& place,
                                                const ManagedDomains& domains) {
  auto first = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return domains.declared(name) != nullptr;
  });
  if (first == names.end()) return nullptr;
  Draft& known = drafts_[domains.declared(*first)->position];
  std::set<std::string> ours(names.begin(), names.end());
  std::set<std::string> theirs(known.domain->names.begin(), known.domain->names.end());
  bool same_server =
      of_server_name && known.of_server_name && known.domain->identity == names.front();
  auto elsewhere = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    const ManagedDomain* other = domains.declared(name);
    return other != nullptr && other != known.domain;
  });
  if ((ours == theirs || same_server) && elsewhere == names.end()) return &known;
  const std::string& twice = same_server ? *elsewhere : *first;
  complaints_.error(
      place,
      fmt::format("TLSGuardDomain: '{}' is already in domain {} of {}; a name has one "
                  "certificate: write the same names in both places, or the name in "
                  "one of them only",
                  twice, domains.declared(twice)->identity, domains.declared(twice)->place.text()));
  return nullptr;
}

void DomainResolver::collect(const server_rec* s, const DeclaredDomain& declared,
                             ManagedDomains& domains) {
  bool of_server_name = declared.names.empty();
  std::vector<std::string> names = declared.names;
  if (of_server_name && !names_of_host(s, declared, names)) return;
  Draft* draft = draft_of(names, of_server_name, declared.place, domains);
  if (draft == nullptr) {
    bool overlap = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return domains.declared(name) != nullptr;
    });
    if (overlap) return;
    auto domain = std::make_unique<ManagedDomain>();
    domain->identity = names.front();
    domain->names = names;
    domain->place = declared.place;
    drafts_.push_back({&domains.add(std::move(domain)), declared.settings, {}, of_server_name});
    draft = &drafts_.back();
  }
  for (const std::string& name : names) domains.add_name(*draft->domain, name);
  if (declared.require_https) {
    draft->domain->require_https =
        web::stricter(draft->domain->require_https, declared.require_https->value);
  }
  draft->sources.push_back({s, conf_in(s, declared.settings), declared.place});
}

void DomainResolver::collect_lists(const server_rec* s, ManagedDomains& domains) {
  const ServerConf& conf = *conf_of(s);
  for (const auto& written : conf.domain_lists) {
    if (s != base_ && !speaks_tls(s, conf)) {
      complaints_.error(written.place,
                        "TLSGuardDomainList needs 'SSLEngine on' in its virtual host");
      continue;
    }
    auto list = std::make_unique<ManagedList>();
    list->path = written.value;
    std::string key = (s == base_ ? std::string("*") : join(names_of(s), " ")) + '|' +
                      join(addresses_of(s), " ") + '|' + written.value;
    list->id = static_cast<std::uint32_t>(live::key_hash(key));
    list->settings = settings_.make(conf.domain_conf, s->server_admin);
    list->server = s;
    list->place = written.place;
    list->renew_place = renew_place(conf.domain_conf);
    if (auto misfit = misfit_of({}, *list->settings, conf.domain_conf)) {
      complaints_.error(misfit->place.value_or(list->place), misfit->text);
    }
    domains.add(std::move(list));
  }
}

// Virtual hosts without a certificate of their own serve what is declared elsewhere, so their
// settings are the domain's, too.
void DomainResolver::note_covered_hosts(const ManagedDomains& domains) {
  for (const server_rec* s : servers_) {
    const ServerConf& conf = *conf_of(s);
    if (!speaks_tls(s, conf) || has_own_certificate(conf)) continue;
    std::set<const ManagedDomain*> seen;
    for (const std::string& name : names_of(s)) {
      const ManagedDomain* domain = is_pattern(name) ? domains.declared(name) : domains.find(name);
      if (domain == nullptr || !seen.insert(domain).second) continue;
      Draft& draft = drafts_[domain->position];
      bool itself = std::any_of(draft.sources.begin(), draft.sources.end(),
                                [&](const Source& source) { return source.server == s; });
      if (itself) continue;
      draft.sources.push_back({s, conf_in(s, draft.container), place_of(s)});
    }
  }
}

// All virtual hosts of a domain must agree. What the base server declares takes the settings of the
// virtual hosts that serve it.
void DomainResolver::settle(Draft& draft) {
  ManagedDomain& domain = *draft.domain;
  std::vector<const Source*> sources;
  for (const Source& source : draft.sources) {
    if (source.server != base_) sources.push_back(&source);
    auto& own = own_[source.server];
    if (std::find(own.begin(), own.end(), &domain) == own.end()) own.push_back(&domain);
  }
  if (sources.empty()) {
    for (const Source& source : draft.sources) sources.push_back(&source);
  }
  const Source& first = *sources.front();
  domain.settings = settings_.make(first.conf, first.server->server_admin);
  domain.renew_place = renew_place(first.conf);
  for (const Source* other : sources) {
    auto difference = difference_of(first.conf, other->conf);
    if (!difference) continue;
    complaints_.error(
        difference->second.value_or(other->place),
        fmt::format("{}: domain {} is served by virtual hosts that disagree: another value is at "
                    "{}; write it once, inside <TLSGuardDomain {}> or in the server",
                    difference->directive, domain.identity,
                    difference->first.value_or(first.place).text(), domain.identity));
    return;
  }
  if (auto misfit = misfit_of(domain.names, *domain.settings, first.conf)) {
    complaints_.error(misfit->place.value_or(domain.place), misfit->text);
  }
}

// Both would order certificates for one name, and answer each other's challenges.
void DomainResolver::check_md(const ManagedDomains& domains) {
  std::map<std::string, Place> managed;
  for (const server_rec* s : servers_) {
    for (const auto& names : conf_of(s)->md_names) {
      for (const std::string& name : names.value) managed.try_emplace(name, names.place);
    }
  }
  if (managed.empty()) return;
  // It adds the names of the virtual hosts that have one of a domain's (MDMembers auto).
  for (const server_rec* s : servers_) {
    auto names = names_of(s);
    auto known = std::find_if(names.begin(), names.end(),
                              [&](const std::string& name) { return managed.contains(name); });
    if (known == names.end()) continue;
    Place place = managed.at(*known);
    for (const std::string& name : names) managed.try_emplace(name, place);
  }
  for (const auto& domain : domains.domains()) {
    for (const std::string& name : domain->names) {
      auto other = managed.find(name);
      if (other == managed.end()) continue;
      complaints_.error(domain->place,
                        fmt::format("TLSGuardDomain: mod_md manages '{}' already, at {}; take it "
                                    "out of one of the two",
                                    name, other->second.text()));
    }
  }
}

ManagedHost DomainResolver::host_of(const server_rec* s, const ManagedDomains& domains) const {
  ManagedHost host;
  const ServerConf& conf = *conf_of(s);
  if (auto own = own_.find(s); own != own_.end()) host.own = own->second;
  for (const auto& list : domains.lists()) {
    if (list->server == s) host.lists.push_back(list.get());
  }
  host.has_address = std::any_of(host.own.begin(), host.own.end(), [](const ManagedDomain* own) {
    return std::any_of(own->names.begin(), own->names.end(),
                       [](const std::string& each) { return is_ip_literal(each); });
  });
  host.fully = !has_own_certificate(conf) && host.any();
  if (s->server_hostname != nullptr) host.server_name = to_lower(s->server_hostname);
  const ManagedDomain* named = domains.find(host.server_name);
  if (named != nullptr && host.may_serve(*named)) {
    host.otherwise = named;
  } else if (host.fully && !host.own.empty()) {
    host.otherwise = host.own.front();
  }
  return host;
}

}  // namespace tlsguard::httpd
