// SPDX-License-Identifier: Apache-2.0
#include "httpd/running.h"

#include <unistd.h>

#include <map>

#include "core/date.h"
#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/domain_settings.h"
#include "httpd/log.h"
#include "live/runtime_file.h"

namespace tlsguard::httpd {

namespace {

const char* engine_word(Engine engine) {
  return engine == Engine::on ? "on" : engine == Engine::report ? "report" : "off";
}

// The built-in policy that an own one in force goes back to, as it is written.
std::optional<std::string> origin_of(const VirtualHost& host) {
  const ServerConf& conf = *conf_of(host.server);
  if (!conf.policy) return std::nullopt;
  return host.runtime->catalogue.origin(conf.policy->value);
}

std::optional<std::string> made_from(const VirtualHost& host) {
  auto origin = origin_of(host);
  auto policy = origin ? host.runtime->catalogue.find(*origin) : fail("");
  if (!policy) return std::nullopt;
  return policy->id();
}

live::RuntimeHost host_of(const VirtualHost& host) {
  const Site& site = *conf_of(host.server)->site;
  live::RuntimeHost running;
  running.name = host.name;
  running.addresses = host.addresses;
  running.engine = engine_word(host.engine);
  running.policy = host.policy_id;
  const policy::Policy& policy = host.plan->key.policy;
  if (!live::is_built_in(policy)) running.own_policy = policy;
  running.made_from = made_from(host);
  if (!host.report_policy_id.empty()) running.report_policy = host.report_policy_id;
  running.floor = host.floor;
  running.floor_exception = host.floor_exception;
  running.file = host.place.file;
  running.line = host.place.line;
  running.is_default = host.is_default;
  running.settings =
      live::runtime_settings(host.engine == Engine::on ? host.plan->in_force() : host.plan->own);
  if (site.hsts_values.enabled()) running.hsts = site.hsts_values.at(site.reached());
  return running;
}

std::string_view without_version(std::string_view id) { return id.substr(0, id.find('@')); }

// A name without a version stands for the newest.
bool floats(std::string_view name) { return name.find('@') == std::string_view::npos; }

// The store's file is of the last start, perhaps of another release.
void say_which_policies_moved(const store::Directory& directory, server_rec* base,
                              const Runtime& runtime) {
  auto text = directory.read(std::string(live::runtime_file_name), live::max_runtime_file);
  if (!text || !*text) return;
  auto last = live::runtime_from_json(**text);
  if (!last) return;  // only a notice is lost; it is written anew below
  std::map<std::string, const live::RuntimeHost*> before;
  for (const live::RuntimeHost& host : last->virtual_hosts) before[host.name] = &host;
  std::map<std::string, std::string> moved;
  auto compare = [&](std::string old, std::string now, bool newest) {
    bool changed_by_hand = old.ends_with('+') != now.ends_with('+');
    if (!newest || changed_by_hand || old == now) return;
    if (without_version(old) != without_version(now)) return;
    if (now.ends_with('+')) {  // single settings over a policy that moved beneath them
      old.pop_back();
      now.pop_back();
    }
    moved[old] = now;
  };
  for (const auto& host : runtime.virtual_hosts) {
    auto found = before.find(host->name);
    if (found == before.end()) continue;
    const live::RuntimeHost& old = *found->second;
    const ServerConf& conf = *conf_of(host->server);
    compare(old.policy, host->policy_id, host->policy_floats);
    if (auto origin = origin_of(*host); origin && old.made_from) {
      compare(*old.made_from, made_from(*host).value_or(""), floats(*origin));
    }
    if (old.report_policy && conf.report_policy) {
      compare(*old.report_policy, host->report_policy_id, floats(conf.report_policy->value));
    }
    if (old.floor && host->floor)
      compare(*old.floor, *host->floor, floats(conf.floor->value.policy));
  }
  for (const auto& [from, to] : moved) {
    log_server(base, APLOG_NOTICE, "TG0005",
               "policy {} is now {}, the newest of its name; name the version to stay", from, to);
  }
}

}  // namespace

void write_running(const store::Directory& directory, server_rec* base, const Runtime& runtime) {
  say_which_policies_moved(directory, base, runtime);
  live::RuntimeFile file;
  file.written = format_date(apr_time_sec(apr_time_now()));
  file.httpd = ap_get_server_banner();
  file.openssl = OpenSSL_version(OPENSSL_VERSION);
  file.tlsguard = TLSGUARD_VERSION;
  file.pid = getpid();
  for (const auto& host : runtime.virtual_hosts) file.virtual_hosts.push_back(host_of(*host));
  for (const auto& domain : runtime.domains.domains()) {
    file.domains.push_back(
        {domain->names, key_type_names(*domain->settings), ca_names(*domain->settings)});
  }
  for (const auto& list : runtime.domains.lists()) file.lists.push_back(list->path);
  file.watching = runtime.watching;
  constexpr mode_t mode = 0600;
  // Of this run only, and nobody is served while it would be synced.
  auto written = directory.write(std::string(live::runtime_file_name), live::to_json(file), mode,
                                 store::Durability::quick);
  if (!written) {
    log_server(base, APLOG_ERR, "TG0037", "store={}: {}", directory.path(), written.error().text);
  }
}

void say_who_reports(server_rec* base, const Runtime& runtime) {
  constexpr std::size_t shown = 20;
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const auto& host : runtime.virtual_hosts) {
    if (host->engine != Engine::report) continue;
    if (names.size() < shown) {
      names.push_back(host->name);
    } else {
      ++more;
    }
  }
  if (names.empty()) return;
  log_server(base, APLOG_NOTICE, "TG0004",
             "these virtual hosts are judged but not protected (TLSGuardEngine report): {}{}",
             join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

void say_advice(const Runtime& runtime) {
  for (const Advice& advice : runtime.advice) {
    log_server(nullptr, APLOG_NOTICE | APLOG_STARTUP, "TG0006", "Line {} of {}: {}",
               advice.where.line, advice.where.file, advice.text);
  }
}

void say_of_advice(server_rec* base, const Runtime& runtime) {
  if (runtime.advice.empty()) return;
  log_server(base, APLOG_INFO, "TG0007",
             "something in the configuration could be simpler or safer ({}): httpd -t says what, "
             "and the status page",
             runtime.advice.size());
}

}  // namespace tlsguard::httpd
