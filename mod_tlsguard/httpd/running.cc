// SPDX-License-Identifier: Apache-2.0
#include "httpd/running.h"

#include <unistd.h>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/log.h"
#include "live/runtime_file.h"

namespace tlsguard::httpd {

namespace {

const char* engine_word(Engine engine) {
  return engine == Engine::on ? "on" : engine == Engine::report ? "report" : "off";
}

live::RuntimeHost host_of(const VirtualHost& host) {
  const Site& site = *conf_of(host.server)->site;
  live::RuntimeHost running;
  running.name = host.name;
  running.addresses = host.addresses;
  running.engine = engine_word(host.engine);
  running.policy = host.policy_id;
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

std::string rfc3339(apr_time_t time) {
  apr_time_exp_t parts{};
  apr_time_exp_gmt(&parts, time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

void write_running(const store::Directory& directory, server_rec* base, const Runtime& runtime) {
  live::RuntimeFile file;
  file.written = rfc3339(apr_time_now());
  file.httpd = ap_get_server_banner();
  file.openssl = OpenSSL_version(OPENSSL_VERSION);
  file.tlsguard = TLSGUARD_VERSION;
  file.pid = getpid();
  for (const auto& host : runtime.virtual_hosts) file.virtual_hosts.push_back(host_of(*host));
  constexpr mode_t mode = 0600;
  auto written = directory.write(std::string(live::runtime_file_name), live::to_json(file), mode);
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

}  // namespace tlsguard::httpd
