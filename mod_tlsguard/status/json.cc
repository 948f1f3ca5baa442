// SPDX-License-Identifier: Apache-2.0
#include "status/json.h"

#include <nlohmann/json.hpp>

#include "core/date.h"
#include "live/report.h"
#include "status/markup.h"
#include "status/words.h"

namespace tlsguard::status {
namespace {

using nlohmann::json;

json moment(UnixSeconds at) { return at == 0 ? json(nullptr) : json(format_date(at)); }
json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json page_json(const Page& page) {
  return {{"number", page.number},
          {"pages", page.pages()},
          {"per_page", page.size},
          {"matched", page.matched}};
}

json tally_json(const DomainTally& tally) {
  json health = json::object();
  for (std::size_t i = 0; i < health_count; ++i) {
    health[std::string(health_name(static_cast<Health>(i)))] = tally.by_health.at(i);
  }
  json states = json::object();
  for (std::uint32_t i = 0; i < renew::phase_count; ++i) {
    states[std::string(renew::phase_name(static_cast<renew::Phase>(i)))] = tally.by_phase.at(i);
  }
  return {{"total", tally.total},
          {"attention", tally.attention()},
          {"by_health", std::move(health)},
          {"by_state", std::move(states)},
          {"first_expiry", moment(tally.first_expiry)},
          {"next_run", moment(tally.next_run)}};
}

json copies_json(const Domain& domain) {
  json list = json::array();
  for (const Copy& copy : domain.copies) {
    std::string serial = domain.facts ? domain.facts->serial_of(copy.generation) : "";
    list.push_back({{"pid", copy.worker.pid},
                    {"draining", copy.worker.draining},
                    {"generation", copy.generation},
                    {"serial", text_or_null(serial)},
                    {"failed", copy.failed}});
  }
  return list;
}

json certificates_json(const DomainFacts& facts) {
  json list = json::array();
  for (const Certificate& one : facts.certificates) {
    list.push_back({{"key_type", one.key_type},
                    {"serial", one.serial},
                    {"issuer", one.issuer},
                    {"not_before", moment(one.not_before)},
                    {"not_after", moment(one.not_after)}});
  }
  return list;
}

json history_json(const DomainFacts& facts) {
  json list = json::array();
  for (const PastEvent& event : facts.history) {
    list.push_back({{"at", moment(event.at)}, {"what", event.what}, {"text", event.text}});
  }
  return list;
}

void put_facts(json& object, const DomainFacts& facts) {
  object["names"] = facts.names;
  object["reason"] = facts.reason;
  object["error"] = text_or_null(facts.error);
  object["failed_at"] = moment(facts.failed_at);
  object["ca"] = text_or_null(facts.ca);
  object["profile"] = text_or_null(facts.profile);
  object["version"] = facts.version;
  object["since"] = moment(facts.since);
  object["certificates"] = certificates_json(facts);
  object["renewal"] = {{"at", moment(facts.next.renew_at)},
                       {"cause", facts.next.cause},
                       {"floor", moment(facts.next.floor_at)},
                       {"ask_ari_at", moment(facts.next.ask_ari_at)}};
  if (facts.ari.end > 0) {
    object["ari"] = {{"start", moment(facts.ari.start)},
                     {"end", moment(facts.ari.end)},
                     {"renew_at", moment(facts.ari.renew_at)},
                     {"explanation", text_or_null(facts.ari.explanation)}};
  }
  object["history"] = history_json(facts);
}

json domain_json(const Domain& domain, UnixSeconds now) {
  json object{{"domain", domain.identity},
              {"names", domain.names},
              {"state", domain.phase ? json(renew::phase_name(*domain.phase)) : json(nullptr)},
              {"health", health_name(domain.health)},
              {"generation", domain.generation},
              {"not_before", moment(domain.not_before)},
              {"not_after", moment(domain.not_after)},
              {"next_run", moment(domain.next_run)},
              {"next", next_step(domain, now)},
              {"why", text_or_null(next_reason(domain, now))},
              {"advice", text_or_null(advice(domain))},
              {"errors", domain.errors},
              {"ari", nullptr},
              {"report", domain.facts ? json(nullptr) : json(domain.trouble)},
              {"workers", copies_json(domain)}};
  if (domain.facts) put_facts(object, *domain.facts);
  return object;
}

json workers_json(const Model& model) {
  json list = json::array();
  for (const Worker& worker : model.workers) {
    list.push_back({{"pid", worker.pid}, {"draining", worker.draining}});
  }
  return list;
}

json latency_json(const renew::Latency& latency) {
  json buckets = json::object();
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < renew::latency_bounds.size(); ++i) {
    below += latency.buckets.at(i);
    buckets[std::to_string(renew::latency_bounds.at(i))] = below;
  }
  return {{"requests", latency.count()},
          {"milliseconds", latency.milliseconds},
          {"within_milliseconds", std::move(buckets)},
          {"unanswered", latency.unanswered},
          {"last", moment(latency.last_at)}};
}

json cas_json(const Model& model) {
  if (!model.cas) return nullptr;
  json by_host = json::object();
  for (const auto& [host, latency] : model.cas->requests) by_host[host] = latency_json(latency);
  return {{"since", moment(model.cas->since)},
          {"requests", std::move(by_host)},
          {"attempts", model.cas->attempts},
          {"successes", model.cas->successes},
          {"errors", model.cas->errors}};
}

json alerts_json(const renew::TroubleReport& report) {
  json list = json::array();
  for (const auto& alert : report.alerts) {
    list.push_back({{"kind", alert.kind},
                    {"subject", alert.subject},
                    {"since", moment(alert.since)},
                    {"text", alert.text},
                    {"said_at", moment(alert.said_at)}});
  }
  return list;
}

json letters_json(const renew::TroubleReport& report) {
  json list = json::array();
  for (const auto& letter : report.dead_letters) {
    list.push_back({{"at", moment(letter.at)},
                    {"died_at", moment(letter.died_at)},
                    {"event", letter.event},
                    {"domain", letter.domain},
                    {"to", letter.to},
                    {"error", letter.error},
                    {"tries", letter.tries}});
  }
  return list;
}

json files_json(const Model& model) {
  json list = json::array();
  for (const CertificateFile& file : model.files) {
    list.push_back({{"file", file.file},
                    {"health", health_name(health_of(file, model.now))},
                    {"names", file.names},
                    {"serial", file.serial},
                    {"issuer", file.issuer},
                    {"not_before", moment(file.not_before)},
                    {"not_after", moment(file.not_after)},
                    {"server_names", file.hosts},
                    {"watched", file.watched},
                    {"readable", file.readable},
                    {"newer_since", moment(file.newer_since)},
                    {"newer_until", moment(file.newer_until)}});
  }
  return list;
}

void put_troubles(json& object, const Model& model) {
  object["troubles_report"] = text_or_null(model.no_troubles);
  const renew::TroubleReport report = model.troubles.value_or(renew::TroubleReport{});
  object["alerts_by_kind"] = report.counts;
  object["alerts"] = alerts_json(report);
  object["dead_letters"] = letters_json(report);
  object["waiting"] = {{"events", report.waiting}, {"since", moment(report.waiting_since)}};
  object["certificate_files"] = files_json(model);
}

json advice_json(const Model& model) {
  json list = json::array();
  for (const Advice& one : model.advice) {
    list.push_back(
        {{"file", one.file}, {"line", one.line}, {"about", one.about}, {"text", one.text}});
  }
  return list;
}

void put_settings(json& object, const Host& host) {
  object["name"] = host.name;
  object["addresses"] = host.addresses;
  object["engine"] = host.engine;
  object["policy"] = host.policy;
  object["report_policy"] = text_or_null(host.report_policy);
  object["floor"] = text_or_null(host.floor);
  object["strict_sni"] = host.strict_sni;
  object["hsts"] = text_or_null(host.hsts);
  object["hsts_ramp"] = nullptr;
  if (!host.ramp) return;
  json steps = json::array();
  for (Seconds step : host.ramp->steps) steps.push_back(step.count());
  object["hsts_ramp"] = {{"reached", host.ramp->reached.count()}, {"steps", std::move(steps)}};
}

}  // namespace

std::string to_json(const Model& model) {
  json object = live::census_object(model.census);
  json& hosts = object["virtual_hosts"];
  for (const Host& host : model.hosts) {
    if (host.counts == nullptr || host.counted_before) continue;
    put_settings(
        hosts.at(static_cast<std::size_t>(host.counts - model.census.virtual_hosts.data())), host);
  }
  object["server"] = {{"name", model.server_name},
                      {"mod_tlsguard", model.version},
                      {"httpd", model.httpd},
                      {"openssl", model.openssl},
                      {"started", moment(model.started)}};
  object["managing"] = model.managing;
  object["agent"] = nullptr;
  if (model.managing || model.watching) {
    object["agent"] = {{"seen", moment(model.agent_seen)},
                       {"missing", agent_is_missing(model)},
                       {"passive", model.passive}};
  }
  object["tally"] = tally_json(model.tally);
  object["page"] = page_json(model.domain_page);
  json domains = json::array();
  for (const Domain& domain : model.domains) domains.push_back(domain_json(domain, model.now));
  object["domains"] = std::move(domains);
  object["workers"] = workers_json(model);
  object["cas"] = cas_json(model);
  put_troubles(object, model);
  object["advice"] = advice_json(model);
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace tlsguard::status
