// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "ctl/agent_client.h"
#include "ctl/output.h"
#include "ctl/progress.h"
#include "ctl/store_access.h"
#include "import/certbot.h"
#include "import/mod_md.h"
#include "import/pem_pair.h"
#include "import/settings_text.h"
#include "renew/activation.h"

namespace tlsguard::ctl {
namespace {

using import::Imported;
using import::ImportedAccount;
using import::ImportedDomain;
using import::ImportedModMd;
using nlohmann::json;

Result<ImportedModMd> read_directory(const ImportOptions& options, UnixSeconds now) {
  auto tree = import::ForeignTree::open(options.source);
  if (!tree) return tl::unexpected(tree.error());
  if (options.from == ImportFrom::mod_md) return import::import_mod_md(*tree, now);
  auto imported = import::import_certbot(*tree, now);
  if (!imported) return tl::unexpected(imported.error());
  bool agreed = !imported->accounts.empty();  // certbot registers none without it
  return ImportedModMd{std::move(*imported), agreed, {}};
}

Result<ImportedModMd> read_source(const ImportOptions& options, UnixSeconds now) {
  if (options.from != ImportFrom::pem) {
    Progress progress("import");
    return read_directory(options, now);
  }
  auto domain = import::import_pem_pair(options.source, options.key, now);
  if (!domain) return tl::unexpected(domain.error());
  ImportedModMd found;
  found.imported.domains.push_back(std::move(*domain));
  return found;
}

bool same_chains(const store::Version& version, const ImportedDomain& domain) {
  return std::equal(
      version.pairs.begin(), version.pairs.end(), domain.pairs.begin(), domain.pairs.end(),
      [](const auto& a, const auto& b) { return a.type == b.type && a.chain_pem == b.chain_pem; });
}

// Whether it was put; not where it is live already, or what is live lasts longer.
Result<bool> put(StoreAccess& access, ImportedDomain& domain) {
  const std::string& identity = domain.names.front();
  store::CertificateStore& certificates = access.certificates();
  auto current = certificates.current(identity);
  if (!current) return tl::unexpected(current.error());
  if (*current) {
    auto live = certificates.load(identity, (*current)->version);
    if (live && same_chains(*live, domain)) return false;
    auto state = live ? renew::live_state_of(*live, {}) : tl::unexpected(live.error());
    if (state && state->validity.not_after >= domain.not_after) {
      domain.notes.push_back("what is live in the store lasts longer, and stays");
      return false;
    }
  }
  auto number = certificates.put(identity, import::version_of(domain));
  if (!number) return tl::unexpected(number.error());
  auto activated = certificates.activate(identity, *number);
  if (!activated) return tl::unexpected(activated.error());
  return true;
}

Result<std::vector<std::string>> fill_store(const ImportOptions& options, Imported& imported,
                                            UnixSeconds now) {
  auto owners = owners_of_new_store(options.agent_user, options.httpd_group);
  if (!owners) return tl::unexpected(owners.error());
  auto access = StoreAccess::make(options.store, *owners);
  if (!access) return tl::unexpected(access.error());
  std::vector<std::string> changed;
  Progress progress("import");
  std::size_t put_already = 0;
  for (ImportedDomain& domain : imported.domains) {
    progress.tell(put_already++, imported.domains.size(), "domains");
    auto done = put(*access, domain);
    if (!done) return tl::unexpected(done.error().within("domain '" + domain.name + "'"));
    if (*done) changed.push_back(domain.names.front());
  }
  auto accounts = access->accounts();
  for (const ImportedAccount& account : imported.accounts) {
    renew::AccountId id{account.directory_url, account.contacts, ""};
    std::sort(id.contacts.begin(), id.contacts.end());
    auto done = accounts.import(id, account.account_url, account.key.get(), now);
    if (!done)
      imported.notes.push_back("account " + account.account_url + ": " + done.error().text);
  }
  return changed;
}

// An agent at work is told, so that it goes live at once. One that does not manage the domain yet
// finds it in the store when it does.
void tell_agent(const std::string& store, const std::vector<std::string>& changed) {
  for (const std::string& identity : changed) {
    auto told = ask_agent(store, {.command = renew::ControlCommand::look, .domain = identity});
    if (told && !*told) return;
  }
}

json to_json(const ImportedModMd& found, const std::vector<std::string>& changed) {
  json domains = json::array();
  for (const ImportedDomain& domain : found.imported.domains) {
    domains.push_back({{"domain", domain.names.front()},
                       {"names", domain.names},
                       {"not_after", domain.not_after},
                       {"notes", domain.notes}});
  }
  return {{"domains", std::move(domains)},
          {"changed", changed},
          {"accounts", found.imported.accounts.size()},
          {"notes", found.imported.notes},
          {"configuration",
           import::configuration_of(found.imported.domains, found.agreed, found.remarks)}};
}

}  // namespace

int import(const ImportOptions& options) {
  const UnixSeconds now = std::time(nullptr);
  auto found = read_source(options, now);
  if (!found) return trouble(found.error());
  Imported& imported = found->imported;
  if (imported.domains.empty() && imported.accounts.empty()) {
    for (const std::string& note : imported.notes) complain(note);
    return trouble(Error{"there is nothing to import in " + options.source});
  }
  auto changed = fill_store(options, imported, now);
  if (!changed) return trouble(changed.error());
  tell_agent(options.store, *changed);
  if (options.json) {
    print_json(to_json(*found, *changed));
    return exit_fine;
  }
  for (const std::string& note : imported.notes) complain(note);
  print(import::configuration_of(imported.domains, found->agreed, found->remarks));
  return exit_fine;
}

}  // namespace tlsguard::ctl
