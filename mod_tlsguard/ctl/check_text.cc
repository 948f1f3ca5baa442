// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "ctl/check_report.h"
#include "ctl/output.h"
#include "ctl/suite_table.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t most_names = 10;  // of a certificate; JSON has all

template <typename Name>
Names named(const std::vector<std::uint16_t>& ids, Name name) {
  Names names;
  for (std::uint16_t id : ids) names.push_back(name(id));
  return names;
}

const char* order_text(Preference preference) {
  switch (preference) {
    case Preference::server:
      return " (the server's order)";
    case Preference::client:
      return " (the client's choice)";
    case Preference::unknown:
      return "";
  }
  return "";
}

void add_versions(Table& table, const Facts& facts) {
  for (const VersionFacts& version : facts.versions) {
    std::string name(protocol_name(version.version));
    if (version.suites.empty()) {
      table.add({name, "refused: " + version.refusal});
      continue;
    }
    Names suites = named(version.suites, suite_name);
    table.add({name, fmt::format("{} cipher suite{}{}", suites.size(),
                                 suites.size() == 1 ? "" : "s", order_text(version.preference))});
    for (const std::string& suite : suites) table.add({"", "  " + suite});
  }
}

void add_groups(Table& table, const char* subject, const GroupFacts& facts) {
  if (facts.groups.empty()) return;
  table.add(
      {subject, join(named(facts.groups, policy::group_name), " ") + order_text(facts.preference)});
}

void add_signatures(Table& table, const char* subject, const std::vector<std::uint16_t>& ids) {
  if (ids.empty()) return;
  table.add_wrapped({subject, join(named(ids, policy::signature_algorithm_name), " ")});
}

std::string names_text(const Names& names) {
  if (names.empty()) return "no subjectAltName";
  Names shown(names.begin(),
              names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), most_names)));
  std::string text = join(shown, " ");
  if (names.size() > most_names) text += fmt::format(" and {} more", names.size() - most_names);
  return printable(text);
}

void add_certificate(Table& table, const CertificateFacts& certificate) {
  Names versions;
  for (Protocol version : certificate.served_in) versions.emplace_back(protocol_name(version));
  std::string key = certificate.key;
  if (certificate.curve == 0 && certificate.bits > 0) key += fmt::format(" {}", certificate.bits);
  table.add({"certificate", fmt::format("{}, in {}", printable(key), join(versions, " "))});
  table.add({"", "  subject " + printable(certificate.subject)});
  table.add({"", "  for     " + names_text(certificate.names)});
  table.add({"", fmt::format("  valid   {} to {}", certificate.not_before, certificate.not_after)});
  table.add({"", fmt::format("  issuer  {}, {}, serial {}", printable(certificate.issuer),
                             printable(certificate.signature), certificate.serial)});
  for (const std::string& subject : certificate.chain) {
    table.add({"", "  chain   " + printable(subject)});
  }
}

void add_features(Table& table, const Facts& facts) {
  Names features;
  auto add = [&features](const std::optional<bool>& value, const char* yes, const char* no) {
    if (value) features.emplace_back(*value ? yes : no);
  };
  add(facts.secure_renegotiation, "secure renegotiation", "no secure renegotiation");
  add(facts.extended_master_secret, "extended master secret", "no extended master secret");
  add(facts.fallback_scsv, "TLS_FALLBACK_SCSV heeded", "TLS_FALLBACK_SCSV not heeded");
  add(facts.compression, "TLS compression", "no TLS compression");
  add(facts.tickets12, "TLSv1.2 tickets", "no TLSv1.2 tickets");
  add(facts.tickets13, "TLSv1.3 tickets", "no TLSv1.3 tickets");
  if (facts.dh_bits) features.push_back(fmt::format("DHE with {} bits", *facts.dh_bits));
  if (!features.empty()) table.add_wrapped({"handshake", join(features, ", ")});
  if (!facts.alpn.empty()) table.add({"ALPN", printable(join(facts.alpn, " "))});
}

void add_http(Table& table, const char* subject, const std::optional<HttpFacts>& http) {
  if (!http) return;
  std::string text = fmt::format("status {}", http->status);
  if (!http->location.empty()) text += ", Location: " + printable(http->location);
  table.add({subject, text});
  for (const std::string& field : http->hsts) {
    table.add({"", "  Strict-Transport-Security: " + printable(field)});
  }
}

std::string facts_text(const Facts& facts) {
  Table table;
  add_versions(table, facts);
  add_groups(table, "groups 1.3", facts.groups13);
  add_groups(table, "groups 1.2", facts.groups12);
  add_signatures(table, "signatures 1.3", facts.signatures13);
  add_signatures(table, "signatures 1.2", facts.signatures12);
  for (const CertificateFacts& certificate : facts.certificates) {
    add_certificate(table, certificate);
  }
  add_features(table, facts);
  add_http(table, "HTTPS", facts.http);
  add_http(table, "HTTP", facts.plain);
  return table.text("  ");
}

std::string grade_text(const Grade& grade) {
  Table table;
  for (const Finding& finding : grade.findings) {
    std::string text = finding.text;
    if (finding.items.size() == 1) text = finding.items.front() + ": " + text;
    if (finding.items.size() > 1) text += ": " + join(finding.items, ", ");
    table.add_wrapped({std::string(kind_name(finding.kind)), finding.subject, printable(text)});
  }
  return table.text("  ");
}

std::string virtual_host_text(const live::RuntimeHost& host) {
  std::string text =
      fmt::format("  virtual host {} of {}:{}, TLSGuardEngine {}, policy {}", printable(host.name),
                  printable(host.file), host.line, host.engine, printable(host.policy));
  if (host.report_policy) text += ", report policy " + printable(*host.report_policy);
  if (host.floor) {
    text += fmt::format(", floor {}{}", printable(*host.floor),
                        host.floor_exception ? " (this host is an exception)" : "");
  }
  if (host.is_default) text += ", default of its address";
  return text + "\n";
}

std::string check_text(const Check& check) {
  std::string text = printable(check.target);
  if (check.facts && !check.facts->server_name.empty()) {
    text += fmt::format(" at {}, asked for {}", check.facts->address,
                        printable(check.facts->server_name));
  }
  text += "\n";
  if (check.virtual_host) text += virtual_host_text(*check.virtual_host);
  if (!check.facts) return text + "  not checked: " + printable(check.error) + "\n";
  text += facts_text(*check.facts);
  text += fmt::format("  {} {}\n", check.fits() ? "fits" : "does not fit", printable(check.policy));
  return text + (check.grade ? grade_text(*check.grade) : "");
}

std::string server_text(const live::RuntimeFile& server) {
  std::string text = printable(server.httpd);
  if (!server.openssl.empty()) text += ", " + printable(server.openssl);
  if (!server.tlsguard.empty()) text += ", mod_tlsguard " + printable(server.tlsguard);
  return fmt::format("Server: {}; process {}, its virtual hosts as of {}\n", text, server.pid,
                     printable(server.written));
}

// One line a check, where there are several.
std::string summary(const CheckRun& run) {
  Table table({"VIRTUAL HOST", "ADDRESS", "POLICY", "ENGINE", "VERDICT"});
  for (const Check& check : run.checks) {
    table.add({check.virtual_host ? printable(check.virtual_host->name) : "",
               printable(check.target), printable(check.policy),
               check.virtual_host ? check.virtual_host->engine : "",
               !check.grade   ? "not checked"
               : check.fits() ? "fits"
                              : "does not fit"});
  }
  return table.text();
}

}  // namespace

std::string to_text(const CheckRun& run) {
  std::string text = fmt::format("Checked on {} from {} by tlsguardctl {} with {}\n", run.date,
                                 printable(run.machine), run.tlsguard, run.openssl);
  if (run.server) text += server_text(*run.server);
  for (const Check& check : run.checks) text += "\n" + check_text(check);
  if (run.server && !run.checks.empty()) text += "\n" + summary(run);
  return text;
}

}  // namespace tlsguard::ctl
