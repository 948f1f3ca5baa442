// SPDX-License-Identifier: Apache-2.0
#include "httpd/virtual_hosts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "httpd/ssl_directives.h"
#include "policy/strength.h"

namespace tlsguard::httpd {

namespace {

Engine engine_of(const ServerConf& conf) {
  if (conf.engine) return conf.engine->value;
  return mentions_guard(conf) ? Engine::on : Engine::report;
}

// What was written that made the policy, and where: to point at when it does not fit.
struct Cause {
  std::string directives;  // "TLSGuardPolicy, TLSGuardGroups"
  Place place;             // of the last of them, else of the virtual host
};

Cause cause_of(const VirtualHost& host, const ServerConf& conf) {
  Cause cause{"", host.place};
  auto add = [&](const auto& setting, const char* directive) {
    if (!setting) return;
    if (!cause.directives.empty()) cause.directives += ", ";
    cause.directives += directive;
    cause.place = setting->place;
  };
  add(conf.policy, "TLSGuardPolicy");
  add(conf.min_protocol, "TLSGuardMinProtocol");
  add(conf.max_protocol, "TLSGuardMaxProtocol");
  add(conf.cipher_suite, "TLSGuardCipherSuite");
  add(conf.tls13_cipher_suite, "TLSGuardCipherSuite TLSv1.3");
  add(conf.groups, "TLSGuardGroups");
  add(conf.signature_algorithms, "TLSGuardSignatureAlgorithms");
  if (!cause.directives.empty()) return cause;
  cause.directives = "TLSGuardPolicy baseline, the default";
  // The main server has no line of its own: that of what asked for a policy.
  if (cause.place.line == 0 && conf.engine) cause.place = conf.engine->place;
  if (cause.place.line == 0 && conf.floor) cause.place = conf.floor->place;
  return cause;
}

// What a policy of one name really says here: own policies and changed ones may say something
// else after an edit, and counts of the two must not be added up.
std::string counted_policy(const policy::Policy& policy, const hello::ServerSettings& settings) {
  bool fixed = !policy.version.empty() && !policy.id().ends_with('+');
  constexpr std::size_t enough = 8;
  return fixed ? policy.id()
               : policy.id() + '#' + policy::settings_digest(settings).substr(0, enough);
}

void fill_counted(VirtualHost& host) {
  const Plan& plan = *host.plan;
  host.counted.key = host.name + '|' + join(host.addresses, " ");
  if (host.counted.key.size() > live::max_key) host.counted.key.resize(live::max_key);
  auto& policies = host.counted.policies;
  auto at = [](live::Judge judge) { return static_cast<std::size_t>(judge); };
  policies[at(live::Judge::in_force)] = counted_policy(plan.key.policy, plan.in_force());
  if (plan.key.report_policy) {
    policies[at(live::Judge::report)] =
        counted_policy(*plan.key.report_policy, *plan.judged[at(live::Judge::report)]);
  }
  const auto& ids = policy::aliases();
  for (live::Judge judge :
       {live::Judge::baseline, live::Judge::intermediate, live::Judge::modern}) {
    std::string name(live::judge_name(judge));
    auto id = ids.find(name);
    policies[at(judge)] = id != ids.end() ? id->second : name;
  }
}

// httpd takes it from Listen only when it opens the ports (ap_setup_listeners), and by its rule.
std::string_view protocol_of(const server_rec* s) {
  const char* written = ap_get_server_protocol(const_cast<server_rec*>(s));
  if (written != nullptr) return written;
  for (const server_addr_rec* a = s->addrs; a != nullptr; a = a->next) {
    if (a->host_addr == nullptr) continue;
    for (const ap_listen_rec* l = ap_listeners; l != nullptr; l = l->next) {
      if (l->bind_addr == nullptr || l->bind_addr->port != a->host_port) continue;
      if (apr_sockaddr_equal(l->bind_addr, a->host_addr) == 0) continue;
      return l->protocol != nullptr ? l->protocol : "";
    }
  }
  return "";
}

}  // namespace

void plan_again(VirtualHost& host, std::vector<hello::CertificateKey> keys) {
  PlanKey key = host.plan->key;
  key.keys = std::move(keys);
  if (auto plan = host.runtime->planner.plan(key)) host.plan = *plan;
}

std::vector<std::string> addresses_of(const server_rec* s) {
  std::vector<std::string> addresses;
  for (server_addr_rec* a = s->addrs; a != nullptr; a = a->next) {
    std::string host = a->virthost != nullptr ? a->virthost : "*";
    if (a->host_addr != nullptr) {
      std::array<char, 64> ip{};
      if (apr_sockaddr_ip_getbuf(ip.data(), ip.size(), a->host_addr) == APR_SUCCESS) {
        host = ip.data();
        if (host == "0.0.0.0" || host == "::") host = "*";
        if (host.find(':') != std::string::npos) host = '[' + host + ']';
      }
    }
    std::string port = a->host_port != 0 ? std::to_string(a->host_port) : "*";
    std::string address = host + ':' + port;
    // `*` stands for IPv4 and IPv6, each with a record of its own.
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
  return addresses;
}

bool speaks_tls(const server_rec* s, const ServerConf& conf) {
  if (conf.ssl_engine) return conf.ssl_engine->value;
  return !conf.ssl_certificate_files.empty() && protocol_of(s) == "https";
}

Place place_of(const server_rec* s) {
  return {s->defn_name != nullptr ? s->defn_name : "the server configuration",
          static_cast<int>(s->defn_line_number)};
}

Result<policy::Policy> VirtualHostMaker::resolve(const std::string& name,
                                                 const policy::Settings& settings) {
  auto known = std::find_if(resolved_.begin(), resolved_.end(), [&](const Resolved& resolved) {
    return resolved.name == name && resolved.settings == settings;
  });
  if (known != resolved_.end()) return known->policy;
  auto base = runtime_.catalogue.find(name);
  if (!base) return base;
  auto policy = settings.empty() ? std::move(base) : policy::with_settings(*base, settings);
  if (policy) resolved_.push_back({name, settings, *policy});
  return policy;
}

bool VirtualHostMaker::fill_policies(VirtualHost& host, const ServerConf& conf, PlanKey& key) {
  auto policy = resolve(conf.policy ? conf.policy->value : "baseline", settings_of(conf));
  if (!policy) {
    Cause cause = cause_of(host, conf);
    complaints_.error(conf.policy ? conf.policy->place : cause.place,
                      cause.directives + ": " + policy.error().text);
    return false;
  }
  key.policy = *policy;
  host.policy_id = policy->id();
  host.policy_floats = !conf.policy || conf.policy->value.find('@') == std::string::npos;
  if (!conf.report_policy || conf.report_policy->value.empty()) return true;
  auto report = resolve(conf.report_policy->value, {});
  if (!report) return false;  // complained of already
  key.report_policy = *report;
  host.report_policy_id = report->id();
  return true;
}

void VirtualHostMaker::fill_certificates(VirtualHost& host, const ServerConf& conf, PlanKey& key) {
  for (const auto& written : conf.ssl_certificate_files) {
    const auto& certificate = files_.read(written.value);
    if (certificate) {
      key.keys.push_back(certificate->key);
    } else {
      host.notes.push_back(
          {policy::Note::Kind::warning, "certificate not looked at: " + certificate.error().text});
    }
  }
}

// What it will serve once it is live is planned for, too: what does not fit is said now.
void VirtualHostMaker::fill_managed(VirtualHost& host, const ServerConf& conf, PlanKey& key) {
  const ManagedHost& managed = host.managed;
  if (!managed.any()) return;
  const renew::DomainSettings* settings = nullptr;
  if (managed.otherwise != nullptr) {
    settings = managed.otherwise->settings.get();
  } else if (!managed.own.empty()) {
    settings = managed.own.front()->settings.get();
  } else if (!managed.lists.empty()) {
    settings = managed.lists.front()->settings.get();
  }
  if (settings == nullptr) return;
  auto keys = expected_keys(*settings);
  if (managed.fully) {
    key.keys = std::move(keys);
    return;
  }
  if (host.engine == Engine::off) return;
  PlanKey later = key;
  later.keys = std::move(keys);
  auto plan = runtime_.planner.plan(later);
  if (!plan) return;  // the same error comes without it
  for (const policy::Note& note : (*plan)->notes) {
    if (note.kind != policy::Note::Kind::warning) continue;
    complaints_.warning(cause_of(host, conf).place,
                        fmt::format("virtual host {}, once its managed certificate is live: {}",
                                    host.name, note.text));
  }
}

void VirtualHostMaker::complain_of_misfit(const VirtualHost& host, const ServerConf& conf) {
  const Plan& plan = *host.plan;
  Cause cause = cause_of(host, conf);
  if (plan.unfit && host.engine != Engine::off) {
    std::string text = fmt::format(
        "{}: virtual host {}: {}; with 'TLSGuardEngine report' or 'TLSGuardEngine off' it starts "
        "all "
        "the same, as mod_ssl alone would",
        cause.directives, host.name, plan.unfit->text);
    if (host.engine == Engine::on) {
      complaints_.error(cause.place, text);
    } else {
      complaints_.warning(cause.place, text);
    }
  }
  if (plan.report_unfit) {
    complaints_.warning(conf.report_policy->place,
                        fmt::format("TLSGuardReportPolicy: virtual host {}: {}", host.name,
                                    plan.report_unfit->text));
  }
  if (host.engine == Engine::off) return;
  for (const policy::Note& note : plan.notes) {
    if (note.kind != policy::Note::Kind::warning) continue;
    complaints_.warning(cause.place, fmt::format("virtual host {}: {}", host.name, note.text));
  }
}

void VirtualHostMaker::check_floor(VirtualHost& host, const ServerConf& conf) {
  if (!conf.floor) return;
  const Floor& floor = conf.floor->value;
  auto policy = runtime_.catalogue.find(floor.policy);
  if (!policy) return;  // complained of already
  host.floor = policy->id();
  host.floor_exception = std::find(floor.except.begin(), floor.except.end(), to_lower(host.name)) !=
                         floor.except.end();
  if (host.floor_exception) {
    host.counted.floor_exception = policy->id();
    return;
  }
  const Plan& plan = *host.plan;
  std::vector<std::string> weaker;
  if (host.engine == Engine::off) {
    weaker.emplace_back("TLSGuardEngine is off");
  } else {
    weaker = policy::weaker_than(host.engine == Engine::on ? plan.in_force() : plan.own, *policy);
  }
  if (weaker.empty()) return;
  std::string text = fmt::format(
      "TLSGuardFloor {}: virtual host {} is weaker: {}; make it stronger, or name it after "
      "'except'",
      policy->id(), host.name, join(weaker, "; "));
  Place place = host.engine == Engine::off ? conf.engine->place : cause_of(host, conf).place;
  if (host.engine == Engine::report) {
    complaints_.warning(place, text);
  } else {
    complaints_.error(place, text);
  }
}

void VirtualHostMaker::check_directory_ciphers(const VirtualHost& host, const ServerConf& conf) {
  const Plan& plan = *host.plan;
  ProtocolSet renegotiable = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_2);
  if (host.engine != Engine::on || (plan.in_force().protocols & renegotiable).empty()) return;
  for (const DirectoryCipherSuite& suite : conf.directory_cipher_suites) {
    policy::SslDirectives directives = plan.key.directives;
    directives.cipher_suite = suite.spec;
    auto scratch = policy::build_scratch(directives);
    if (!scratch) continue;  // mod_ssl's to complain of
    auto allowed = policy::read_back(scratch->get());
    if (!allowed) continue;
    const auto& ours = plan.in_force().ciphers;
    auto below = std::find_if(
        allowed->ciphers.begin(), allowed->ciphers.end(), [&](const hello::Cipher& cipher) {
          return std::none_of(ours.begin(), ours.end(),
                              [&](const hello::Cipher& own) { return own.id == cipher.id; });
        });
    if (below == allowed->ciphers.end()) continue;
    complaints_.error(
        suite.place,
        fmt::format("SSLCipherSuite: here it allows {}, which policy {} of virtual host {} does "
                    "not; a directory's list may only hold ciphers of the policy",
                    below->name, host.policy_id, host.name));
  }
}

std::unique_ptr<VirtualHost> VirtualHostMaker::make(server_rec* s, const ServerConf& conf) {
  auto host = std::make_unique<VirtualHost>();
  host->runtime = &runtime_;
  host->server = s;
  host->name = s->server_hostname != nullptr ? s->server_hostname : "(no ServerName)";
  host->addresses = addresses_of(s);
  host->place = place_of(s);
  host->engine = engine_of(conf);
  host->protocol_set = conf.ssl_protocol.has_value();
  host->strict_sni = conf.strict_sni && conf.strict_sni->value && host->engine != Engine::off;

  PlanKey key;
  key.directives = ssl_directives_of(conf);
  fill_certificates(*host, conf, key);
  if (!fill_policies(*host, conf, key)) return nullptr;
  host->managed = resolver_.host_of(s, runtime_.domains);
  fill_managed(*host, conf, key);
  auto plan = runtime_.planner.plan(key);
  if (!plan) {
    // mod_ssl would only find it in post_config, where it ends a running server.
    complaints_.error(host->place,
                      fmt::format("virtual host {}: {}", host->name, plan.error().text));
    return nullptr;
  }
  host->plan = *plan;
  fill_counted(*host);
  complain_of_misfit(*host, conf);
  check_floor(*host, conf);
  check_directory_ciphers(*host, conf);
  return host;
}

}  // namespace tlsguard::httpd
