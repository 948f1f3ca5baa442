// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "ctl/check_report.h"
#include "ctl/suite_table.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;

template <typename T>
json nullable(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename Name>
json named(const std::vector<std::uint16_t>& ids, Name name) {
  json names = json::array();
  for (std::uint16_t id : ids) names.push_back(name(id));
  return names;
}

json preference_json(Preference preference) {
  switch (preference) {
    case Preference::server:
      return "server";
    case Preference::client:
      return "client";
    case Preference::unknown:
      return nullptr;
  }
  return nullptr;
}

json versions_json(const Facts& facts) {
  json versions = json::array();
  for (const VersionFacts& version : facts.versions) {
    versions.push_back({{"version", protocol_name(version.version)},
                        {"served", !version.suites.empty()},
                        {"suites", named(version.suites, suite_name)},
                        {"preference", preference_json(version.preference)},
                        {"refusal", version.refusal}});
  }
  return versions;
}

json groups_json(const GroupFacts& facts) {
  return {{"groups", named(facts.groups, policy::group_name)},
          {"preference", preference_json(facts.preference)}};
}

json certificate_json(const CertificateFacts& certificate) {
  json versions = json::array();
  for (Protocol version : certificate.served_in) versions.push_back(protocol_name(version));
  return {{"key", certificate.key},
          {"bits", certificate.bits},
          {"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"serial", certificate.serial},
          {"signature", certificate.signature},
          {"not_before", certificate.not_before},
          {"not_after", certificate.not_after},
          {"expired", certificate.expired},
          {"not_yet_valid", certificate.not_yet_valid},
          {"self_signed", certificate.self_signed},
          {"names", certificate.names},
          {"name_fits", nullable(certificate.name_fits)},
          {"chain", certificate.chain},
          {"trusted", certificate.trust.empty()},
          {"trust_error", certificate.trust},
          {"versions", versions}};
}

json http_json(const std::optional<HttpFacts>& http) {
  if (!http) return nullptr;
  return {{"status", http->status}, {"location", http->location}, {"hsts", http->hsts}};
}

json facts_json(const Facts& facts) {
  json certificates = json::array();
  for (const CertificateFacts& certificate : facts.certificates) {
    certificates.push_back(certificate_json(certificate));
  }
  return {{"address", facts.address},
          {"server_name", facts.server_name},
          {"versions", versions_json(facts)},
          {"groups_tls12", groups_json(facts.groups12)},
          {"groups_tls13", groups_json(facts.groups13)},
          {"signatures_tls12", named(facts.signatures12, policy::signature_algorithm_name)},
          {"signatures_tls13", named(facts.signatures13, policy::signature_algorithm_name)},
          {"dh_bits", nullable(facts.dh_bits)},
          {"certificates", certificates},
          {"alpn", facts.alpn},
          {"tickets_tls12", nullable(facts.tickets12)},
          {"tickets_tls13", nullable(facts.tickets13)},
          {"secure_renegotiation", nullable(facts.secure_renegotiation)},
          {"extended_master_secret", nullable(facts.extended_master_secret)},
          {"compression", nullable(facts.compression)},
          {"fallback_scsv", nullable(facts.fallback_scsv)},
          {"https", http_json(facts.http)},
          {"http", http_json(facts.plain)},
          {"connections", facts.connections}};
}

json findings_json(const Grade& grade) {
  json findings = json::array();
  for (const Finding& finding : grade.findings) {
    findings.push_back({{"kind", kind_name(finding.kind)},
                        {"subject", finding.subject},
                        {"items", finding.items},
                        {"text", finding.text}});
  }
  return findings;
}

json virtual_host_json(const live::RuntimeHost& host) {
  return {{"name", host.name},
          {"engine", host.engine},
          {"policy", host.policy},
          {"report_policy", nullable(host.report_policy)},
          {"floor", nullable(host.floor)},
          {"floor_exception", host.floor_exception},
          {"file", host.file},
          {"line", host.line},
          {"default", host.is_default}};
}

json check_json(const Check& check) {
  return {{"target", check.target},
          {"virtual_host", check.virtual_host ? virtual_host_json(*check.virtual_host) : nullptr},
          {"policy", check.policy},
          {"fits", check.grade ? json(check.fits()) : json(nullptr)},
          {"error", check.facts ? json(nullptr) : json(check.error)},
          {"findings", check.grade ? findings_json(*check.grade) : json::array()},
          {"facts", check.facts ? facts_json(*check.facts) : json(nullptr)}};
}

json server_json(const live::RuntimeFile& server) {
  return {{"httpd", server.httpd},
          {"openssl", server.openssl},
          {"tlsguard", server.tlsguard},
          {"pid", server.pid},
          {"written", server.written}};
}

}  // namespace

json to_json(const CheckRun& run) {
  json checks = json::array();
  for (const Check& check : run.checks) checks.push_back(check_json(check));
  return {{"date", run.date},
          {"machine", run.machine},
          {"tlsguardctl", run.tlsguard},
          {"openssl", run.openssl},
          {"server", run.server ? server_json(*run.server) : json(nullptr)},
          {"fits", run.fits()},
          {"checks", checks}};
}

}  // namespace tlsguard::ctl
