// SPDX-License-Identifier: Apache-2.0
#include "httpd/hooks.h"

#include <algorithm>

#include "httpd/certificates.h"
#include "httpd/challenge_hooks.h"
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

// Apart, so that a request to the virtual host its connection was made for costs a look. state:
// null where it came without TLS; clear: it may have come in clear.
[[gnu::noinline]] int judge_request(request_rec* r, ConnState* state, bool clear) noexcept {
  // Sub-requests and internal redirects (to an error document, say) belong to a request that was
  // judged.
  if (r->main != nullptr || r->prev != nullptr) return declined;
  return guard("judge_request", HTTP_INTERNAL_SERVER_ERROR, [&] {
    int answer = state != nullptr ? check_host(r, *state) : declined;
    return answer == declined && clear ? check_clear(r, *conf_of(r->server)) : answer;
  });
}

// Some virtual host may be asked for over a connection that does not satisfy it.
bool may_misdirect(const Runtime& runtime) {
  const auto& hosts = runtime.virtual_hosts;
  auto same_as_first = [&](const auto& host) {
    return host->engine == Engine::on && !host->refuse_all && host->plan == hosts.front()->plan;
  };
  return runtime.enforcing && !std::all_of(hosts.begin(), hosts.end(), same_as_first);
}

template <typename Link, typename Function>
void unhook(apr_array_header_t* hooks, Function* ours) {
  if (hooks == nullptr) return;
  auto* begin = reinterpret_cast<Link*>(hooks->elts);
  auto* end = std::remove_if(begin, begin + hooks->nelts,
                             [&](const Link& link) { return link.pFunc == ours; });
  hooks->nelts = static_cast<int>(end - begin);
}

// Every request pays for a hook, also for one that has nothing to do in this configuration. They
// were registered before it was known; httpd registers all anew for the next one.
void unhook_idle(const Runtime& runtime) {
  if (!runtime.any_hsts) {
    unhook<ap_LINK_create_request_t>(ap_hook_get_create_request(), on_create_request);
  }
  const bool managing = runtime.domains.any();
  if (!managing) {
    unhook<ap_LINK_protocol_get_t>(ap_hook_get_protocol_get(), on_protocol_get);
    unhook<ap_LINK_quick_handler_t>(ap_hook_get_quick_handler(), on_managed_request);
  }
  if (!runtime.judging && !managing) {
    unhook<ap_LINK_process_connection_t>(ap_hook_get_process_connection(), on_process_connection);
    unhook<ap_LINK_post_read_request_t>(ap_hook_get_post_read_request(), on_read_request);
  }
  if (!runtime.enforcing) {
    unhook<ap_LINK_access_checker_t>(ap_hook_get_access_checker(), on_check_access);
  }
  if (!may_misdirect(runtime) && !runtime.names.any_required) {
    unhook<ap_LINK_quick_handler_t>(ap_hook_get_quick_handler(), on_quick_handler);
  }
}

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
    if (runtime == nullptr) return;
    if (ap_exists_config_define("DUMP_TLSGUARD") == 0) return say_advice(*runtime);
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
    say_of_advice(base, *runtime);
    unhook_idle(*runtime);
    return ok;
  });
}

int on_quick_handler(request_rec* r, int) noexcept {
  ConnState* state = state_of(r->connection);
  const ServerConf& conf = *conf_of(r->server);
  bool tls = state != nullptr && state->finished;
  bool clear = !tls || (conf.site != nullptr && !conf.site->trusted_proxies.empty());
  if (!clear && conf.virtual_host == state->host()) return declined;
  return judge_request(r, tls ? state : nullptr, clear);
}

}  // namespace tlsguard::httpd
