// SPDX-License-Identifier: Apache-2.0
#include "httpd/status.h"

#include <algorithm>
#include <cstring>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"
#include "live/report.h"

namespace tlsguard::httpd {

namespace {

// The value of `name` or `name=value` in the query; nullopt where it is not there.
std::optional<std::string_view> parameter(const request_rec* r, std::string_view name) {
  std::string_view rest = r->args != nullptr ? r->args : "";
  while (!rest.empty()) {
    std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    std::string_view key = one.substr(0, one.find('='));
    if (key == name) return one.substr(std::min(key.size() + 1, one.size()));
  }
  return std::nullopt;
}

bool wants_json(const request_rec* r) {
  if (parameter(r, "json")) return true;
  const char* accept = apr_table_get(r->headers_in, "Accept");
  return accept != nullptr &&
         std::string_view(accept).find("application/json") != std::string_view::npos;
}

live::Snapshot snapshot_of(const Runtime& runtime) {
  std::vector<live::ShownHost> hosts;
  for (const auto& host : runtime.virtual_hosts) {
    hosts.push_back({&host->counted, host->census, host->past});
  }
  return live::read_board(hosts, apr_time_sec(apr_time_now()));
}

// One judge's answer where one is named, in JSON else all counters; the table is always of one:
// modern, as the question most asked.
std::string answer(const live::Snapshot& snapshot, bool json, std::optional<live::Judge> judge) {
  if (!json) return live::cut_off_table(snapshot, judge.value_or(live::Judge::modern));
  return judge ? live::cut_off_json(snapshot, *judge) : live::census_json(snapshot);
}

void send(request_rec* r, const char* type, const std::string& body) {
  ap_set_content_type(r, type);
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
  if (r->header_only == 0) ap_rwrite(body.data(), static_cast<int>(body.size()), r);
}

[[gnu::noinline]] int show_status(request_rec* r) noexcept {
  return guard("show_status", HTTP_INTERNAL_SERVER_ERROR, [&] {
    if (r->method_number != M_GET) {
      r->allowed = AP_METHOD_BIT << M_GET;
      return HTTP_METHOD_NOT_ALLOWED;
    }
    const ServerConf* conf = conf_of(r->server);
    if (conf->site == nullptr) return HTTP_SERVICE_UNAVAILABLE;
    constexpr const char* text = "text/plain; charset=utf-8";
    auto policy = parameter(r, "policy");
    auto judge = live::parse_judge(policy.value_or(""));
    if (policy && !judge) {
      r->status = HTTP_BAD_REQUEST;
      send(r, text, "The census knows no such policy: valid are " + live::judge_names() + ".\n");
      return ok;
    }
    bool json = wants_json(r);
    send(r, json ? "application/json" : text,
         answer(snapshot_of(*conf->site->runtime), json, judge));
    return ok;
  });
}

}  // namespace

// Every request for a file comes by: two letters tell most other handlers' names apart.
int on_status_request(request_rec* r) noexcept {
  if (r->handler == nullptr || std::strncmp(r->handler, "tl", 2) != 0 ||
      std::strcmp(r->handler, "tlsguard-status") != 0) {
    return declined;
  }
  return show_status(r);
}

}  // namespace tlsguard::httpd
