// SPDX-License-Identifier: Apache-2.0
// Files of other programs that tlsguardctl imports: mod_md's JSON, certbot's configuration and
// accounts. Whatever they hold, what is printed to be pasted has the lines it should have.
// Input: one byte that chooses the file, then its content.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.h"
#include "import/certbot_files.h"
#include "import/jwk.h"
#include "import/mod_md_files.h"
#include "import/settings_text.h"

namespace {

using namespace tlsguard;

void complain_of(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

// Each line begins as a line of ours does, and is text.
void check_configuration(import::ImportedDomain domain) {
  std::vector<import::ImportedDomain> domains;
  domains.push_back(std::move(domain));
  for (const std::string& line : split(import::configuration_of(domains, true), "\n")) {
    bool known = line.starts_with("# ") || line.starts_with("    TLSGuard") ||
                 line.starts_with("<TLSGuardDomain ") || line == "</TLSGuardDomain>" ||
                 line == "TLSGuardAgreement accepted";
    bool text = line.find_first_of(std::string("\0\r\t\x1b\x7f$", 6)) == std::string::npos ||
                line.starts_with("# ");
    if (!known || !text || line.ends_with('\\')) complain_of("a line of another kind: " + line);
  }
}

void read_md(std::string_view text) {
  auto md = import::parse_md_json(text);
  if (!md) return;
  import::ImportedDomain domain;
  domain.name = md->name;
  domain.names = md->domains;
  domain.settings = md->settings;
  domain.notes = md->notes;
  check_configuration(std::move(domain));
}

void read_conf(std::string_view text) {
  auto conf = import::parse_renewal_conf(text);
  if (!conf) return;
  import::ImportedDomain domain;
  domain.name = conf->authenticator;
  domain.names = {"example.org"};
  import::add_setting(domain.settings, "TLSGuardCA", {conf->server});
  import::add_setting(domain.settings, "TLSGuardChallenges", conf->challenges);
  import::add_setting(domain.settings, "TLSGuardCAProfile", {conf->profile});
  import::add_setting(domain.settings, "TLSGuardPreferredChain", {conf->preferred_chain});
  check_configuration(std::move(domain));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      read_md(text);
      break;
    case 1:
      static_cast<void>(import::parse_md_account_json(text).has_value());
      break;
    case 2:
      if (auto key = import::passphrase_from_store_json(text); key && key->size() != 48) {
        complain_of("a passphrase of another size");
      }
      break;
    case 3:
      read_conf(text);
      break;
    case 4:
      static_cast<void>(import::account_url_from_regr_json(text).has_value());
      break;
    default:
      if (auto key = import::key_from_jwk(text); key && !*key) complain_of("a key that is none");
  }
  return 0;
}
