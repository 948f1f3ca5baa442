// SPDX-License-Identifier: Apache-2.0
// What was written about managed domains, for one server or inside one <TLSGuardDomain>. Filled
// while httpd reads its files; then immutable and shared by all servers that add nothing to it.
// Configuration time only, one thread.
#ifndef TLSGUARD_HTTPD_DOMAIN_CONF_H
#define TLSGUARD_HTTPD_DOMAIN_CONF_H

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "httpd/written.h"
#include "renew/spec.h"
#include "web/require_https.h"

namespace tlsguard::httpd {

struct CaProfile {
  std::string name;
  bool required = false;
  bool operator==(const CaProfile&) const = default;
};

// Every directive that may stand inside <TLSGuardDomain>, in a virtual host and in the server.
struct DomainConf {
  Setting<std::vector<renew::CaSpec>> cas;
  Setting<bool> agreement;
  Setting<std::vector<std::string>> contacts;
  Setting<std::vector<renew::ExternalAccountSpec>> external_accounts;
  Setting<std::vector<renew::ChallengeType>> challenges;
  Setting<std::vector<std::string>> dns_command;
  Setting<std::vector<crypto::KeyType>> key_types;
  Setting<CaProfile> profile;
  Setting<std::string> preferred_chain;
  Setting<renew::Window> renew_window;
  Setting<bool> ari;
  Setting<renew::Window> warn_window;
  Setting<bool> automatic;
  Setting<std::string> ca_trust;
  Setting<std::string> http_proxy;
  Setting<std::vector<renew::EventSpec>> events;  // empty: none
};

// The directives' names, for messages, and their members: what merges, and what is compared.
inline constexpr auto domain_settings =
    std::make_tuple(std::pair{"TLSGuardCA", &DomainConf::cas},
                    std::pair{"TLSGuardAgreement", &DomainConf::agreement},
                    std::pair{"TLSGuardContact", &DomainConf::contacts},
                    std::pair{"TLSGuardExternalAccount", &DomainConf::external_accounts},
                    std::pair{"TLSGuardChallenges", &DomainConf::challenges},
                    std::pair{"TLSGuardDNSCommand", &DomainConf::dns_command},
                    std::pair{"TLSGuardKeyTypes", &DomainConf::key_types},
                    std::pair{"TLSGuardCAProfile", &DomainConf::profile},
                    std::pair{"TLSGuardPreferredChain", &DomainConf::preferred_chain},
                    std::pair{"TLSGuardRenewWindow", &DomainConf::renew_window},
                    std::pair{"TLSGuardARI", &DomainConf::ari},
                    std::pair{"TLSGuardWarnWindow", &DomainConf::warn_window},
                    std::pair{"TLSGuardRenew", &DomainConf::automatic},
                    std::pair{"TLSGuardCATrust", &DomainConf::ca_trust},
                    std::pair{"TLSGuardHTTPProxy", &DomainConf::http_proxy},
                    std::pair{"TLSGuardEvent", &DomainConf::events});

using DomainConfPtr = std::shared_ptr<const DomainConf>;

// add over base; shares one of the two where the other adds nothing. Null: nothing is written.
[[nodiscard]] DomainConfPtr merge(const DomainConfPtr& base, const DomainConfPtr& add);

// One TLSGuardDomain or <TLSGuardDomain>, as written.
struct DeclaredDomain {
  std::vector<std::string> names;  // lower case, no duplicates; empty: those of its virtual host
  DomainConfPtr settings;          // of the container; null: none
  Setting<web::RequireHttps> require_https;
  Place place;
};

}  // namespace tlsguard::httpd

#endif
