// SPDX-License-Identifier: Apache-2.0
#include "httpd/server_conf.h"

#include <algorithm>

namespace tlsguard::httpd {

namespace {

template <typename Members>
void overlay(ServerConf& merged, const ServerConf& add, const Members& members) {
  std::apply(
      [&](auto... member) {
        (
            [&] {
              if (add.*member) merged.*member = add.*member;
            }(),
            ...);
      },
      members);
}

template <typename Members>
void reset(ServerConf& conf, const Members& members) {
  std::apply([&](auto... member) { ((conf.*member).reset(), ...); }, members);
}

// mod_ssl's rule for SSLCertificateFile: the first entries knock out those of the server at the
// same place, later ones of the server stay, further ones are appended
// (modssl_ctx_cfg_merge_certkeys_array; three places: RSA, DSA, ECDSA of old).
using Files = std::vector<Written<std::string>>;
Files merge_certificate_files(const Files& base, const Files& add) {
  constexpr std::size_t places = 3;
  std::size_t knocked_out = std::min(add.size(), places);
  Files merged(add.begin(), add.begin() + static_cast<std::ptrdiff_t>(knocked_out));
  for (std::size_t i = knocked_out; i < base.size(); ++i) merged.push_back(base[i]);
  for (std::size_t i = places; i < add.size(); ++i) merged.push_back(add[i]);
  return merged;
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

DomainConfPtr merge(const DomainConfPtr& base, const DomainConfPtr& add) {
  if (base == nullptr) return add;
  if (add == nullptr) return base;
  auto merged = std::make_shared<DomainConf>(*base);
  std::apply(
      [&](auto... setting) {
        (
            [&] {
              if ((*add).*setting.second) (*merged).*setting.second = (*add).*setting.second;
            }(),
            ...);
      },
      domain_settings);
  return merged;
}

ServerConf merge(const ServerConf& base, const ServerConf& add) {
  ServerConf merged = base;
  merged.virtual_host = nullptr;
  merged.site = nullptr;
  if (add.policy) reset(merged, policy_settings);
  overlay(merged, add, policy_settings);
  overlay(merged, add, inherited_settings);
  merged.domain_conf = merge(base.domain_conf, add.domain_conf);
  merged.domains = add.domains;
  merged.domain_lists = add.domain_lists;
  merged.md_names = add.md_names;
  merged.server_name = add.server_name;
  merged.server_name_port = add.server_name_port;
  append(merged.ssl_conf_cmds, add.ssl_conf_cmds);
  append(merged.directory_cipher_suites, add.directory_cipher_suites);
  std::apply(
      [&](auto... setting) {
        (
            [&] {
              if (add.*setting.first) merged.*setting.second = add.*setting.second;
            }(),
            ...);
      },
      settings_above);
  merged.ssl_staple_url = base.ssl_staple_url || add.ssl_staple_url;
  merged.ssl_certificate_files =
      merge_certificate_files(base.ssl_certificate_files, add.ssl_certificate_files);
  return merged;
}

policy::Settings settings_of(const ServerConf& conf) {
  policy::Settings settings;
  auto take = [](auto& to, const auto& from) {
    if (from) to = from->value;
  };
  take(settings.min_protocol, conf.min_protocol);
  take(settings.max_protocol, conf.max_protocol);
  take(settings.cipher_suite, conf.cipher_suite);
  take(settings.tls13_cipher_suite, conf.tls13_cipher_suite);
  take(settings.groups, conf.groups);
  take(settings.signature_algorithms, conf.signature_algorithms);
  return settings;
}

bool mentions_guard(const ServerConf& conf) {
  return conf.policy || conf.floor || !settings_of(conf).empty();
}

}  // namespace tlsguard::httpd
