// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_account.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "ca/internal_ca.h"
#include "core/date.h"
#include "ctl/agent_client.h"
#include "ctl/output.h"
#include "ctl/store_access.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;

int trouble(const Error& error) {
  complain(error.text);
  return exit_trouble;
}

Result<std::vector<renew::AccountSummary>> stored_accounts(const std::string& store) {
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return std::vector<renew::AccountSummary>();
  return (*access)->accounts().list();
}

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& each : list) text += (text.empty() ? "" : " ") + printable(each);
  return text.empty() ? "-" : text;
}

json to_json(const renew::AccountSummary& account) {
  return {{"ca", account.id.directory_url},   {"account", account.account_url},
          {"contacts", account.id.contacts},  {"external_account", account.id.kid},
          {"created_at", account.created_at}, {"rolling_over", account.rolling_over}};
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
    for (const auto& account : *accounts) list.push_back(to_json(account));
    print_json({{"accounts", std::move(list)}});
    return exit_fine;
  }
  Table table({"CA", "ACCOUNT", "CONTACTS", "SINCE"});
  for (const auto& account : *accounts) {
    std::string url = account.account_url.empty() ? "not registered yet" : account.account_url;
    table.add({printable(account.id.directory_url),
               printable(url) + (account.rolling_over ? " (its key is being changed)" : ""),
               words(account.id.contacts), format_date(account.created_at)});
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
