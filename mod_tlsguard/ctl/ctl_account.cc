// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_account.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "ca/internal_ca.h"
#include "core/date.h"
#include "core/text.h"
#include "ctl/agent_client.h"
#include "ctl/output.h"
#include "ctl/store_access.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;

Result<std::vector<renew::AccountSummary>> stored_accounts(const std::string& store) {
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return std::vector<renew::AccountSummary>();
  return (*access)->accounts().list();
}

Result<std::string> stored_root(const std::string& store) {
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return fail(store + " has no internal CA yet");
  auto directory = store::Directory::open((*access)->ca_path());
  if (!directory) return tl::unexpected(directory.error());
  return ca::read_root_pem(*directory);
}

}  // namespace

// The store says all that the agent would.
int account_show(const std::string& store, bool as_json) {
  auto accounts = stored_accounts(store);
  if (!accounts) return trouble(accounts.error());
  if (as_json) {
    json list = json::array();
    for (const auto& account : *accounts) list.push_back(renew::to_json(account));
    print_json({{"accounts", std::move(list)}});
    return exit_fine;
  }
  Table table({"CA", "ACCOUNT", "CONTACTS", "SINCE"});
  for (const auto& account : *accounts) {
    std::string contacts = join(account.id.contacts, " ");
    std::string url = account.account_url.empty() ? "not registered yet" : account.account_url;
    table.add({printable(account.id.directory_url),
               printable(url) + (account.rolling_over ? " (its key is being changed)" : ""),
               contacts.empty() ? "-" : printable(contacts), format_date(account.created_at)});
  }
  print(table.text());
  return exit_fine;
}

int account_rollover(const std::string& store, const std::string& ca, bool as_json) {
  auto asked = ask_agent(store, {.command = ControlCommand::account_rollover, .ca = ca});
  if (!asked) return trouble(asked.error());
  if (!*asked) return trouble(Error{"a CA can only be asked while httpd runs: start it first"});
  if (as_json) {
    print_json(**asked);
    return exit_fine;
  }
  for (const json& account : (**asked)["accounts"]) {
    print(fmt::format("{}: has a new key\n", printable(account.get<std::string>())));
  }
  return exit_fine;
}

int ca_root(const std::string& store, bool as_json) {
  auto asked = ask_agent(store, {.command = ControlCommand::ca_root});
  if (!asked) return trouble(asked.error());
  auto pem =
      *asked ? Result<std::string>((**asked).at("pem").get<std::string>()) : stored_root(store);
  if (!pem) return trouble(pem.error());
  if (as_json) {
    print_json({{"pem", *pem}});
  } else {
    print(*pem);
  }
  return exit_fine;
}

}  // namespace tlsguard::ctl
