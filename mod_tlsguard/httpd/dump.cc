// SPDX-License-Identifier: Apache-2.0
#include "httpd/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/domain_settings.h"
#include "httpd/runtime.h"
#include "policy/describe.h"

namespace tlsguard::httpd {

namespace {

const char* engine_name(Engine engine) {
  switch (engine) {
    case Engine::on:
      return "on";
    case Engine::report:
      return "report";
    case Engine::off:
      break;
  }
  return "off";
}

const char* engine_meaning(Engine engine) {
  switch (engine) {
    case Engine::on:
      return "the policy is enforced";
    case Engine::report:
      return "nothing is refused that mod_ssl would not refuse";
    case Engine::off:
      break;
  }
  return "mod_tlsguard does not look";
}

void dump_notes(std::string& text, const std::vector<policy::Note>& notes) {
  for (const policy::Note& note : notes) {
    const char* kind = note.kind == policy::Note::Kind::warning      ? "warning"
                       : note.kind == policy::Note::Kind::overridden ? "overridden"
                                                                     : "left out";
    text += fmt::format("    {}: {}\n", kind, note.text);
  }
}

void dump_tickets(std::string& text, const ServerConf& conf) {
  if (conf.ssl_session_tickets && !conf.ssl_session_tickets->value) return;
  text += fmt::format(
      "    warning: session tickets are on and their key is not rotated: {}; RFC 9325 3.4 asks for "
      "a new one every week, or SSLSessionTickets off\n",
      conf.ssl_ticket_key_file ? "SSLSessionTicketKeyFile is read at a start only"
                               : "it lasts until the next restart");
}

void dump_hsts(std::string& text, const VirtualHost& host, const ServerConf& conf) {
  const Site& site = *conf.site;
  text += fmt::format("    HSTS: {}\n", site.hsts.enabled
                                            ? web::format_hsts(site.hsts, site.hsts.max_age)
                                            : std::string("off"));
  const auto& expected = host.plan->key.policy.min_hsts_age;
  if (expected && (!site.hsts.enabled || site.hsts.max_age < *expected)) {
    text += fmt::format("    warning: policy {} expects HSTS with max-age={} at least\n",
                        host.policy_id, expected->count());
  }
}

void dump_managed(std::string& text, const ManagedHost& managed) {
  for (const ManagedDomain* domain : managed.own) {
    text += fmt::format("    managed: {} ({}, {})\n", join(domain->names, " "),
                        join(key_type_names(*domain->settings), " "),
                        join(ca_names(*domain->settings), " "));
  }
  for (const ManagedList* list : managed.lists) {
    text += fmt::format("    managed: the names in {} ({}, {})\n", list->path,
                        join(key_type_names(*list->settings), " "),
                        join(ca_names(*list->settings), " "));
  }
  if (managed.any()) {
    text += managed.fully ? "    until a managed certificate is live: a placeholder, and 503\n"
                          : "    until a managed certificate is live: SSLCertificateFile\n";
  }
}

std::string aliases_of(const server_rec* s) {
  std::vector<std::string> names;
  for (const apr_array_header_t* list : {s->names, s->wild_names}) {
    if (list == nullptr) continue;
    for (int i = 0; i < list->nelts; ++i) {
      const char* name = APR_ARRAY_IDX(list, i, const char*);
      if (name != nullptr) names.emplace_back(name);
    }
  }
  return join(names, " ");
}

void dump_host(std::string& text, const VirtualHost& host) {
  const Plan& plan = *host.plan;
  const ServerConf& conf = *conf_of(host.server);
  text += fmt::format("virtual host {} ({})\n", host.name, join(host.addresses, " "));
  text += fmt::format("    defined: {}{}\n", host.place.text(),
                      host.is_default ? ", default of its address" : "");
  if (std::string aliases = aliases_of(host.server); !aliases.empty()) {
    text += fmt::format("    aliases: {}\n", aliases);
  }
  text += fmt::format("    TLSGuardEngine: {} ({})\n", engine_name(host.engine),
                      engine_meaning(host.engine));
  text += fmt::format("    policy: {}\n", host.policy_id);
  if (!host.report_policy_id.empty()) {
    text += fmt::format("    report policy: {}\n", host.report_policy_id);
  }
  if (host.floor) {
    text +=
        fmt::format("    floor: {}{}\n", *host.floor, host.floor_exception ? " (excepted)" : "");
  }
  dump_managed(text, host.managed);
  const bool enforced = host.engine == Engine::on;
  text += enforced ? "    in force:\n" : "    in force (mod_ssl alone):\n";
  text += policy::dump(enforced ? plan.in_force() : plan.own, "        ");
  if (host.engine == Engine::report) {
    text += plan.unfit ? fmt::format("    the policy does not fit: {}\n", plan.unfit->text)
                       : "    would be in force:\n" + policy::dump(plan.in_force(), "        ");
  }
  if (host.strict_sni && host.is_default) {
    text += "    TLSGuardStrictSNI: on (no or an unknown server name: alert 112)\n";
  }
  dump_hsts(text, host, conf);
  if (host.engine != Engine::off) dump_notes(text, plan.notes);
  dump_notes(text, host.notes);
  dump_tickets(text, conf);
}

}  // namespace

std::string dump(const Runtime& runtime) {
  std::string text =
      fmt::format("mod_tlsguard {} on {}\n", TLSGUARD_VERSION, OpenSSL_version(OPENSSL_VERSION));
  if (runtime.virtual_hosts.empty()) text += "no virtual host speaks TLS\n";
  std::vector<const VirtualHost*> hosts;
  for (const auto& host : runtime.virtual_hosts) hosts.push_back(host.get());
  // httpd's own list is in another order than its files.
  std::stable_sort(hosts.begin(), hosts.end(), [](const VirtualHost* a, const VirtualHost* b) {
    return std::tie(a->place.file, a->place.line) < std::tie(b->place.file, b->place.line);
  });
  for (const VirtualHost* host : hosts) dump_host(text, *host);
  return text;
}

}  // namespace tlsguard::httpd
