// SPDX-License-Identifier: Apache-2.0
#include "httpd/status_model.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/includes.h"
#include "store/layout.h"

namespace tlsguard::httpd {

namespace {

using status::Domain;
using status::Model;

constexpr auto relaxed = std::memory_order_relaxed;

// Any script in a worker can write the board: years 1970 to 9999, so that sums stay in range.
UnixSeconds moment_of(UnixSeconds written) {
  constexpr UnixSeconds last = 253402300799;
  return std::clamp<UnixSeconds>(written, 0, last);
}
UnixSeconds moment(const std::atomic<std::int64_t>& written) {
  return moment_of(written.load(relaxed));
}

Domain domain_at(const live::DomainBoard& board, const ManagedDomains& declared,
                 std::uint32_t position) {
  const live::DomainSlot& slot = board.at_position(position);
  Domain domain;
  domain.identity = slot.identity();
  domain.position = position;
  domain.phase = renew::phase_from_number(slot.state.load(relaxed));
  domain.generation = slot.generation.load(relaxed);
  domain.not_before = moment(slot.not_before);
  domain.not_after = moment(slot.not_after);
  domain.warn_from = moment(slot.warn_from);
  domain.next_run = moment(slot.next_run);
  domain.ari_start = slot.ari_start.load(relaxed);
  domain.ari_end = slot.ari_end.load(relaxed);
  domain.errors = slot.errors.load(relaxed);
  if (const ManagedDomain* known = declared.declared(domain.identity)) domain.names = known->names;
  return domain;
}

// Calls look(position) for each domain of this configuration.
template <typename Look>
void each_domain(const live::DomainBoard& board, const Look& look) {
  for (std::uint32_t i = 0; i < board.used(); ++i) {
    if (board.at_position(i).epoch.load(relaxed) == board.epoch()) look(i);
  }
}

void read_report(const LiveDomains& live, Domain& domain) {
  auto text = live.report(store::report_file_of(domain.identity), status::max_report);
  if (!text) {
    domain.trouble = text.error().text;
  } else if (!*text) {
    domain.trouble = "it has not written one yet";
  } else if (auto facts = status::read_domain_facts(**text)) {
    domain.facts = std::move(*facts);
  } else {
    domain.trouble = "it is torn, or of another release: " + facts.error().text;
  }
}

void read_cas(const LiveDomains& live, Model& model) {
  auto text = live.report(renew::ca_counts_file, renew::max_ca_counts);
  if (!text || !*text) return;
  if (auto counts = renew::ca_counts_from_json(**text)) model.cas = std::move(*counts);
}

// Of a domain that was never asked for, a worker has nothing.
void count_copy(status::WorkerTally& tally, const live::WorkerCell& cell, const Domain& domain) {
  if (cell.failed) {
    ++tally.failed;
  } else if (cell.generation == domain.generation) {
    tally.current += cell.generation > 0 ? 1 : 0;
  } else if (cell.generation > 0) {
    ++tally.behind;
  }
}

void read_troubles(const LiveDomains& live, Model& model) {
  auto text = live.report(renew::trouble_report_file, renew::max_trouble_report);
  if (!text) {
    model.no_troubles = text.error().text;
  } else if (!*text) {
    model.no_troubles = "it has not written one yet";
  } else if (auto report = renew::trouble_report_from_json(**text)) {
    model.troubles = std::move(*report);
  } else {
    model.no_troubles = report.error().text;
  }
}

// Files are known to httpd, newer ones in them to the agent.
void put_files(Model& model, const Runtime& runtime, Extent extent) {
  if (extent == Extent::sums) return;
  if (runtime.live != nullptr) read_troubles(*runtime.live, model);
  std::size_t most = extent == Extent::all ? SIZE_MAX : status::files_shown;
  choose_files(model, runtime.certificate_files, most);
  if (!model.passive) return;
  for (status::CertificateFile& file : model.files) file.watched = false;
}

void read_workers(const live::DomainBoard& board, Model& model) {
  auto workers = board.workers();
  const bool all = status::lists_all_copies(model.domains.size(), workers.size());
  for (const live::DomainBoard::Worker& worker : workers) {
    status::WorkerTally tally{{worker.pid, worker.epoch != board.epoch()}};
    for (Domain& domain : model.domains) {
      live::WorkerCell cell = board.cell(worker.row, domain.position);
      count_copy(tally, cell, domain);
      bool behind = cell.generation > 0 && cell.generation != domain.generation;
      if (!all && !cell.failed && !behind) continue;
      domain.copies.push_back({tally.worker, cell.generation, cell.failed});
    }
    model.workers.push_back(tally.worker);
    model.worker_tallies.push_back(tally);
  }
}

void put_all(Model& model, const Runtime& runtime) {
  const live::DomainBoard& board = runtime.live->board();
  auto& all = model.domains;
  each_domain(board, [&](std::uint32_t i) { all.push_back(domain_at(board, runtime.domains, i)); });
  std::sort(all.begin(), all.end(),
            [](const Domain& a, const Domain& b) { return a.identity < b.identity; });
  // Of two slots of one name, which two processes claimed at a time, one is used.
  auto same = [](const Domain& a, const Domain& b) { return a.identity == b.identity; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  // Metrics have no use for them.
  for (Domain& domain : all) domain.names.clear();
}

void put_domains(Model& model, const Runtime& runtime, Extent extent) {
  const live::DomainBoard& board = runtime.live->board();
  status::DomainChoice choice(model.now, model.query);
  each_domain(board,
              [&](std::uint32_t i) { choice.look_at(domain_at(board, runtime.domains, i)); });
  if (extent == Extent::page) {
    for (std::uint32_t position : choice.chosen()) {
      Domain domain = domain_at(board, runtime.domains, position);
      domain.health = health_of(domain, model.now);
      read_report(*runtime.live, domain);
      model.domains.push_back(std::move(domain));
    }
  }
  model.tally = choice.tally();
  model.domain_page = choice.page();
  if (extent == Extent::all) put_all(model, runtime);
  if (extent == Extent::sums) return;
  read_cas(*runtime.live, model);
  read_workers(board, model);
}

status::Host host_of(const VirtualHost& host) {
  const Site& site = *conf_of(host.server)->site;
  status::Host shown;
  shown.name = host.name;
  shown.addresses = join(host.addresses, " ");
  shown.engine = host.engine == Engine::on       ? "on"
                 : host.engine == Engine::report ? "report"
                                                 : "off";
  shown.policy = host.policy_id;
  shown.report_policy = host.report_policy_id;
  shown.floor = host.floor.value_or("");
  shown.floor_exception = host.floor_exception;
  shown.strict_sni = host.strict_sni;
  if (!site.hsts_values.enabled()) return shown;
  shown.hsts = site.hsts_values.at(site.reached());
  if (site.ramp != nullptr && !site.ramp_steps.empty()) {
    shown.ramp = status::HstsRamp{std::min(site.reached(), site.hsts.max_age), {}};
    for (Seconds step : site.ramp_steps) {
      if (step < site.hsts.max_age) shown.ramp->steps.push_back(step);
    }
    shown.ramp->steps.push_back(site.hsts.max_age);
  }
  return shown;
}

// httpd's list is the other way round; of two of one name the first in the files is served.
std::vector<const VirtualHost*> in_file_order(const Runtime& runtime) {
  std::vector<const VirtualHost*> hosts;
  for (const auto& host : runtime.virtual_hosts) hosts.push_back(host.get());
  std::reverse(hosts.begin(), hosts.end());
  return hosts;
}

void put_hosts(Model& model, const Runtime& runtime) {
  model.census = census_of(runtime);
  struct Counted {
    const live::VirtualHostCounts* counts;
    bool shown = false;
  };
  std::unordered_map<std::string_view, Counted> by_key;
  for (const auto& counts : model.census.virtual_hosts)
    by_key.emplace(counts.key, Counted{&counts});
  for (const VirtualHost* host : in_file_order(runtime)) {
    status::Host shown = host_of(*host);
    auto counted = by_key.find(live::bounded_text(host->counted.key));
    if (counted != by_key.end()) {
      shown.counts = counted->second.counts;
      shown.counted_before = std::exchange(counted->second.shown, true);
    }
    model.hosts.push_back(std::move(shown));
  }
}

}  // namespace

live::Snapshot census_of(const Runtime& runtime) {
  std::vector<live::ShownHost> hosts;
  for (const VirtualHost* host : in_file_order(runtime)) {
    hosts.push_back({&host->counted, host->census, host->past});
  }
  return live::read_board(hosts, apr_time_sec(apr_time_now()));
}

Model status_model(request_rec* r, const Runtime& runtime, status::Query query, Extent extent) {
  Model model;
  model.now = apr_time_sec(apr_time_now());
  const server_rec* server = r->server;
  model.server_name = server->server_hostname != nullptr ? server->server_hostname : "";
  model.version = TLSGUARD_VERSION;
  std::string_view described = ap_get_server_description();
  model.httpd = described.substr(0, described.find(' '));
  model.openssl = OpenSSL_version(OPENSSL_VERSION);
  if (ap_scoreboard_image != nullptr && ap_scoreboard_image->global != nullptr) {
    model.started = apr_time_sec(ap_scoreboard_image->global->restart_time);
  }
  model.query = std::move(query);
  // Where nothing is managed, an agent may watch files all the same.
  model.managing = runtime.live != nullptr && runtime.domains.any();
  model.watching = runtime.live != nullptr && runtime.watching;
  if (runtime.live != nullptr) {
    model.agent_seen = moment_of(runtime.live->board().agent_seen());
    model.passive = runtime.live->board().passive();
  }
  if (model.managing) put_domains(model, runtime, extent);
  put_files(model, runtime, extent);
  put_hosts(model, runtime);
  for (const Advice& advice : runtime.advice) {
    model.advice.push_back({advice.where.file, advice.where.line, advice.about, advice.text});
  }
  return model;
}

}  // namespace tlsguard::httpd
