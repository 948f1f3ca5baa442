// SPDX-License-Identifier: Apache-2.0
// Directives of mod_ssl, and of httpd itself, recorded: httpd hands a directive to every module
// that knows its name, and their owner judges the text. They refuse nothing; what the owner refuses
// never gets further.
#ifndef TLSGUARD_HTTPD_SSL_DIRECTIVES_H
#define TLSGUARD_HTTPD_SSL_DIRECTIVES_H

#include "httpd/directives.h"
#include "policy/context.h"

namespace tlsguard::httpd {

Result<void> record_ssl_engine(Use& use);
Result<void> record_ssl_protocol(Use& use);
Result<void> record_ssl_cipher_suite(Use& use);
Result<void> record_ssl_honor_cipher_order(Use& use);
Result<void> record_ssl_session_tickets(Use& use);
Result<void> record_ssl_session_ticket_key_file(Use& use);
Result<void> record_ssl_strict_sni(Use& use);
Result<void> record_ssl_open_ssl_conf_cmd(Use& use);
Result<void> record_ssl_certificate_file(Use& use);
Result<void> record_server_name(Use& use);
Result<void> record_ssl_use_stapling(Use& use);
Result<void> record_ssl_stapling_force_url(Use& use);
Result<void> record_core_dump_directory(Use& use);
// mod_md's; an error where that is not loaded, so that its directives stay unknown.
Result<void> record_md_names(Use& use);

// As policy/context.h takes them.
[[nodiscard]] policy::SslDirectives ssl_directives_of(const ServerConf& conf);

}  // namespace tlsguard::httpd

#endif
