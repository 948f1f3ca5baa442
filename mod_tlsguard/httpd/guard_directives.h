// SPDX-License-Identifier: Apache-2.0
// The directives of the guard, of HSTS and of redirects: arguments to values. What depends on the
// rest of the configuration is judged later (judge_config.h).
#ifndef TLSGUARD_HTTPD_GUARD_DIRECTIVES_H
#define TLSGUARD_HTTPD_GUARD_DIRECTIVES_H

#include "httpd/directives.h"

namespace tlsguard::httpd {

Result<void> take_engine(Use& use);
Result<void> take_policy(Use& use);
Result<void> take_report_policy(Use& use);
Result<void> take_min_protocol(Use& use);
Result<void> take_max_protocol(Use& use);
Result<void> take_cipher_suite(Use& use);
Result<void> take_groups(Use& use);
Result<void> take_signature_algorithms(Use& use);
Result<void> take_floor(Use& use);
Result<void> take_strict_sni(Use& use);
Result<void> take_hsts(Use& use);
Result<void> take_hsts_ramp(Use& use);
Result<void> take_require_https(Use& use);
Result<void> take_trusted_proxy(Use& use);
Result<void> take_port_map(Use& use);
Result<void> take_store(Use& use);

}  // namespace tlsguard::httpd

#endif
