// SPDX-License-Identifier: Apache-2.0
#include "httpd/challenge_hooks.h"

#include <cstring>

#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

constexpr std::string_view challenge_path = "/.well-known/acme-challenge/";
constexpr const char* retry_after = "10";  // seconds

// As challenges have it: an IPv6 address without its brackets.
std::string_view name_asked(const request_rec* r) {
  std::string_view name = r->hostname != nullptr ? r->hostname : "";
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name.remove_prefix(1);
    name.remove_suffix(1);
  }
  return name;
}

// RFC 8555 8.3: GET or HEAD of exactly the path of a token that is pending for the host asked.
// Declined: it is none of ours, and other clients' challenges pass.
int answer_challenge(request_rec* r) {
  const Site* site = conf_of(r->server)->site;
  if (site == nullptr || site->runtime->live == nullptr) return declined;
  if (r->uri == nullptr || r->method_number != M_GET) return declined;
  std::string_view path = r->uri;
  if (!path.starts_with(challenge_path)) return declined;
  const LiveDomains& live = *site->runtime->live;
  auto answer = live.http_challenge(path.substr(challenge_path.size()), name_asked(r));
  if (!answer) return declined;
  log_request(r, APLOG_INFO, "TG0071", "domain={}: a challenge was answered", name_asked(r));
  ap_set_content_type(r, "application/octet-stream");
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  ap_set_content_length(r, static_cast<apr_off_t>(answer->size()));
  if (r->header_only == 0) ap_rwrite(answer->data(), static_cast<int>(answer->size()), r);
  return ok;
}

// 503 where the connection has a placeholder for a certificate.
int check_placeholder(request_rec* r) {
  const ConnState* state = state_of(r->connection);
  if (state == nullptr || state->shown == nullptr || !state->shown->placeholder) return declined;
  apr_table_setn(r->err_headers_out, "Retry-After", retry_after);
  apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
  r->connection->keepalive = AP_CONN_CLOSE;  // the next one may have the certificate
  return HTTP_SERVICE_UNAVAILABLE;
}

}  // namespace

int on_managed_request(request_rec* r, int) noexcept {
  // Sub-requests and internal redirects (to an error document, say) belong to a request that was
  // looked at.
  if (r->main != nullptr || r->prev != nullptr) return declined;
  return guard("on_managed_request", HTTP_INTERNAL_SERVER_ERROR, [&] {
    int answer = answer_challenge(r);
    return answer == declined ? check_placeholder(r) : answer;
  });
}

}  // namespace tlsguard::httpd
