// SPDX-License-Identifier: Apache-2.0
#include "httpd/handshake_log.h"

#include <algorithm>

#include "httpd/connection.h"
#include "httpd/log.h"
#include "httpd/runtime.h"
#include "live/offers.h"

namespace tlsguard::httpd {

namespace {

// Hexadecimal code points, as in packet captures; bounded.
std::string hex_list(const hello::CodePoints& points) {
  constexpr std::size_t most = 24;
  std::string text;
  for (std::size_t i = 0; i < std::min(points.size(), most); ++i) {
    if (!text.empty()) text += ',';
    text += fmt::format("{:04x}", points.at(i));
  }
  if (points.size() > most) text += fmt::format(",+{}", points.size() - most);
  return text.empty() ? "-" : text;
}

// The client chose these bytes: only what a host name may hold is shown as it is.
std::string shown_name(const hello::ClientHello& hello) {
  if (!hello.server_name) return "-";
  std::string name;
  for (char c : hello.server_name->substr(0, 255)) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '.' || c == '-' || c == '_' || c == '*';
    name += plain ? c : '?';
  }
  return name;
}

}  // namespace

bool HandshakeLog::admit(std::uint32_t now, std::uint64_t& held_back) {
  std::uint64_t seen = window_.load(std::memory_order_relaxed);
  while (true) {
    bool same = (seen >> 32) == now;
    std::uint32_t lines = same ? static_cast<std::uint32_t>(seen) : 0;
    if (lines >= lines_a_second) {
      held_back_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    std::uint64_t next = (std::uint64_t{now} << 32) | (lines + 1);
    if (window_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) break;
  }
  held_back = held_back_.exchange(0, std::memory_order_relaxed);
  return true;
}

void HandshakeLog::judged(const ConnState& state, const hello::ClientHello& hello) {
  auto in_force = state.verdicts.get(live::Judge::in_force).value_or(hello::Verdict::ok);
  auto report = state.verdicts.get(live::Judge::report).value_or(hello::Verdict::ok);
  if (in_force == hello::Verdict::ok && report == hello::Verdict::ok) return;
  const VirtualHost& host = *state.target->host;
  if (!APLOG_C_IS_LEVEL(state.connection, APLOG_INFO) && !APLOG_IS_LEVEL(host.server, APLOG_INFO)) {
    return;
  }
  std::uint64_t held_back = 0;
  if (!admit(static_cast<std::uint32_t>(apr_time_sec(apr_time_now())), held_back)) return;
  if (held_back > 0) {
    log_server(host.server, APLOG_INFO, "TG0021", "{} lines on handshakes were left out",
               held_back);
  }
  bool refused = in_force != hello::Verdict::ok && host.engine == Engine::on;
  std::string second;
  if (!host.report_policy_id.empty()) {
    second = fmt::format(" report_policy={} report_verdict={}", host.report_policy_id,
                         hello::verdict_name(report));
  }
  log_server(host.server, APLOG_INFO, "TG0020",
             "vhost={} client={} server_name={} verdict={} policy={}{}: {}; offered: {}; "
             "versions={} ciphers={} groups={} signature_algorithms={}",
             host.name, state.connection->client_ip, shown_name(hello),
             hello::verdict_name(in_force), host.policy_id, second,
             refused ? "handshake refused" : "handshake would be refused",
             live::describe(live::facts_of(hello)),
             hello.supported_versions ? hex_list(*hello.supported_versions)
                                      : fmt::format("{:04x}", hello.legacy_version),
             hex_list(hello.cipher_suites),
             hello.supported_groups ? hex_list(*hello.supported_groups) : "-",
             hello.signature_algorithms ? hex_list(*hello.signature_algorithms) : "-");
}

}  // namespace tlsguard::httpd
