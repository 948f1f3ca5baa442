// SPDX-License-Identifier: Apache-2.0
// The module record, and where it hooks into httpd and mod_ssl.
#include "httpd/certificates.h"
#include "httpd/challenge_hooks.h"
#include "httpd/connection.h"
#include "httpd/contexts.h"
#include "httpd/directives.h"
#include "httpd/hooks.h"
#include "httpd/parent.h"
#include "httpd/placeholders.h"
#include "httpd/request_guard.h"
#include "httpd/status.h"
#include "httpd/web_hooks.h"
#include "httpd/worker_hooks.h"

namespace {

using namespace tlsguard::httpd;  // NOLINT(google-build-using-namespace): names of hooks

extern "C" void register_hooks(apr_pool_t*) noexcept {
  static const char* const ssl[] = {"mod_ssl.c", nullptr};

  ap_hook_check_config(on_check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_test_config(on_test_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_config(on_post_config, ssl, nullptr, APR_HOOK_MIDDLE);
  ap_hook_monitor(on_monitor, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(on_child_init, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_status(on_child_status, nullptr, nullptr, APR_HOOK_MIDDLE);

  // After mod_md, whose certificates are no placeholders.
  static const char* const md[] = {"mod_md.c", nullptr};
  ap_hook_ssl_add_cert_files(on_add_cert_files, md, nullptr, APR_HOOK_LAST);
  APR_OPTIONAL_HOOK(ssl, init_server, on_init_server, nullptr, nullptr, APR_HOOK_LAST);
  APR_OPTIONAL_HOOK(ssl, pre_handshake, on_pre_handshake, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_process_connection(on_process_connection, ssl, nullptr, APR_HOOK_MIDDLE);

  ap_hook_protocol_get(on_protocol_get, nullptr, nullptr, APR_HOOK_FIRST);

  ap_hook_create_request(on_create_request, nullptr, nullptr, APR_HOOK_FIRST);
  ap_hook_post_read_request(on_read_request, ssl, nullptr, APR_HOOK_MIDDLE);
  // A CA's request is answered in clear, whatever the name asks for.
  ap_hook_quick_handler(on_managed_request, nullptr, nullptr, APR_HOOK_REALLY_FIRST - 1);
  ap_hook_quick_handler(on_quick_handler, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_check_access(on_check_access, ssl, nullptr, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_handler(on_status_request, nullptr, nullptr, APR_HOOK_MIDDLE);
  APR_OPTIONAL_HOOK(ap, status_hook, on_server_status, nullptr, nullptr, APR_HOOK_MIDDLE);

  register_hsts_filter();
}

}  // namespace

extern "C" {
// httpd takes the module's name from the file: <IfModule mod_tlsguard.c>.
module AP_MODULE_DECLARE_DATA __attribute__((visibility("default"))) tlsguard_module = {
    MODULE_MAGIC_NUMBER_MAJOR,
    MODULE_MAGIC_NUMBER_MINOR,
    -1,
    "mod_tlsguard.c",
    nullptr,
    nullptr,
    MODULE_MAGIC_COOKIE,
    nullptr,
    nullptr,  // no per-directory configuration
    nullptr,
    on_create_server_config,
    on_merge_server_config,
    tlsguard::httpd::command_table.commands,
    register_hooks,
    0,
};
}
