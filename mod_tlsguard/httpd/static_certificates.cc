// SPDX-License-Identifier: Apache-2.0
#include "httpd/static_certificates.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/text.h"
#include "crypto/certificate.h"
#include "httpd/conf_of.h"
#include "httpd/domain_settings.h"

namespace tlsguard::httpd {

namespace {

constexpr std::size_t most_names = 100;
constexpr std::size_t longest_text = 255;

std::optional<crypto::CertificateFacts> facts_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(crypto::max_chain_pem, '\0');
  if (!file) return std::nullopt;
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto leaf = crypto::first_certificate(text);
  if (!leaf) return std::nullopt;
  auto facts = crypto::facts_of(leaf->get());
  if (!facts) return std::nullopt;
  return std::move(*facts);
}

renew::StaticCertificateSpec spec_of(const crypto::CertificateFacts& facts) {
  renew::StaticCertificateSpec spec;
  spec.names = facts.dns_names;
  spec.names.insert(spec.names.end(), facts.ip_addresses.begin(), facts.ip_addresses.end());
  std::erase_if(spec.names, [](const std::string& name) { return name.size() > longest_text; });
  spec.names.resize(std::min(spec.names.size(), most_names));
  spec.not_before = facts.not_before;
  spec.not_after = facts.not_after;
  spec.serial = facts.serial.substr(0, longest_text);
  return spec;
}

}  // namespace

bool watches_files(const VirtualHost& host) {
  const ServerConf& conf = *conf_of(host.server);
  // Where it has declared a domain, the file only serves until that one is live.
  bool ours = host.managed.fully || !host.managed.own.empty();
  return !ours && !conf.ssl_certificate_files.empty() && conf.domain_conf != nullptr &&
         conf.domain_conf->events && !conf.domain_conf->events->value.empty();
}

std::vector<renew::StaticCertificateSpec> static_certificates(const Runtime& runtime,
                                                              apr_pool_t* pool) {
  std::vector<renew::StaticCertificateSpec> all;
  DomainSettingsMaker settings;
  std::map<std::string, std::optional<crypto::CertificateFacts>> files;
  std::set<std::pair<std::string, const renew::DomainSettings*>> known;
  for (const auto& host : runtime.virtual_hosts) {
    if (!watches_files(*host)) continue;
    const ServerConf& conf = *conf_of(host->server);
    DomainSettingsPtr made = settings.make(conf.domain_conf, host->server->server_admin);
    for (const std::string& name : conf.ssl_certificate_files) {
      const char* resolved = ap_server_root_relative(pool, name.c_str());
      std::string path = resolved != nullptr ? resolved : name;
      if (!known.emplace(path, made.get()).second) continue;
      auto [file, fresh] = files.try_emplace(path);
      if (fresh) file->second = facts_in(path);
      if (!file->second) continue;
      renew::StaticCertificateSpec spec = spec_of(*file->second);
      spec.file = std::move(path);
      spec.server_name = to_lower(host->name).substr(0, longest_text);
      spec.settings = made;
      all.push_back(std::move(spec));
    }
  }
  return all;
}

}  // namespace tlsguard::httpd
