// SPDX-License-Identifier: Apache-2.0
#include "httpd/hooks.h"

#include "httpd/complaints.h"
#include "httpd/conf_of.h"
#include "httpd/connection.h"
#include "httpd/dump.h"
#include "httpd/guard.h"
#include "httpd/judge_config.h"
#include "httpd/parent.h"
#include "httpd/pool.h"
#include "httpd/request_guard.h"
#include "httpd/running.h"
#include "httpd/web_hooks.h"

namespace tlsguard::httpd {

namespace {

constexpr const char* runtime_key = "tlsguard-runtime";

Runtime* runtime_in(apr_pool_t* pconf) {
  void* runtime = nullptr;
  apr_pool_userdata_get(&runtime, runtime_key, pconf);
  return static_cast<Runtime*>(runtime);
}

// httpd reads its files twice at a start; the first time is a rehearsal.
bool rehearsal() { return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG; }
bool test_run() { return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST; }

}  // namespace

void* on_create_server_config(apr_pool_t* pool, server_rec*) noexcept {
  return guard("on_create_server_config", static_cast<void*>(nullptr),
               [&]() -> void* { return pool_make<ServerConf>(pool); });
}

void* on_merge_server_config(apr_pool_t* pool, void* base, void* add) noexcept {
  return guard("on_merge_server_config", add, [&]() -> void* {
    return pool_make<ServerConf>(
        pool, merge(*static_cast<ServerConf*>(base), *static_cast<ServerConf*>(add)));
  });
}

int on_check_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t* ptemp, server_rec* base) noexcept {
  return guard("on_check_config", HTTP_INTERNAL_SERVER_ERROR, [&] {
    Complaints complaints(rehearsal() && !test_run());
    Runtime* runtime = judge_config(pconf, ptemp, base, complaints);
    if (runtime == nullptr || complaints.any_error()) return HTTP_INTERNAL_SERVER_ERROR;
    apr_pool_userdata_setn(runtime, runtime_key, apr_pool_cleanup_null, pconf);
    return ok;
  });
}

void on_test_config(apr_pool_t* pconf, server_rec*) noexcept {
  guard("on_test_config", [&] {
    const Runtime* runtime = runtime_in(pconf);
    if (runtime == nullptr || ap_exists_config_define("DUMP_TLSGUARD") == 0) return;
    std::string text = dump(*runtime);
    apr_file_t* out = nullptr;
    apr_file_open_stdout(&out, pconf);
    apr_file_write_full(out, text.data(), text.size(), nullptr);
  });
}

int on_post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t* ptemp, server_rec* base) noexcept {
  return guard("on_post_config", HTTP_INTERNAL_SERVER_ERROR, [&] {
    Runtime* runtime = runtime_in(pconf);
    if (runtime == nullptr || rehearsal()) return ok;
    // Certificates of other modules may have changed plans since check_config.
    runtime->addresses = AddressIndexes{};
    runtime->addresses.build(base, ptemp);
    start_parent(pconf, base, *runtime);
    say_who_reports(base, *runtime);
    return ok;
  });
}

int on_quick_handler(request_rec* r, int) noexcept {
  // Sub-requests and internal redirects (to an error document, say) belong to a request that was
  // judged.
  if (r->main != nullptr || r->prev != nullptr) return declined;
  ConnState* state = state_of(r->connection);
  const ServerConf& conf = *conf_of(r->server);
  bool tls = state != nullptr && state->finished;
  bool clear = !tls || (conf.site != nullptr && !conf.site->trusted_proxies.empty());
  if (!clear && conf.virtual_host == state->host()) return declined;
  return guard("on_quick_handler", HTTP_INTERNAL_SERVER_ERROR, [&] {
    int answer = tls ? check_host(r, *state) : declined;
    return answer == declined && clear ? check_clear(r, conf) : answer;
  });
}

}  // namespace tlsguard::httpd
