// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_store.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/date.h"
#include "ctl/agent_client.h"
#include "ctl/domain_reports.h"
#include "ctl/output.h"
#include "ctl/progress.h"
#include "ctl/store_access.h"
#include "renew/activation.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
using renew::ControlCommand;

struct Verified {
  std::size_t domains = 0;
  std::size_t versions = 0;
  json wrong = json::array();

  void note(const std::string& domain, const Error& error) {
    wrong.push_back({{"domain", domain}, {"error", error.text}});
  }
};

void verify_domain(const store::CertificateStore& certificates, const std::string& identity,
                   Verified& verified) {
  ++verified.domains;
  auto current = certificates.current(identity);
  if (!current) verified.note(identity, current.error());
  auto versions = certificates.versions(identity);
  if (!versions) return verified.note(identity, versions.error());
  bool found = !current || !*current;
  for (std::uint32_t number : *versions) {
    ++verified.versions;
    found = found || (*current)->version == number;
    auto good = certificates.check(identity, number);
    if (!good) verified.note(identity, good.error());
  }
  if (!found) {
    verified.note(identity, Error{fmt::format("version {}, which is live, is not complete",
                                              (*current)->version)});
  }
}

Result<Verified> verify(const std::string& store) {
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return fail(store + " has no managed domains");
  auto identities = (*access)->certificates().identities();
  if (!identities) return tl::unexpected(identities.error());
  Verified verified;
  Progress progress("store verify");
  for (const std::string& identity : *identities) {
    progress.tell(verified.domains, identities->size(), "domains");
    verify_domain((*access)->certificates(), identity, verified);
  }
  return verified;
}

void print_verified(const Verified& verified) {
  for (const json& each : verified.wrong) {
    print(fmt::format("{}: {}\n", printable(each.at("domain").get<std::string>()),
                      printable(each.at("error").get<std::string>())));
  }
  print(fmt::format(
      "{} domains, {} versions: {}\n", verified.domains, verified.versions,
      verified.wrong.empty() ? "all whole" : fmt::format("{} wrong", verified.wrong.size())));
}

std::string date_at(const json& object, const char* key) {
  return format_date(object.at(key).get<UnixSeconds>());
}

std::string text_at(const json& object, const char* key) {
  return printable(object.at(key).get_ref<const std::string&>());
}

void print_events(const json& report) {
  Table happened;
  for (const json& event : report.at("events")) {
    happened.add({date_at(event, "at"), text_at(event, "domain"), text_at(event, "what"),
                  text_at(event, "text")});
  }
  print(happened.text());
  const json& wrong = report.at("alerts");
  if (!wrong.empty()) print("\n" + alerts_text(wrong, wrong.size()));
  Table dead;
  for (const json& letter : report.at("dead_letters")) {
    dead.add({date_at(letter, "at"), text_at(letter, "domain"), text_at(letter, "event"),
              fmt::format("{}: {} ({} tries)", text_at(letter, "to"), text_at(letter, "error"),
                          letter.at("tries").get<std::uint32_t>())});
  }
  if (!report.at("dead_letters").empty()) print("\nNot delivered:\n" + dead.text("  "));
}

Result<json> collect_versions(const std::string& store) {
  auto access = StoreAccess::open(store);
  if (!access) return tl::unexpected(access.error());
  json result{{"removed", json::array()}, {"kept", 0}};
  if (!*access) return result;
  if (auto locked = (*access)->lock(); !locked) return tl::unexpected(locked.error());
  store::CertificateStore& certificates = (*access)->certificates();
  auto identities = certificates.identities();
  if (!identities) return tl::unexpected(identities.error());
  Progress progress("store gc");
  std::size_t done = 0;
  for (const std::string& identity : *identities) {
    progress.tell(done++, identities->size(), "domains");
    auto collected = certificates.collect(identity, renew::versions_kept);
    if (!collected) return tl::unexpected(collected.error().within("domain '" + identity + "'"));
  }
  result["kept"] = identities->size();
  return result;
}

}  // namespace

int store_verify(const std::string& store, bool as_json) {
  auto verified = verify(store);
  if (!verified) return trouble(verified.error());
  bool good = verified->wrong.empty();
  if (as_json) {
    print_json({{"domains", verified->domains},
                {"versions", verified->versions},
                {"wrong", std::move(verified->wrong)}});
  } else {
    print_verified(*verified);
  }
  return good ? exit_fine : exit_trouble;
}

int store_gc(const std::string& store, bool as_json) {
  auto asked = ask_agent(store, {.command = ControlCommand::store_gc});
  if (!asked) return trouble(asked.error());
  auto done = *asked ? Result<json>(std::move(**asked)) : collect_versions(store);
  if (!done) return trouble(done.error());
  if (as_json) {
    print_json(*done);
    return exit_fine;
  }
  for (const json& identity : (*done)["removed"]) {
    print(fmt::format("{}: deleted\n", printable(identity.get<std::string>())));
  }
  print(fmt::format("{} domains are kept, each with its last {} versions\n",
                    (*done)["kept"].get<std::size_t>(), renew::versions_kept));
  if (!*asked) print("Only a running httpd knows which domains are no longer declared.\n");
  return exit_fine;
}

int events(const std::string& store, const std::string& domain, bool as_json) {
  auto report = all_events(store, domain);
  if (!report) return trouble(report.error());
  if (as_json) {
    print_json(*report);
  } else {
    print_events(*report);
  }
  return tells_of_trouble(*report, std::time(nullptr)) ? exit_trouble : exit_fine;
}

}  // namespace tlsguard::ctl
