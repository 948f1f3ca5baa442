// SPDX-License-Identifier: Apache-2.0
#include "httpd/status.h"

#include <cstring>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/status_model.h"
#include "live/report.h"
#include "status/html.h"
#include "status/json.h"
#include "status/open_metrics.h"
#include "status/section.h"

namespace tlsguard::httpd {

namespace {

using status::Form;
using status::Query;

constexpr const char* plain_text = "text/plain; charset=utf-8";

std::string_view accept_of(const request_rec* r) {
  const char* accept = apr_table_get(r->headers_in, "Accept");
  return accept != nullptr ? accept : "";
}

void send(request_rec* r, std::string_view type, const std::string& body) {
  ap_set_content_type(r, apr_pstrmemdup(r->pool, type.data(), type.size()));
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
  apr_table_setn(r->headers_out, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                 "base-uri 'none'; frame-ancestors 'none'");
  apr_table_setn(r->headers_out, "Referrer-Policy", "same-origin");
  apr_table_mergen(r->headers_out, "Vary", "Accept");
  ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
  if (r->header_only == 0) ap_rwrite(body.data(), static_cast<int>(body.size()), r);
}

void send_metrics(request_rec* r, const Runtime& runtime, const Query& query) {
  status::Dialect dialect = status::dialect_of(accept_of(r));
  status::Model model = status_model(r, runtime, query, Extent::all);
  send(r, status::content_type(dialect), status::to_metrics(model, dialect));
}

// One judge's answer where one is named, in JSON else everything; the table is always of one:
// modern, as the question most asked.
void answer(request_rec* r, const Runtime& runtime, const Query& query, Form form) {
  switch (form) {
    case Form::metrics:
      return send_metrics(r, runtime, query);
    case Form::text:
      return send(
          r, plain_text,
          live::cut_off_table(census_of(runtime), query.judge.value_or(live::Judge::modern)));
    case Form::json:
      if (query.judge) {
        return send(r, "application/json", live::cut_off_json(census_of(runtime), *query.judge));
      }
      return send(r, "application/json",
                  status::to_json(status_model(r, runtime, query, Extent::page)));
    case Form::html:
      break;
  }
  status::Model model = status_model(r, runtime, query, Extent::page);
  send(r, "text/html; charset=utf-8", status::to_html(model));
}

[[gnu::noinline]] int show_status(request_rec* r, bool only_metrics) noexcept {
  return guard("show_status", HTTP_INTERNAL_SERVER_ERROR, [&] {
    if (r->method_number != M_GET) {
      r->allowed = AP_METHOD_BIT << M_GET;
      return HTTP_METHOD_NOT_ALLOWED;
    }
    const ServerConf* conf = conf_of(r->server);
    if (conf->site == nullptr) return HTTP_SERVICE_UNAVAILABLE;
    Query query = status::parse_query(r->args != nullptr ? r->args : "");
    if (query.wrong_policy()) {
      r->status = HTTP_BAD_REQUEST;
      send(r, plain_text,
           "The census knows no such policy: valid are " + live::judge_names() + ".\n");
      return ok;
    }
    Form form = only_metrics ? Form::metrics : status::form_of(query, accept_of(r));
    answer(r, *conf->site->runtime, query, form);
    return ok;
  });
}

}  // namespace

// Every request for a file comes by: two letters tell most other handlers' names apart.
int on_status_request(request_rec* r) noexcept {
  if (r->handler == nullptr || std::strncmp(r->handler, "tl", 2) != 0) return declined;
  if (std::strcmp(r->handler, "tlsguard-status") == 0) return show_status(r, false);
  if (std::strcmp(r->handler, "tlsguard-metrics") == 0) return show_status(r, true);
  return declined;
}

int on_server_status(request_rec* r, int flags) noexcept {
  return guard("on_server_status", declined, [&] {
    const ServerConf* conf = conf_of(r->server);
    if (conf->site == nullptr) return declined;
    status::Model model = status_model(r, *conf->site->runtime, {}, Extent::sums);
    bool brief = (flags & AP_STATUS_SHORT) != 0;
    std::string text = brief ? status::section_text(model) : status::section_html(model);
    ap_rwrite(text.data(), static_cast<int>(text.size()), r);
    return ok;
  });
}

}  // namespace tlsguard::httpd
