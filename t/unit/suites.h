// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_SUITES_H
#define TLSGUARD_T_UNIT_SUITES_H

#include <check.h>
// Check's old macro has the name of a function of core/error.h and of the standard library:
// include this header first.
#undef fail

namespace tlsguard::test {

Suite* board_suite();
Suite* census_suite();
Suite* ctl_suite();
Suite* keeper_suite();
Suite* layers_suite();
Suite* keeper_boards_suite();
Suite* offers_suite();
Suite* report_suite();
Suite* snapshot_suite();
Suite* state_file_suite();
Suite* verdict_cache_suite();
Suite* date_suite();
Suite* json_depth_suite();
Suite* grade_suite();
Suite* name_table_suite();
Suite* runtime_file_suite();
Suite* dns_name_suite();
Suite* duration_suite();
Suite* forwarded_suite();
Suite* hsts_suite();
Suite* hsts_ramp_suite();
Suite* hsts_ramp_json_suite();
Suite* port_map_suite();
Suite* require_https_suite();
Suite* trusted_proxy_suite();
Suite* client_hello_suite();
Suite* fingerprint_suite();
Suite* server_hello_suite();
Suite* verdict_suite();
Suite* verdict_openssl_suite();
Suite* names_suite();
Suite* presets_suite();
Suite* catalogue_suite();
Suite* settings_suite();
Suite* context_suite();
Suite* tighten_suite();
Suite* widening_suite();
Suite* certificate_keys_suite();
Suite* strength_suite();
Suite* describe_suite();
Suite* parse_date_suite();

using MakeSuite = Suite* (*)();
// One a line, so that additions merge.
// clang-format off
inline constexpr MakeSuite suites[] = {
    board_suite,
    census_suite,
    ctl_suite,
    keeper_suite,
    layers_suite,
    keeper_boards_suite,
    offers_suite,
    report_suite,
    snapshot_suite,
    state_file_suite,
    verdict_cache_suite,
    date_suite,
    json_depth_suite,
    grade_suite,
    name_table_suite,
    runtime_file_suite,
    dns_name_suite,
    duration_suite,
    forwarded_suite,
    hsts_suite,
    hsts_ramp_suite,
    hsts_ramp_json_suite,
    port_map_suite,
    require_https_suite,
    trusted_proxy_suite,
    client_hello_suite,
    fingerprint_suite,
    server_hello_suite,
    verdict_suite,
    verdict_openssl_suite,
    names_suite,
    presets_suite,
    catalogue_suite,
    settings_suite,
    context_suite,
    tighten_suite,
    widening_suite,
    certificate_keys_suite,
    strength_suite,
    describe_suite,
    parse_date_suite,
};
// clang-format on

}  // namespace tlsguard::test

#endif
