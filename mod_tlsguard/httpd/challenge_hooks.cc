// SPDX-License-Identifier: Apache-2.0
#include "httpd/challenge_hooks.h"

#include <cstring>

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

}  // namespace

int answer_challenge(request_rec* r, const Runtime& runtime) {
  if (runtime.live == nullptr || r->uri == nullptr || r->method_number != M_GET) return declined;
  std::string_view path = r->uri;
  if (!path.starts_with(challenge_path)) return declined;
  auto answer = runtime.live->http_challenge(path.substr(challenge_path.size()), name_asked(r));
  if (!answer) return declined;
  log_request(r, APLOG_INFO, "TG0071", "domain={}: a challenge was answered", name_asked(r));
  ap_set_content_type(r, "application/octet-stream");
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  ap_set_content_length(r, static_cast<apr_off_t>(answer->size()));
  if (r->header_only == 0) ap_rwrite(answer->data(), static_cast<int>(answer->size()), r);
  return ok;
}

int check_placeholder(request_rec* r, const ConnState* state) {
  if (state == nullptr || !state->placeholder) return declined;
  apr_table_setn(r->err_headers_out, "Retry-After", retry_after);
  apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
  r->connection->keepalive = AP_CONN_CLOSE;  // the next one may have the certificate
  return HTTP_SERVICE_UNAVAILABLE;
}

}  // namespace tlsguard::httpd
