// SPDX-License-Identifier: Apache-2.0
// The directives of managed domains: arguments to values. What depends on the rest of the
// configuration is judged later (managed_domains.h).
#ifndef TLSGUARD_HTTPD_DOMAIN_DIRECTIVES_H
#define TLSGUARD_HTTPD_DOMAIN_DIRECTIVES_H

#include "httpd/directives.h"

namespace tlsguard::httpd {

Result<void> take_domain(Use& use);
Result<void> take_domain_list(Use& use);
Result<void> take_ca(Use& use);
Result<void> take_agreement(Use& use);
Result<void> take_contact(Use& use);
Result<void> take_external_account(Use& use);
Result<void> take_challenges(Use& use);
Result<void> take_dns_command(Use& use);
Result<void> take_key_types(Use& use);
Result<void> take_ca_profile(Use& use);
Result<void> take_preferred_chain(Use& use);
Result<void> take_renew_window(Use& use);
Result<void> take_ari(Use& use);
Result<void> take_warn_window(Use& use);
Result<void> take_renew(Use& use);
Result<void> take_ca_trust(Use& use);
Result<void> take_http_proxy(Use& use);
Result<void> take_event(Use& use);
Result<void> take_agent_user(Use& use);
Result<void> take_internal_ca_names(Use& use);
Result<void> take_agent_program(Use& use);

// The names of TLSGuardDomain and of its container: lower case, without duplicates. An error where
// one is no name that a certificate can have.
[[nodiscard]] Result<std::vector<std::string>> domain_names(const std::vector<std::string>& words);

}  // namespace tlsguard::httpd

#endif
