// SPDX-License-Identifier: Apache-2.0
#include "httpd/judge_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "httpd/advise.h"
#include "httpd/complaints.h"
#include "httpd/conf_of.h"
#include "httpd/domain_resolver.h"
#include "httpd/domain_warnings.h"
#include "httpd/pool.h"
#include "httpd/sites.h"
#include "httpd/static_certificates.h"
#include "httpd/virtual_hosts.h"
#include "httpd/web_hooks.h"
#include "policy/strength.h"
#include "store/prepare.h"

namespace tlsguard::httpd {

namespace {

bool define_policies(Runtime& runtime, const ServerConf& conf, Complaints& complaints) {
  for (const DefinedPolicy& own : conf.defined_policies) {
    auto defined = runtime.catalogue.define(own.name, own.from, own.settings, own.place.text());
    if (!defined) {
      complaints.error(own.place, "<TLSGuardDefinePolicy>: " + defined.error().text);
    }
  }
  if (complaints.any_error()) return false;
  // One by one, so that the place is that of the policy at fault.
  for (const DefinedPolicy& own : conf.defined_policies) {
    if (auto policy = runtime.catalogue.find(own.name); !policy) {
      complaints.error(own.place, "<TLSGuardDefinePolicy>: " + policy.error().text);
    }
  }
  return !complaints.any_error();
}

void mark_defaults(Runtime& runtime) {
  for (const auto& index : runtime.addresses.all()) {
    const VirtualHost* found = index->default_target().host;
    runtime.virtual_hosts[found->position]->is_default = true;
  }
}

const hello::ServerSettings& served(const VirtualHost& host) {
  return host.engine == Engine::on ? host.plan->in_force() : host.plan->own;
}

// Clients without a server name, and those that ask for one nobody has, get the default host.
void compare_with_neighbours(const AddressIndex& index, Complaints& complaints) {
  const VirtualHost& first = *index.default_target().host;
  constexpr std::size_t shown = 3;
  std::vector<std::string> stricter;
  std::vector<std::string> laxer;
  for (const VirtualHost* host : index.hosts()) {
    if (host == &first || host->plan == first.plan) continue;
    if (host->engine == Engine::on &&
        !policy::weaker_than(served(first), host->plan->key.policy).empty()) {
      stricter.push_back(host->name);
    } else if (first.engine == Engine::on &&
               !policy::weaker_than(served(*host), first.plan->key.policy).empty()) {
      laxer.push_back(host->name);
    }
  }
  auto some = [](std::vector<std::string> names) {
    std::size_t more = names.size() > shown ? names.size() - shown : 0;
    names.resize(names.size() - more);
    return join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
  };
  std::string where = first.addresses.empty() ? "its address" : join(first.addresses, " ");
  if (!stricter.empty()) {
    complaints.warning(
        first.place,
        fmt::format("virtual host {} is the default of {} and weaker than {}: clients without a "
                    "server name get the weaker settings; put a stricter virtual host first, or "
                    "set TLSGuardStrictSNI on",
                    first.name, where, some(stricter)));
  }
  if (!laxer.empty()) {
    complaints.warning(
        first.place,
        fmt::format("virtual host {} is the default of {} and stricter than {}: old clients that "
                    "send no server name are refused there",
                    first.name, where, some(laxer)));
  }
}

void check_strict_sni(const Runtime& runtime, const ServerConf& base, Complaints& complaints) {
  for (const auto& host : runtime.virtual_hosts) {
    const ServerConf& conf = *conf_of(host->server);
    if (!host->strict_sni) continue;
    if (host->is_default && host->engine == Engine::report) {
      complaints.warning(conf.strict_sni->place,
                         fmt::format("TLSGuardStrictSNI: {} only reports; with TLSGuardEngine on "
                                     "it refuses",
                                     host->name));
    }
    if (host->is_default) continue;
    bool inherited =
        base.strict_sni && base.strict_sni->place.text() == conf.strict_sni->place.text();
    if (!inherited) {
      complaints.warning(conf.strict_sni->place,
                         fmt::format("TLSGuardStrictSNI: {} is not the default virtual host of "
                                     "its address, so it does nothing here",
                                     host->name));
    }
  }
}

void note_sight(Runtime& runtime) {
  for (const auto& host : runtime.virtual_hosts) {
    if (host->engine != Engine::off) runtime.judging = true;
    if (host->engine == Engine::on) runtime.enforcing = true;
  }
}

// Also where no virtual host uses it: a wrong name is one all the same.
void check_names(const Runtime& runtime, const ServerConf& conf, Complaints& complaints) {
  auto check = [&](const Place& place, const char* directive, const std::string& name) {
    if (name.empty()) return;
    if (auto policy = runtime.catalogue.find(name); !policy) {
      complaints.error(place, fmt::format("{}: {}", directive, policy.error().text));
    }
  };
  if (conf.policy) check(conf.policy->place, "TLSGuardPolicy", conf.policy->value);
  if (conf.report_policy) {
    check(conf.report_policy->place, "TLSGuardReportPolicy", conf.report_policy->value);
  }
  if (conf.floor) check(conf.floor->place, "TLSGuardFloor", conf.floor->value.policy);
}

void make_hosts_and_sites(Runtime& runtime, server_rec* base, CertificateFiles& files,
                          Complaints& complaints) {
  DomainResolver resolver(base, complaints);
  runtime.domains = resolver.resolve();
  VirtualHostMaker maker(runtime, resolver, files, complaints);
  for (server_rec* s = base; s != nullptr; s = s->next) {
    ServerConf& conf = *conf_of(s);
    check_names(runtime, conf, complaints);
    runtime.sites.push_back(make_site(runtime, s, conf, complaints));
    Site& site = *runtime.sites.back();
    conf.site = &site;
    if (site.hsts.enabled) runtime.any_hsts = true;
    if (site.require_https != web::RequireHttps::off) runtime.names.any_required = true;
    if (!speaks_tls(s, conf)) continue;
    add_names(runtime.names, s, conf);
    auto host = maker.make(s, conf);
    if (!host) continue;
    site.host = host.get();
    host->position = runtime.virtual_hosts.size();
    conf.virtual_host = host.get();
    runtime.virtual_hosts.push_back(std::move(host));
  }
  for (const auto& domain : runtime.domains.domains()) {
    if (domain->require_https != web::RequireHttps::off) runtime.names.any_required = true;
  }
}

// Lists of the base server are served by the default virtual host of each TLS address.
void give_out_lists(Runtime& runtime, const server_rec* base) {
  for (const auto& host : runtime.virtual_hosts) {
    ManagedHost& managed = host->managed;
    for (const auto& list : runtime.domains.lists()) {
      if (list->server == base && host->server != base && host->is_default) {
        managed.lists.push_back(list.get());
      }
    }
    const ServerConf& conf = *conf_of(host->server);
    if (managed.lists.empty()) continue;
    add_lists(runtime.names, *conf.site, host->server, conf);
    if (managed.fully || has_own_certificate(conf)) continue;
    managed.fully = true;
    plan_again(*host, expected_keys(*managed.lists.front()->settings));
  }
}

void note_watched(Runtime& runtime) {
  runtime.watching = std::any_of(runtime.virtual_hosts.begin(), runtime.virtual_hosts.end(),
                                 [](const auto& host) { return watches_files(*host); });
}

// Where it is written that an agent is needed.
Place first_need(const Runtime& runtime) {
  const auto& domains = runtime.domains.domains();
  if (!domains.empty()) return domains.front()->place;
  if (runtime.domains.any()) return runtime.domains.lists().front()->place;
  auto watched = std::find_if(runtime.virtual_hosts.begin(), runtime.virtual_hosts.end(),
                              [](const auto& host) { return watches_files(*host); });
  return conf_of((*watched)->server)->domain_conf->events->place;
}

}  // namespace

Runtime* judge_config(apr_pool_t* pconf, apr_pool_t* ptemp, server_rec* base,
                      Complaints& complaints) {
  if (ap_find_linked_module("mod_ssl.c") == nullptr) {
    complaints.error(place_of(base),
                     "mod_tlsguard works on mod_ssl, which is not loaded: LoadModule ssl_module");
    return nullptr;
  }
  ServerConf& base_conf = *conf_of(base);
  auto* runtime = pool_make<Runtime>(pconf);
  std::string store = base_conf.store ? base_conf.store->value : TLSGUARD_STATE_DIR "/tlsguard";
  const char* path = ap_server_root_relative(ptemp, store.c_str());
  runtime->store_path = path != nullptr ? path : store;
  if (!define_policies(*runtime, base_conf, complaints)) return nullptr;
  CertificateFiles files(ptemp);
  make_hosts_and_sites(*runtime, base, files, complaints);
  if (complaints.any_error()) return nullptr;
  note_watched(*runtime);
  if (runtime->needs_agent()) {
    if (runtime->store_path.size() > store::max_store_path()) {
      complaints.error(base_conf.store ? base_conf.store->place : place_of(base),
                       fmt::format("TLSGuardStore: the path '{}' is longer than {}, too long for "
                                   "the agent's socket in it",
                                   runtime->store_path, store::max_store_path()));
      return nullptr;
    }
    runtime->agent = agent_conf(base_conf, first_need(*runtime), complaints);
  }
  runtime->addresses.build(base, ptemp);
  mark_defaults(*runtime);
  give_out_lists(*runtime, base);
  for (const auto& index : runtime->addresses.all()) compare_with_neighbours(*index, complaints);
  check_strict_sni(*runtime, base_conf, complaints);
  compare_ramps(base, complaints);
  warn_of_domains(*runtime, base, complaints);
  if (complaints.any_error()) return nullptr;
  note_sight(*runtime);
  if (!complaints.quiet()) {
    note_certificate_files(*runtime, files);
    advise(*runtime, base, ptemp, files, complaints);
  }
  runtime->hsts_filter = ap_get_output_filter_handle(hsts_filter_name);
  return runtime;
}

}  // namespace tlsguard::httpd
