// SPDX-License-Identifier: Apache-2.0
#include "httpd/domain_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/dns_name.h"
#include "core/text.h"
#include "httpd/advice.h"
#include "httpd/conf_of.h"
#include "httpd/domain_resolver.h"
#include "httpd/list_file.h"
#include "renew/spec_ca.h"

namespace tlsguard::httpd {

namespace {

// Those of one setting are said in one line, at the first.
struct Affected {
  Place place;
  std::vector<std::string> names;
};

template <typename Say>
void each_setting(const ManagedDomains& domains, bool (*concerned)(const renew::DomainSettings&),
                  Say&& say) {
  std::map<const renew::DomainSettings*, Affected> affected;
  auto note = [&](const DomainSettingsPtr& settings, const Place& place, const std::string& name) {
    if (!concerned(*settings)) return;
    Affected& entry = affected.try_emplace(settings.get(), Affected{place, {}}).first->second;
    entry.names.push_back(name);
  };
  for (const auto& domain : domains.domains()) {
    note(domain->settings, domain->place, domain->identity);
  }
  for (const auto& list : domains.lists()) note(list->settings, list->place, list->path);
  for (const auto& [settings, entry] : affected) say(*settings, entry);
}

void warn_of_agreement(const ManagedDomains& domains, Complaints& complaints) {
  each_setting(domains, needs_agreement,
               [&](const renew::DomainSettings& settings, const Affected& affected) {
                 std::vector<std::string> cas;
                 for (const renew::CaSpec& ca : settings.cas) {
                   if (!ca.internal()) cas.push_back(ca.name);
                 }
                 complaints.warning(
                     affected.place,
                     fmt::format("TLSGuardAgreement: without 'TLSGuardAgreement accepted' (the "
                                 "terms of service of {}) nothing is ordered for {}",
                                 join(cas, ", "), some_of(affected.names)));
               });
}

bool has_two_of_a_family(const renew::DomainSettings& settings) {
  return expected_keys(settings).size() < settings.key_types.size();
}

void warn_of_families(const ManagedDomains& domains, Complaints& complaints) {
  each_setting(domains, has_two_of_a_family,
               [&](const renew::DomainSettings& settings, const Affected& affected) {
                 complaints.warning(
                     affected.place,
                     fmt::format("TLSGuardKeyTypes {}: OpenSSL serves one certificate with an EC "
                                 "key and one with an RSA key, so of each kind only the first is "
                                 "used for {}",
                                 join(key_type_names(settings), " "), some_of(affected.names)));
               });
}

void warn_of_external_accounts(const ManagedDomains& domains, Complaints& complaints) {
  auto lacks = [](const renew::DomainSettings& settings) {
    return settings.external_accounts.empty() &&
           std::any_of(settings.cas.begin(), settings.cas.end(), [](const renew::CaSpec& ca) {
             const renew::KnownCa* known = renew::find_known_ca(ca);
             return known != nullptr && known->wants_account;
           });
  };
  each_setting(domains, lacks,
               [&](const renew::DomainSettings& settings, const Affected& affected) {
                 for (const renew::CaSpec& ca : settings.cas) {
                   const renew::KnownCa* known = renew::find_known_ca(ca);
                   if (known == nullptr || !known->wants_account) continue;
                   complaints.warning(
                       affected.place,
                       fmt::format("TLSGuardExternalAccount: {} gives certificates to accounts "
                                   "that it knows only, and none is set for {}",
                                   ca.name, some_of(affected.names)));
                 }
               });
}

// A pattern of ServerAlias stands for more names than any certificate has, but for "*.x".
bool is_covered(const VirtualHost& host, const ManagedDomains& domains, const std::string& name) {
  bool pattern = name.find_first_of("*?") != std::string::npos;
  const ManagedDomain* domain = pattern ? domains.declared(name) : domains.find(name);
  return domain != nullptr && host.managed.may_serve(*domain);
}

void warn_of_names(const VirtualHost& host, const ManagedDomains& domains, Complaints& complaints) {
  if (host.managed.own.empty()) return;
  std::vector<std::string> missing;
  for (const std::string& name : names_of(host.server)) {
    bool listed = !host.managed.lists.empty() && name.find_first_of("*?") != std::string::npos;
    if (!listed && !is_covered(host, domains, name)) missing.push_back(name);
  }
  if (missing.empty()) return;
  complaints.warning(host.managed.own.front()->place,
                     fmt::format("TLSGuardDomain: virtual host {} also answers for {}, which no "
                                 "managed certificate of it covers",
                                 host.name, some_of(missing)));
}

// An EV certificate under a wildcard, say.
void warn_of_files_that_stay(const VirtualHost& host, const ManagedDomains& domains,
                             Complaints& complaints) {
  const ManagedDomain* domain = domains.find(host.name);
  if (domain == nullptr || host.managed.may_serve(*domain)) return;
  complaints.warning(
      host.place, fmt::format("virtual host {} has a certificate of its own, which stays, though "
                              "domain {} of {} covers it: TLSGuardDomain in the virtual host, or "
                              "no SSLCertificateFile there, makes it managed",
                              host.name, domain->identity, domain->place.text()));
}

void warn_of_lost_rsa(const VirtualHost& host, Complaints& complaints) {
  if (host.managed.fully || host.managed.own.empty()) return;
  auto is_rsa = [](const hello::CertificateKey& key) { return key.type == hello::KeyType::rsa; };
  const auto& now = host.plan->key.keys;
  const renew::DomainSettings& settings = *host.managed.own.front()->settings;
  auto later = expected_keys(settings);
  if (std::none_of(now.begin(), now.end(), is_rsa) ||
      std::any_of(later.begin(), later.end(), is_rsa)) {
    return;
  }
  complaints.warning(
      host.managed.own.front()->place,
      fmt::format("TLSGuardKeyTypes: virtual host {} has an RSA certificate now, and "
                  "its managed one will have none: clients that know RSA only are "
                  "lost; 'TLSGuardKeyTypes P-256 rsa2048' keeps them",
                  host.name));
}

void warn_of_stapling(const VirtualHost& host, Complaints& complaints) {
  const ServerConf& conf = *conf_of(host.server);
  if (!conf.ssl_use_stapling || !conf.ssl_use_stapling->value || host.managed.own.empty()) return;
  for (const renew::CaSpec& ca : host.managed.own.front()->settings->cas) {
    const renew::KnownCa* known = renew::find_known_ca(ca);
    if (known == nullptr || !known->offers_ocsp) continue;
    complaints.warning(
        conf.ssl_use_stapling->place,
        fmt::format("SSLUseStapling: managed certificates of {} are served without a "
                    "staple by virtual host {}",
                    ca.name, host.name));
  }
}

bool answers_for(const VirtualHost& host, const std::string& name) {
  auto names = names_of(host.server);
  return std::any_of(names.begin(), names.end(), [&](const std::string& own) {
    return own == name || matches_alias_pattern(name, own);
  });
}

// Parsed now so that what is wrong in it is seen; the agent reads it again.
void warn_of_list(const Runtime& runtime, const ManagedList& list, const VirtualHost* host,
                  Complaints& complaints) {
  auto read = read_list(list.path);
  if (!read) {
    complaints.error(list.place, "TLSGuardDomainList: " + read.error().text);
    return;
  }
  for (const renew::BadLine& bad : read->bad) {
    complaints.warning({list.path, static_cast<int>(bad.number)},
                       "TLSGuardDomainList: the line is skipped: " + bad.why);
  }
  std::vector<std::string> unreached;
  for (const renew::ListLine& line : read->lines) {
    for (const std::string& name : line.names) {
      if (const ManagedDomain* other = runtime.domains.declared(name)) {
        complaints.warning({list.path, static_cast<int>(line.number)},
                           fmt::format("TLSGuardDomainList: the line is skipped: '{}' is in domain "
                                       "{} of {} already",
                                       name, other->identity, other->place.text()));
      }
      bool reached = host == nullptr || host->is_default || answers_for(*host, name);
      if (!reached) unreached.push_back(name);
    }
  }
  if (unreached.empty()) return;
  complaints.warning(
      list.place, fmt::format("TLSGuardDomainList: virtual host {} is neither the default one of "
                              "its address nor has it ServerAlias patterns for {}: another "
                              "virtual host answers for those",
                              host->name, some_of(unreached)));
}

}  // namespace

void warn_of_domains(const Runtime& runtime, const server_rec* base, Complaints& complaints) {
  const ManagedDomains& domains = runtime.domains;
  if (!domains.any()) return;
  warn_of_agreement(domains, complaints);
  warn_of_families(domains, complaints);
  warn_of_external_accounts(domains, complaints);
  for (const auto& host : runtime.virtual_hosts) {
    warn_of_names(*host, domains, complaints);
    warn_of_files_that_stay(*host, domains, complaints);
    warn_of_lost_rsa(*host, complaints);
    warn_of_stapling(*host, complaints);
  }
  for (const auto& list : domains.lists()) {
    warn_of_list(runtime, *list, virtual_host_of(list->server), complaints);
  }
  const ServerConf& conf = *conf_of(base);
  if (conf.core_dump_directory) {
    complaints.warning(conf.core_dump_directory->place,
                       "CoreDumpDirectory: dumps of a worker's memory hold the keys of managed "
                       "certificates and the key that seals the store");
  }
}

}  // namespace tlsguard::httpd
