// SPDX-License-Identifier: Apache-2.0
#include "httpd/domain_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/dns_name.h"
#include "core/text.h"
#include "renew/spec_ca.h"

namespace tlsguard::httpd {

namespace {

using renew::ChallengeType;

bool is_dns(ChallengeType type) {
  return type != ChallengeType::http_01 && type != ChallengeType::tls_alpn_01;
}

// An address of ServerAdmin that a CA would take: Let's Encrypt refuses all others.
bool usable_contact(std::string_view address) {
  auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || address.find(' ') != std::string_view::npos) {
    return false;
  }
  std::string host = to_lower(address.substr(at + 1));
  if (host.find('.') == std::string::npos || host.ends_with('.')) return false;
  constexpr std::array<std::string_view, 8> reserved = {
      "localhost", "localdomain", "local", "example", "test", "invalid", "internal", "lan"};
  std::string_view top = std::string_view(host).substr(host.rfind('.') + 1);
  if (std::find(reserved.begin(), reserved.end(), top) != reserved.end()) return false;
  constexpr std::array<std::string_view, 3> examples = {"example.com", "example.net",
                                                        "example.org"};
  return std::none_of(examples.begin(), examples.end(), [&](std::string_view example) {
    return host == example || host.ends_with("." + std::string(example));
  });
}

template <typename To, typename T>
void take(To& to, const Setting<T>& from) {
  if (from) to = from->value;
}

renew::DomainSettings resolve(const DomainConf& conf, const char* server_admin) {
  renew::DomainSettings settings;
  settings.cas.push_back(*renew::parse_ca("letsencrypt"));
  take(settings.cas, conf.cas);
  take(settings.agreement, conf.agreement);
  take(settings.contacts, conf.contacts);
  if (!conf.contacts && server_admin != nullptr && usable_contact(server_admin)) {
    settings.contacts = {server_admin};
  }
  take(settings.external_accounts, conf.external_accounts);
  take(settings.challenges, conf.challenges);
  take(settings.dns_command, conf.dns_command);
  take(settings.key_types, conf.key_types);
  if (conf.profile) {
    settings.profile = conf.profile->value.name;
    settings.profile_required = conf.profile->value.required;
  }
  take(settings.preferred_chain, conf.preferred_chain);
  take(settings.renew_window, conf.renew_window);
  take(settings.ari, conf.ari);
  take(settings.warn_window, conf.warn_window);
  take(settings.automatic, conf.automatic);
  take(settings.ca_trust, conf.ca_trust);
  take(settings.http_proxy, conf.http_proxy);
  take(settings.events, conf.events);
  return settings;
}

template <typename T>
std::optional<Place> place_of(const Setting<T>& setting) {
  return setting ? std::optional(setting->place) : std::nullopt;
}

template <typename T>
bool same(const Setting<T>& a, const Setting<T>& b) {
  return a.has_value() == b.has_value() && (!a || a->value == b->value);
}

}  // namespace

DomainSettingsPtr DomainSettingsMaker::make(const DomainConfPtr& conf, const char* server_admin) {
  renew::DomainSettings settings = resolve(conf != nullptr ? *conf : DomainConf{}, server_admin);
  // Few distinct ones; the last one is the likeliest.
  auto known = std::find_if(made_.rbegin(), made_.rend(),
                            [&](const DomainSettingsPtr& each) { return *each == settings; });
  if (known != made_.rend()) return *known;
  made_.push_back(std::make_shared<const renew::DomainSettings>(std::move(settings)));
  return made_.back();
}

std::optional<Misfit> misfit_of(const std::vector<std::string>& names,
                                const renew::DomainSettings& settings, const DomainConfPtr& conf) {
  bool acme = std::any_of(settings.cas.begin(), settings.cas.end(),
                          [](const renew::CaSpec& ca) { return !ca.internal(); });
  if (!acme) return std::nullopt;
  const auto& types = settings.challenges;
  auto place = conf != nullptr ? place_of(conf->challenges) : std::nullopt;
  bool wants_command = std::any_of(types.begin(), types.end(), [](ChallengeType type) {
    return type == ChallengeType::dns_01 || type == ChallengeType::dns_account_01;
  });
  if (wants_command && settings.dns_command.empty()) {
    return Misfit{"TLSGuardChallenges: dns-01 and dns-account-01 need a TLSGuardDNSCommand", place};
  }
  bool dns = types.empty() ? !settings.dns_command.empty()
                           : std::any_of(types.begin(), types.end(), is_dns);
  bool other = types.empty() || !std::all_of(types.begin(), types.end(), is_dns);
  for (const std::string& name : names) {
    if (name.starts_with("*.") && !dns) {
      return Misfit{fmt::format("TLSGuardDomain: '{}' is a wildcard, and CAs give those for a DNS "
                                "challenge only: TLSGuardDNSCommand, or TLSGuardChallenges "
                                "dns-persist-01",
                                name),
                    std::nullopt};
    }
    if (is_ip_literal(name) && !other) {
      return Misfit{fmt::format("TLSGuardChallenges: '{}' is an IP address, and CAs give those for "
                                "http-01 and tls-alpn-01 only",
                                name),
                    place};
    }
  }
  return std::nullopt;
}

std::optional<Difference> difference_of(const DomainConfPtr& first, const DomainConfPtr& second) {
  const DomainConf nothing;
  const DomainConf& a = first != nullptr ? *first : nothing;
  const DomainConf& b = second != nullptr ? *second : nothing;
  std::optional<Difference> found;
  std::apply(
      [&](auto... setting) {
        (
            [&] {
              const auto& left = a.*setting.second;
              const auto& right = b.*setting.second;
              if (!found && !same(left, right)) {
                found = Difference{setting.first, place_of(left), place_of(right)};
              }
            }(),
            ...);
      },
      domain_settings);
  return found;
}

std::vector<std::string> key_type_names(const renew::DomainSettings& settings) {
  std::vector<std::string> names;
  for (crypto::KeyType type : settings.key_types) names.emplace_back(crypto::key_type_name(type));
  return names;
}

std::vector<std::string> ca_names(const renew::DomainSettings& settings) {
  std::vector<std::string> names;
  for (const renew::CaSpec& ca : settings.cas) names.push_back(ca.name);
  return names;
}

bool needs_agreement(const renew::DomainSettings& settings) {
  return !settings.agreement && std::any_of(settings.cas.begin(), settings.cas.end(),
                                            [](const renew::CaSpec& ca) { return !ca.internal(); });
}

std::vector<hello::CertificateKey> expected_keys(const renew::DomainSettings& settings) {
  constexpr std::uint16_t secp256r1 = 23;  // RFC 8422 5.1.1
  constexpr std::uint16_t secp384r1 = 24;
  std::vector<hello::CertificateKey> keys;
  for (crypto::KeyType type : settings.key_types) {
    hello::CertificateKey key;
    key.type = hello::KeyType::ecdsa;
    key.chain_security_bits = 128;
    switch (type) {
      case crypto::KeyType::p256:
        key.bits = 256;
        key.curve = secp256r1;
        break;
      case crypto::KeyType::p384:
        key.bits = 384;
        key.curve = secp384r1;
        break;
      case crypto::KeyType::rsa2048:
      case crypto::KeyType::rsa3072:
      case crypto::KeyType::rsa4096:
        key.type = hello::KeyType::rsa;
        key.bits = type == crypto::KeyType::rsa2048   ? 2048
                   : type == crypto::KeyType::rsa3072 ? 3072
                                                      : 4096;
        if (key.bits == 2048) key.chain_security_bits = 112;
        break;
    }
    // OpenSSL has room for one of each family.
    bool room = std::none_of(keys.begin(), keys.end(), [&](const hello::CertificateKey& known) {
      return known.type == key.type;
    });
    if (room) keys.push_back(key);
  }
  return keys;
}

}  // namespace tlsguard::httpd
