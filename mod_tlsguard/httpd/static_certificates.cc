// SPDX-License-Identifier: Apache-2.0
#include "httpd/static_certificates.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/text.h"
#include "crypto/certificate.h"
#include "httpd/conf_of.h"
#include "httpd/domain_settings.h"

namespace tlsguard::httpd {

namespace {

constexpr std::size_t most_names = 100;
constexpr std::size_t longest_text = 255;

status::CertificateFile shown(const std::string& path, const crypto::CertificateFacts& facts) {
  status::CertificateFile file;
  file.file = path;
  file.names = facts.dns_names;
  file.names.insert(file.names.end(), facts.ip_addresses.begin(), facts.ip_addresses.end());
  std::erase_if(file.names, [](const std::string& name) { return name.size() > longest_text; });
  file.names.resize(std::min(file.names.size(), most_names));
  file.serial = facts.serial.substr(0, longest_text);
  file.issuer = facts.issuer.substr(0, longest_text);
  file.not_before = facts.not_before;
  file.not_after = facts.not_after;
  return file;
}

std::vector<std::string> paths_of(const VirtualHost& host, apr_pool_t* pool) {
  std::vector<std::string> paths;
  for (const auto& written : conf_of(host.server)->ssl_certificate_files) {
    const char* resolved = ap_server_root_relative(pool, written.value.c_str());
    paths.emplace_back(resolved != nullptr ? resolved : written.value);
  }
  return paths;
}

std::string name_of(const VirtualHost& host) { return to_lower(host.name).substr(0, longest_text); }

void note_host(status::CertificateFile& file, const VirtualHost& host) {
  file.watched |= watches_files(host);
  std::string name = name_of(host);
  bool known = std::find(file.hosts.begin(), file.hosts.end(), name) != file.hosts.end();
  if (!known && file.hosts.size() < status::CertificateFile::most_hosts) {
    file.hosts.push_back(std::move(name));
  }
}

}  // namespace

bool is_managed(const VirtualHost& host) { return host.managed.fully || !host.managed.own.empty(); }

bool watches_files(const VirtualHost& host) {
  const ServerConf& conf = *conf_of(host.server);
  return !is_managed(host) && !conf.ssl_certificate_files.empty() && conf.domain_conf != nullptr &&
         conf.domain_conf->events && !conf.domain_conf->events->value.empty();
}

void note_certificate_files(Runtime& runtime, CertificateFiles& read) {
  auto& files = runtime.certificate_files;
  std::map<std::string_view, std::size_t> positions;
  for (const auto& host : runtime.virtual_hosts) {
    if (is_managed(*host)) continue;
    read.each(*conf_of(host->server), [&](const CertificateFile& file, const Place&) {
      auto [known, fresh] = positions.try_emplace(file.path, files.size());
      if (fresh) files.push_back(shown(file.path, *file.facts));
      note_host(files[known->second], *host);
    });
  }
}

std::vector<renew::StaticCertificateSpec> static_certificates(const Runtime& runtime,
                                                              apr_pool_t* pool) {
  std::map<std::string_view, const status::CertificateFile*> files;
  for (const auto& file : runtime.certificate_files) files.emplace(file.file, &file);
  std::vector<renew::StaticCertificateSpec> all;
  DomainSettingsMaker settings;
  std::set<std::pair<std::string, const renew::DomainSettings*>> known;
  for (const auto& host : runtime.virtual_hosts) {
    if (!watches_files(*host)) continue;
    // Without ServerAdmin: who differs in that alone is told once.
    DomainSettingsPtr made = settings.make(conf_of(host->server)->domain_conf, nullptr);
    for (const std::string& path : paths_of(*host, pool)) {
      auto file = files.find(path);
      if (file == files.end() || !known.emplace(path, made.get()).second) continue;
      const status::CertificateFile& has = *file->second;
      all.push_back(
          {path, name_of(*host), has.names, has.not_before, has.not_after, has.serial, made});
    }
  }
  return all;
}

}  // namespace tlsguard::httpd
