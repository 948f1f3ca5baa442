// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/text.h"
#include "ctl/domain_reports.h"
#include "ctl/output.h"
#include "ctl/store_access.h"
#include "live/report.h"
#include "live/snapshot.h"
#include "live/verdicts.h"
#include "store/state_file.h"

namespace tlsguard::ctl {
namespace {

using live::Judge;
using live::Snapshot;
using live::VirtualHostCounts;

// The server name of a key "server name|addresses".
std::string_view name_of(const VirtualHostCounts& host) {
  return std::string_view(host.key).substr(0, host.key.find('|'));
}

Result<Snapshot> read_census(const std::string& store) {
  auto directory = store::Directory::open(store);
  if (!directory) return tl::unexpected(directory.error());
  auto text = directory->read(live::snapshot_file_name, live::max_snapshot);
  if (!text) return tl::unexpected(text.error());
  if (!*text) {
    return fail(
        fmt::format("{} has no {}: nothing has been counted yet, or another store is in "
                    "use",
                    store, live::snapshot_file_name));
  }
  auto snapshot = live::parse_snapshot(**text);
  if (!snapshot) {
    return tl::unexpected(snapshot.error().within(store + "/" + live::snapshot_file_name));
  }
  return snapshot;
}

// Leaves the virtual hosts of this name. False: there are none.
bool keep_only(Snapshot& snapshot, const std::string& name) {
  std::erase_if(snapshot.virtual_hosts, [&name](const VirtualHostCounts& host) {
    return !equal_ignoring_case(name_of(host), name);
  });
  return !snapshot.virtual_hosts.empty();
}

// "12 of 4711"; "-" where that judge has not looked.
std::string refused_text(const live::Judged& judged) {
  if (judged.policy.empty() || judged.total() == 0) return "-";
  return fmt::format("{} of {}", judged.refused(), judged.total());
}

std::string overview(const Snapshot& snapshot) {
  Table table({"VIRTUAL HOST", "SINCE", "HANDSHAKES", "RESUMED", "TLSv1.3", "TLSv1.2", "OLDER",
               "NO NAME", "REFUSED", "REPORT", "BASELINE", "INTERMEDIATE", "MODERN"});
  for (const VirtualHostCounts& host : snapshot.virtual_hosts) {
    const auto& versions = host.traffic.versions;
    std::vector<std::string> row{
        printable(host.key),
        format_date(host.began),
        std::to_string(host.traffic.full.count + host.traffic.resumed.count),
        std::to_string(host.traffic.resumed.count),
        std::to_string(versions[3].count),
        std::to_string(versions[2].count),
        std::to_string(versions[0].count + versions[1].count),
        std::to_string(host.name_missing.count)};
    for (Judge judge : live::all_judges) {
      row.push_back(refused_text(host.judged[static_cast<std::size_t>(judge)]));
    }
    table.add(std::move(row));
  }
  std::string text =
      fmt::format("Census as of {}\n", format_date(snapshot.written)) + table.text() +
      "The last five columns: ClientHellos that the policy in force, the report policy and "
      "the named ones turn away or would.\n";
  for (const VirtualHostCounts& host : snapshot.virtual_hosts) {
    if (host.floor_exception.empty()) continue;
    text += fmt::format("{} is an exception from the floor {}.\n", printable(host.key),
                        printable(host.floor_exception));
  }
  return text;
}

int complain_of(const StatusOptions& options, const Result<Snapshot>& snapshot) {
  if (!snapshot) return trouble(snapshot.error());
  return trouble(Error{fmt::format("the census has no virtual host '{}'", *options.name)});
}

// Nothing was counted here yet, or all that was is of other virtual hosts.
bool has_counts(const StatusOptions& options, Result<Snapshot>& snapshot) {
  return snapshot && (!options.name || keep_only(*snapshot, *options.name));
}

int show_cut_off(const StatusOptions& options) {
  auto judge = live::parse_judge(*options.policy);
  if (!judge) {
    return wrong_arguments(Error{fmt::format("the census knows no policy '{}': valid are {}",
                                             *options.policy, live::judge_names())});
  }
  auto snapshot = read_census(options.store);
  if (!has_counts(options, snapshot)) return complain_of(options, snapshot);
  print(options.json ? live::cut_off_json(*snapshot, *judge)
                     : live::cut_off_table(*snapshot, *judge));
  return exit_fine;
}

struct Managed {
  std::optional<nlohmann::json> all;
  std::optional<nlohmann::json> one;
  // What is worth showing: a httpd may manage nothing, and watch files.
  [[nodiscard]] bool any() const {
    if (one) return true;
    return all && (!all->at("domains").empty() || !all->at("alerts").empty() ||
                   all->value("httpd", "") == "up");
  }
  [[nodiscard]] bool in_trouble(UnixSeconds now) const {
    if (!any()) return false;
    if (one) return lacks_agent(*one) || needs_attention(*one, now);
    const nlohmann::json& domains = all->at("domains");
    return lacks_agent(*all) ||
           std::any_of(domains.begin(), domains.end(),
                       [now](const auto& domain) { return needs_attention(domain, now); });
  }
};

Result<Managed> managed(const StatusOptions& options) {
  Managed found;
  if (options.name) {
    auto one = one_domain(options.store, *options.name);
    if (!one) return tl::unexpected(one.error());
    found.one = std::move(*one);
    return found;
  }
  auto all = all_domains(options.store);
  if (!all) return tl::unexpected(all.error());
  found.all = std::move(*all);
  return found;
}

void print_as_json(const Managed& managed, const Result<Snapshot>& snapshot, bool counts) {
  nlohmann::json json = counts ? live::census_object(*snapshot) : nlohmann::json::object();
  if (managed.one) json["domain"] = *managed.one;
  if (managed.all) json["managed"] = *managed.all;
  print_json(json);
}

}  // namespace

int status(const StatusOptions& options) {
  if (auto may = check_rights(options.store); !may) return trouble(may.error());
  if (options.policy) return show_cut_off(options);
  auto domains = managed(options);
  if (!domains) return trouble(domains.error());
  auto snapshot = read_census(options.store);
  bool counts = has_counts(options, snapshot);
  if (!counts && !domains->any()) return complain_of(options, snapshot);
  const UnixSeconds now = std::time(nullptr);
  if (options.json) {
    print_as_json(*domains, snapshot, counts);
  } else {
    if (domains->one) print(domain_text(*domains->one, now));
    if (domains->all && domains->any()) print(domains_table(*domains->all, now));
    if (counts) print((domains->any() ? "\n" : "") + overview(*snapshot));
  }
  return domains->in_trouble(now) ? exit_trouble : exit_fine;
}

}  // namespace tlsguard::ctl
