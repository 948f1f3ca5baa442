// SPDX-License-Identifier: Apache-2.0
// From what was written about a domain to what the agent gets. Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_DOMAIN_SETTINGS_H
#define TLSGUARD_HTTPD_DOMAIN_SETTINGS_H

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "hello/server_settings.h"
#include "httpd/domain_conf.h"
#include "httpd/managed_domains.h"

namespace tlsguard::httpd {

// conf: container over virtual host over server; null: all defaults. server_admin: the contact
// where none is written, if a CA would take it. Settings that are equal share one object.
class DomainSettingsMaker {
 public:
  [[nodiscard]] DomainSettingsPtr make(const DomainConfPtr& conf, const char* server_admin);

 private:
  std::vector<DomainSettingsPtr> made_;
};

// What cannot work, whatever the CA says: a wildcard without a DNS challenge, an address with
// nothing else, dns-01 without a command.
struct Misfit {
  std::string text;
  std::optional<Place> place;  // of the setting at fault; none: the domain's
};
[[nodiscard]] std::optional<Misfit> misfit_of(const std::vector<std::string>& names,
                                              const renew::DomainSettings& settings,
                                              const DomainConfPtr& conf);

// The first setting in which two differ.
struct Difference {
  const char* directive;
  std::optional<Place> first;
  std::optional<Place> second;
};
[[nodiscard]] std::optional<Difference> difference_of(const DomainConfPtr& first,
                                                      const DomainConfPtr& second);

// As written in messages and files.
[[nodiscard]] std::vector<std::string> key_type_names(const renew::DomainSettings& settings);
[[nodiscard]] std::vector<std::string> ca_names(const renew::DomainSettings& settings);

[[nodiscard]] bool needs_agreement(const renew::DomainSettings& settings);

// What a certificate of this type will mean for the verdict, before there is one.
[[nodiscard]] std::vector<hello::CertificateKey> expected_keys(
    const renew::DomainSettings& settings);

}  // namespace tlsguard::httpd

#endif
