// SPDX-License-Identifier: Apache-2.0
#include "httpd/status.h"

#include <cstring>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"
#include "live/report.h"

namespace tlsguard::httpd {

namespace {

bool wants_json(const request_rec* r) {
  if (r->args != nullptr && std::string_view(r->args).find("json") != std::string_view::npos) {
    return true;
  }
  const char* accept = apr_table_get(r->headers_in, "Accept");
  return accept != nullptr &&
         std::string_view(accept).find("application/json") != std::string_view::npos;
}

// `policy=name` of the query; modern, as the question most asked, where there is none.
live::Judge asked_judge(const request_rec* r) {
  std::string_view args = r->args != nullptr ? r->args : "";
  constexpr std::string_view key = "policy=";
  auto at = args.find(key);
  if (at == std::string_view::npos) return live::Judge::modern;
  args.remove_prefix(at + key.size());
  return live::parse_judge(args.substr(0, args.find('&'))).value_or(live::Judge::modern);
}

live::Snapshot snapshot_of(const Runtime& runtime) {
  std::vector<live::CountedHost> hosts;
  std::vector<live::VirtualHostCensus> censuses;
  for (const auto& host : runtime.virtual_hosts) {
    hosts.push_back(host->counted);
    censuses.push_back(host->census);
  }
  return live::read_board(hosts, censuses, apr_time_sec(apr_time_now()));
}

}  // namespace

int on_status_request(request_rec* r) noexcept {
  if (r->handler == nullptr || std::strcmp(r->handler, "tlsguard-status") != 0) return declined;
  return guard("on_status_request", HTTP_INTERNAL_SERVER_ERROR, [&] {
    if (r->method_number != M_GET) {
      r->allowed = AP_METHOD_BIT << M_GET;
      return HTTP_METHOD_NOT_ALLOWED;
    }
    const ServerConf* conf = conf_of(r->server);
    if (conf->site == nullptr) return HTTP_SERVICE_UNAVAILABLE;
    live::Snapshot snapshot = snapshot_of(*conf->site->runtime);
    bool json = wants_json(r);
    std::string body =
        json ? live::census_json(snapshot) : live::cut_off_table(snapshot, asked_judge(r));
    ap_set_content_type(r, json ? "application/json" : "text/plain; charset=utf-8");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
    if (r->header_only == 0) ap_rwrite(body.data(), static_cast<int>(body.size()), r);
    return ok;
  });
}

}  // namespace tlsguard::httpd
