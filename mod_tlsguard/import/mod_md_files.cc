// SPDX-License-Identifier: Apache-2.0
#include "import/mod_md_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "crypto/base64url.h"
#include "import/json_fields.h"
#include "import/settings_text.h"

namespace tlsguard::import {
namespace {

constexpr std::size_t passphrase_size = 48;
constexpr int renew_manual = 0;  // md.json's "renew-mode"

void read_ca(const Json& md, MdFile& file) {
  std::vector<std::string> urls = texts_at(md, {"ca", "urls"});
  if (urls.empty()) urls = {text_at(md, {"ca", "url"})};
  add_setting(file.settings, "TLSGuardCA", keep_urls(std::move(urls)));
  file.agreed = text_at(md, {"ca", "agreement"}) == "accepted";
  add_setting(file.settings, "TLSGuardContact", contact_addresses(texts_at(md, {"contacts"})));
  bool by_dns = add_challenges(file.settings, known_challenges(texts_at(md, {"ca", "challenges"})),
                               file.domains);
  if (by_dns || !text_at(md, {"cmd-dns-01"}).empty()) {
    file.notes.emplace_back(
        "MDChallengeDns01: TLSGuardDNSCommand calls its program with the full record name and adds "
        "values instead of replacing them; adapt the script, and name it");
  }
  file.profile = keep_word(text_at(md, {"profile"}));
  if (!file.profile.empty()) {
    std::vector<std::string> words{file.profile};
    if (flag_at(md, {"profile-mandatory"}, false)) words.emplace_back("required");
    add_setting(file.settings, "TLSGuardCAProfile", std::move(words));
  }
  if (!flag_at(md, {"ari-renewals"}, true)) add_setting(file.settings, "TLSGuardARI", {"off"});
  add_setting(file.settings, "TLSGuardHTTPProxy", keep_urls({text_at(md, {"proxy-url"})}));
  std::string roots = text_at(md, {"ca-certs"});
  if (roots.starts_with('/')) add_setting(file.settings, "TLSGuardCATrust", {std::move(roots)});
}

void read_renewal(const Json& md, MdFile& file) {
  const Json* mode = json_at(md, {"renew-mode"});
  if (mode != nullptr && mode->is_number_integer() && *mode == renew_manual) {
    add_setting(file.settings, "TLSGuardRenew", {"manual"});
  }
  for (auto [theirs, ours] : {std::pair{"renew-window", "TLSGuardRenewWindow"},
                              std::pair{"warn-window", "TLSGuardWarnWindow"}}) {
    add_setting(file.settings, ours, {keep_window(text_at(md, {theirs}))});
  }
  std::string required = text_at(md, {"require-https"});
  if (required == "temporary" || required == "permanent") {
    add_setting(file.settings, "TLSGuardRequireHTTPS", {std::move(required)});
  }
}

void add_notes(const Json& md, MdFile& file) {
  if (flag_at(md, {"stapling"}, false)) {
    file.notes.emplace_back("MDStapling: managed certificates are served without a staple");
  }
  if (flag_at(md, {"must-staple"}, false)) {
    file.notes.emplace_back("MDMustStaple: CAs have stopped issuing such certificates");
  }
  if (!text_at(md, {"eab", "kid"}).empty()) {
    file.notes.emplace_back(
        "MDExternalAccountBinding: renewals go on with the imported account; for a new one write "
        "TLSGuardExternalAccount");
  }
  if (!texts_at(md, {"cert-files"}).empty()) {
    file.notes.emplace_back(
        "MDCertificateFile: such a file stays in SSLCertificateFile of its virtual host");
  }
}

}  // namespace

Result<crypto::SecretBytes> passphrase_from_store_json(std::string_view text) {
  auto json = parse_foreign_json(text);
  if (!json) return tl::unexpected(json.error());
  auto key = crypto::from_base64url(text_at(*json, {"key"}));
  if (!key || key->size() != passphrase_size) return fail("its key is missing or damaged");
  return key;
}

Result<MdFile> parse_md_json(std::string_view text) {
  auto md = parse_foreign_json(text);
  if (!md) return tl::unexpected(md.error());
  MdFile file;
  file.name = text_at(*md, {"name"});
  file.domains = keep_names(texts_at(*md, {"domains"}));
  if (file.domains.empty()) return fail("it has no domains");
  read_ca(*md, file);
  read_renewal(*md, file);
  add_notes(*md, file);
  return file;
}

Result<MdAccountFile> parse_md_account_json(std::string_view text) {
  auto json = parse_foreign_json(text);
  if (!json) return tl::unexpected(json.error());
  MdAccountFile file;
  file.directory_url = keep_url(text_at(*json, {"ca-url"}));
  file.account_url = keep_url(text_at(*json, {"url"}));
  if (file.directory_url.empty() || file.account_url.empty()) {
    return fail("the URL of the CA or of the account is missing");
  }
  auto contacts = texts_at(*json, {"contact"});
  if (contacts.empty()) contacts = texts_at(*json, {"registration", "contact"});
  file.contacts = contact_addresses(contacts);
  file.usable = text_at(*json, {"status"}) == "valid";
  return file;
}

}  // namespace tlsguard::import
