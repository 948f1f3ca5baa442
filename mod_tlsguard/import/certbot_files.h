// SPDX-License-Identifier: Apache-2.0
// The text files of certbot: what of them matters here. Untrusted text. Pure; thread-safe.
#ifndef TLSGUARD_IMPORT_CERTBOT_FILES_H
#define TLSGUARD_IMPORT_CERTBOT_FILES_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::import {

// renewal/<name>.conf: lines "key = value" in sections; lists have commas.
struct RenewalConf {
  std::string server;         // directory URL
  std::string account;        // id: a directory below accounts/
  std::string authenticator;  // "apache", "webroot", "dns-cloudflare", "manual" …
  std::string preferred_chain;
  std::string profile;
  bool profile_required = false;
  std::vector<std::string> challenges;
  std::string renew_window;  // as in TLSGuardRenewWindow; empty: certbot's own
  bool automatic = true;
  bool has_hooks = false;          // programs run at a renewal
  std::vector<std::string> notes;  // of settings that have no directive of ours
};
// An error where it has no [renewalparams].
[[nodiscard]] Result<RenewalConf> parse_renewal_conf(std::string_view text);

// accounts/…/regr.json: the account's URL.
[[nodiscard]] Result<std::string> account_url_from_regr_json(std::string_view text);

}  // namespace tlsguard::import

#endif
