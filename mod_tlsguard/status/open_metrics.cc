// SPDX-License-Identifier: Apache-2.0
#include "status/open_metrics.h"

#include <fmt/format.h>

#include "core/protocol.h"
#include "policy/cipher_ids.h"
#include "policy/names.h"
#include "status/metric_writer.h"

namespace tlsguard::status {
namespace {

using live::Judge;
using live::VirtualHostCounts;

std::string_view bool_of(bool value) { return value ? "true" : "false"; }

void put_server(MetricWriter& out, const Model& model) {
  out.gauge("tlsguard_build_info", "Versions of the module and of what it runs in; always 1.");
  out.sample({{"version", model.version}, {"httpd", model.httpd}, {"openssl", model.openssl}},
             std::uint64_t{1});
  if (model.started > 0) {
    out.gauge("tlsguard_config_load_timestamp_seconds", "When httpd read its configuration.");
    out.sample({}, model.started);
  }
}

void put_advice(MetricWriter& out, const Model& model) {
  out.gauge("tlsguard_advice",
            "What in the configuration could be simpler or safer: see httpd -t.");
  out.sample({}, std::uint64_t{model.advice.size()});
}

void put_tally(MetricWriter& out, const DomainTally& tally) {
  out.gauge("tlsguard_domains", "Managed domains by health.");
  for (std::size_t i = 0; i < health_count; ++i) {
    out.sample({{"health", health_name(static_cast<Health>(i))}},
               std::uint64_t{tally.by_health.at(i)});
  }
  out.gauge("tlsguard_domain_states", "Managed domains by state of their renewal.");
  for (std::uint32_t i = 0; i < renew::phase_count; ++i) {
    out.sample({{"state", renew::phase_name(static_cast<renew::Phase>(i))}},
               std::uint64_t{tally.by_phase.at(i)});
  }
}

template <typename Value>
void put_of_each(MetricWriter& out, const Model& model, std::string_view name,
                 std::string_view help, const Value& value) {
  out.gauge(name, help);
  for (const Domain& domain : model.domains) {
    auto number = value(domain);
    if (number) out.sample({{"domain", domain.identity}}, *number);
  }
}

std::optional<std::int64_t> unless_zero(std::int64_t number) {
  return number != 0 ? std::optional(number) : std::nullopt;
}

void put_domains(MetricWriter& out, const Model& model) {
  put_of_each(out, model, "tlsguard_certificate_not_after_timestamp_seconds",
              "When the certificate that is live expires.", [](const Domain& domain) {
                return domain.generation > 0 ? unless_zero(domain.not_after) : std::nullopt;
              });
  put_of_each(out, model, "tlsguard_certificate_not_before_timestamp_seconds",
              "From when on the certificate that is live is valid.", [](const Domain& domain) {
                return domain.generation > 0 ? unless_zero(domain.not_before) : std::nullopt;
              });
  put_of_each(out, model, "tlsguard_certificate_generation",
              "Activations of the domain's certificates so far.",
              [](const Domain& domain) { return std::optional(domain.generation); });
  put_of_each(out, model, "tlsguard_next_run_timestamp_seconds",
              "When the agent looks at the domain next.",
              [](const Domain& domain) { return unless_zero(domain.next_run); });
  put_of_each(out, model, "tlsguard_failures_in_row",
              "Attempts that failed since the last success.",
              [](const Domain& domain) { return std::optional(std::uint64_t{domain.errors}); });
  put_of_each(out, model, "tlsguard_ari_window_start_timestamp_seconds",
              "Begin of the renewal window that the CA suggests (RFC 9773).",
              [](const Domain& domain) {
                return domain.ari_end > 0 ? unless_zero(domain.ari_start) : std::nullopt;
              });
  put_of_each(out, model, "tlsguard_ari_window_end_timestamp_seconds",
              "End of the renewal window that the CA suggests (RFC 9773).",
              [](const Domain& domain) { return unless_zero(domain.ari_end); });
}

void put_agent(MetricWriter& out, const Model& model) {
  // Another server's agent is seen there.
  if (model.passive) return;
  out.gauge("tlsguard_agent_last_seen_timestamp_seconds",
            "When tlsguard-agent was at work last, 0 for never; it says so each quarter of a "
            "minute.");
  out.sample({}, model.agent_seen);
}

void put_workers(MetricWriter& out, const Model& model) {
  out.gauge("tlsguard_worker_info", "Worker processes that serve managed domains; always 1.");
  for (const Worker& worker : model.workers) {
    out.sample({{"worker", std::to_string(worker.pid)}, {"draining", bool_of(worker.draining)}},
               std::uint64_t{1});
  }
  out.gauge("tlsguard_worker_domains",
            "Domains that a worker was asked for, by what it serves of them.");
  for (const WorkerTally& tally : model.worker_tallies) {
    const std::string pid = std::to_string(tally.worker.pid);
    out.sample({{"worker", pid}, {"state", "current"}}, std::uint64_t{tally.current});
    out.sample({{"worker", pid}, {"state", "behind"}}, std::uint64_t{tally.behind});
    out.sample({{"worker", pid}, {"state", "failed"}}, std::uint64_t{tally.failed});
  }
  out.gauge("tlsguard_worker_certificate_generation",
            "The generation that a worker serves, of domains it was asked for; with very many of "
            "them only where it is not that of the domain.");
  for (const Domain& domain : model.domains) {
    for (const Copy& copy : domain.copies) {
      if (copy.generation == 0) continue;
      out.sample({{"domain", domain.identity}, {"worker", std::to_string(copy.worker.pid)}},
                 copy.generation);
    }
  }
  out.gauge("tlsguard_worker_load_failed",
            "1 where a worker could not load the certificate that is live.");
  for (const Domain& domain : model.domains) {
    for (const Copy& copy : domain.copies) {
      if (!copy.failed) continue;
      out.sample({{"domain", domain.identity}, {"worker", std::to_string(copy.worker.pid)}},
                 std::uint64_t{1});
    }
  }
}

void put_counts(MetricWriter& out, std::string_view name, std::string_view help,
                std::string_view label, const std::map<std::string, std::uint64_t>& counts) {
  out.counter(name, help);
  for (const auto& [key, count] : counts) out.sample({{label, key}}, count);
}

void put_latency(MetricWriter& out, const std::string& host, const renew::Latency& latency) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < renew::latency_bounds.size(); ++i) {
    below += latency.buckets.at(i);
    auto bound = static_cast<double>(renew::latency_bounds.at(i)) / 1000;
    // OpenMetrics wants "1.0", not "1".
    std::string text = fmt::format("{}", bound);
    if (text.find('.') == std::string::npos) text += ".0";
    out.sample("_bucket", {{"ca", host}, {"le", text}}, std::to_string(below));
  }
  std::string count = std::to_string(latency.count());
  out.sample("_bucket", {{"ca", host}, {"le", "+Inf"}}, count);
  out.sample("_count", {{"ca", host}}, count);
  out.sample("_sum", {{"ca", host}},
             fmt::format("{:.3f}", static_cast<double>(latency.milliseconds) / 1000));
}

void put_cas(MetricWriter& out, const CaFacts& cas) {
  put_counts(out, "tlsguard_attempts", "Attempts to obtain a certificate, by their cause.", "cause",
             cas.attempts);
  put_counts(out, "tlsguard_issued", "Certificates obtained and activated, by their cause.",
             "cause", cas.successes);
  put_counts(out, "tlsguard_errors", "Attempts that failed, by type of error.", "type", cas.errors);
  out.histogram("tlsguard_ca_request_seconds", "Time that requests to CAs took.");
  for (const auto& [host, latency] : cas.requests) put_latency(out, host, latency);
  out.counter("tlsguard_ca_unanswered_requests", "Requests that no CA answered.");
  for (const auto& [host, latency] : cas.requests) {
    out.sample({{"ca", host}}, latency.unanswered);
  }
}

void put_troubles(MetricWriter& out, const renew::TroubleReport& report) {
  out.gauge("tlsguard_alerts", "What is wrong now, by kind.");
  for (const auto& [kind, count] : report.counts) out.sample({{"kind", kind}}, count);
  out.gauge("tlsguard_dead_letters", "Events that somebody never got, of the last hundred.");
  out.sample({}, std::uint64_t{report.dead_letters.size()});
  UnixSeconds last = 0;
  for (const auto& letter : report.dead_letters) last = std::max(last, letter.died_at);
  out.gauge("tlsguard_dead_letter_last_timestamp_seconds",
            "When the last event was given up; 0: none was.");
  out.sample({}, std::int64_t{last});
  out.gauge("tlsguard_events_waiting", "Events on their way to their receivers.");
  out.sample({}, report.waiting);
}

void put_files(MetricWriter& out, const Model& model) {
  if (model.files.empty()) return;
  out.gauge("tlsguard_certificate_file_not_after_timestamp_seconds",
            "When the certificate of a file that is not managed expires.");
  for (const CertificateFile& file : model.files) {
    const std::string none;
    const std::string& name = file.names.empty() ? none : file.names.front();
    out.sample({{"file", file.file}, {"name", name}}, std::int64_t{file.not_after});
  }
}

void put_by_name(MetricWriter& out, const Model& model) {
  const auto& hosts = model.census.virtual_hosts;
  out.counter("tlsguard_handshakes", "Completed handshakes, full and resumed.");
  for (const VirtualHostCounts& host : hosts) {
    out.sample({{"vhost", host.key}, {"kind", "full"}}, host.traffic.full.count);
    out.sample({{"vhost", host.key}, {"kind", "resumed"}}, host.traffic.resumed.count);
  }
  out.counter("tlsguard_handshakes_by_version", "Completed handshakes by version of TLS.");
  for (const VirtualHostCounts& host : hosts) {
    for (std::size_t i = 0; i < all_protocols.size(); ++i) {
      out.sample({{"vhost", host.key}, {"version", protocol_name(all_protocols.at(i))}},
                 host.traffic.versions.at(i).count);
    }
  }
  out.counter("tlsguard_handshakes_by_cipher", "Completed handshakes by cipher.");
  const policy::CipherNames cipher_name;
  for (const VirtualHostCounts& host : hosts) {
    for (const live::IdCount& one : host.traffic.ciphers) {
      out.sample({{"vhost", host.key}, {"cipher", cipher_name(one.id)}}, one.count.count);
    }
    if (host.traffic.other_ciphers.count > 0) {
      out.sample({{"vhost", host.key}, {"cipher", "other"}}, host.traffic.other_ciphers.count);
    }
  }
  out.counter("tlsguard_handshakes_by_group", "Completed handshakes by key-exchange group.");
  for (const VirtualHostCounts& host : hosts) {
    for (const live::IdCount& one : host.traffic.groups) {
      out.sample({{"vhost", host.key}, {"group", policy::group_name(one.id)}}, one.count.count);
    }
    if (host.traffic.other_groups.count > 0) {
      out.sample({{"vhost", host.key}, {"group", "other"}}, host.traffic.other_groups.count);
    }
  }
}

void put_verdicts(MetricWriter& out, const Model& model) {
  out.counter("tlsguard_client_hellos",
              "ClientHellos by verdict, of the policy in force and of those that only look.");
  for (const VirtualHostCounts& host : model.census.virtual_hosts) {
    for (Judge judge : live::all_judges) {
      const live::Judged& judged = host.by(judge);
      if (judged.policy.empty()) continue;
      for (hello::Verdict verdict : hello::all_verdicts) {
        out.sample({{"vhost", host.key},
                    {"judge", live::judge_name(judge)},
                    {"policy", judged.policy},
                    {"verdict", hello::verdict_name(verdict)}},
                   judged.verdicts.at(static_cast<std::size_t>(verdict)).count);
      }
    }
  }
  out.counter("tlsguard_server_names", "ClientHellos without a server name of ours.");
  for (const VirtualHostCounts& host : model.census.virtual_hosts) {
    out.sample({{"vhost", host.key}, {"name", "missing"}}, host.name_missing.count);
    out.sample({{"vhost", host.key}, {"name", "unknown"}}, host.name_unknown.count);
  }
}

void put_hsts(MetricWriter& out, const Model& model) {
  out.gauge("tlsguard_hsts_ramp_seconds", "The max-age that an HSTS ramp has reached.");
  for (std::size_t i = 0; i < model.hosts.size(); ++i) {
    const Host& host = model.hosts[i];
    if (!host.ramp || host.counts == nullptr || host.counted_before) continue;
    out.sample({{"vhost", host.counts->key}}, std::int64_t{host.ramp->reached.count()});
  }
}

}  // namespace

Dialect dialect_of(std::string_view accept) {
  if (accept.find("application/openmetrics-text") != std::string_view::npos) {
    return Dialect::open_metrics;
  }
  bool page = accept.find("text/html") != std::string_view::npos;
  return !page && accept.find("text/plain") != std::string_view::npos ? Dialect::text
                                                                      : Dialect::both;
}

std::string_view content_type(Dialect dialect) {
  return dialect == Dialect::text ? "text/plain; version=0.0.4; charset=utf-8"
                                  : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

std::string to_metrics(const Model& model, Dialect dialect) {
  MetricWriter out(dialect);
  put_server(out, model);
  put_advice(out, model);
  if (model.managing) {
    put_tally(out, model.tally);
    put_domains(out, model);
    put_workers(out, model);
  }
  if (model.managing || model.watching) put_agent(out, model);
  if (model.cas) put_cas(out, *model.cas);
  if (model.troubles) put_troubles(out, *model.troubles);
  put_files(out, model);
  put_by_name(out, model);
  put_verdicts(out, model);
  put_hsts(out, model);
  return out.take();
}

}  // namespace tlsguard::status
