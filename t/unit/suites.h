// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_SUITES_H
#define TLSGUARD_T_UNIT_SUITES_H

#include <check.h>
// Check's old macro has the name of a function of core/error.h and of the standard library:
// include this header first.
#undef fail

namespace tlsguard::test {

Suite* acme_account_suite();
Suite* acme_chain_suite();
Suite* acme_client_suite();
Suite* acme_documents_suite();
Suite* acme_problem_suite();
Suite* agent_program_suite();
Suite* agent_suite();
Suite* alerts_suite();
Suite* board_suite();
Suite* caa_suite();
Suite* catalogue_suite();
Suite* census_suite();
Suite* certificate_keys_suite();
Suite* certificate_store_suite();
Suite* certificate_suite();
Suite* challenge_store_suite();
Suite* client_hello_suite();
Suite* command_suite();
Suite* context_suite();
Suite* control_suite();
Suite* credentials_suite();
Suite* ctl_suite();
Suite* curl_client_suite();
Suite* date_suite();
Suite* describe_suite();
Suite* dns_name_suite();
Suite* dns_suite();
Suite* domain_board_suite();
Suite* duration_suite();
Suite* events_suite();
Suite* fingerprint_suite();
Suite* forwarded_suite();
Suite* grade_suite();
Suite* hsts_ramp_json_suite();
Suite* hsts_ramp_suite();
Suite* hsts_suite();
Suite* https_redirect_suite();
Suite* import_suite();
Suite* internal_ca_suite();
Suite* job_files_suite();
Suite* json_depth_suite();
Suite* jws_suite();
Suite* keeper_boards_suite();
Suite* keeper_suite();
Suite* keys_suite();
Suite* killed_order_suite();
Suite* layers_suite();
Suite* layout_suite();
Suite* ledger_suite();
Suite* lists_suite();
Suite* manager_control_suite();
Suite* manager_failures_suite();
Suite* manager_patience_suite();
Suite* manager_store_suite();
Suite* manager_suite();
Suite* name_table_suite();
Suite* names_suite();
Suite* offers_suite();
Suite* parse_date_suite();
Suite* persist_suite();
Suite* port_map_suite();
Suite* preflight_suite();
Suite* prepare_suite();
Suite* presets_suite();
Suite* propagation_suite();
Suite* report_files_suite();
Suite* report_suite();
Suite* require_https_suite();
Suite* response_fields_suite();
Suite* runtime_file_suite();
Suite* schedule_suite();
Suite* self_signed_suite();
Suite* server_hello_suite();
Suite* settings_suite();
Suite* snapshot_suite();
Suite* solver_suite();
Suite* spec_json_suite();
Suite* spec_names_suite();
Suite* state_directory_suite();
Suite* state_file_suite();
Suite* status_forms_suite();
Suite* status_model_suite();
Suite* store_crashes_suite();
Suite* strength_suite();
Suite* tighten_suite();
Suite* trouble_report_suite();
Suite* trusted_proxy_suite();
Suite* verdict_cache_suite();
Suite* verdict_openssl_suite();
Suite* verdict_suite();
Suite* widening_suite();
Suite* worker_pool_suite();

using MakeSuite = Suite* (*)();
// One a line, so that additions merge.
// clang-format off
inline constexpr MakeSuite suites[] = {
    acme_account_suite,
    acme_chain_suite,
    acme_client_suite,
    acme_documents_suite,
    acme_problem_suite,
    agent_program_suite,
    agent_suite,
    alerts_suite,
    board_suite,
    caa_suite,
    catalogue_suite,
    census_suite,
    certificate_keys_suite,
    certificate_store_suite,
    certificate_suite,
    challenge_store_suite,
    client_hello_suite,
    command_suite,
    context_suite,
    control_suite,
    credentials_suite,
    ctl_suite,
    curl_client_suite,
    date_suite,
    describe_suite,
    dns_name_suite,
    dns_suite,
    domain_board_suite,
    duration_suite,
    events_suite,
    fingerprint_suite,
    forwarded_suite,
    grade_suite,
    hsts_ramp_json_suite,
    hsts_ramp_suite,
    hsts_suite,
    https_redirect_suite,
    import_suite,
    internal_ca_suite,
    job_files_suite,
    json_depth_suite,
    jws_suite,
    keeper_boards_suite,
    keeper_suite,
    keys_suite,
    killed_order_suite,
    layers_suite,
    layout_suite,
    ledger_suite,
    lists_suite,
    manager_control_suite,
    manager_failures_suite,
    manager_patience_suite,
    manager_store_suite,
    manager_suite,
    name_table_suite,
    names_suite,
    offers_suite,
    parse_date_suite,
    persist_suite,
    port_map_suite,
    preflight_suite,
    prepare_suite,
    presets_suite,
    propagation_suite,
    report_files_suite,
    report_suite,
    require_https_suite,
    response_fields_suite,
    runtime_file_suite,
    schedule_suite,
    self_signed_suite,
    server_hello_suite,
    settings_suite,
    snapshot_suite,
    solver_suite,
    spec_json_suite,
    spec_names_suite,
    state_directory_suite,
    state_file_suite,
    status_forms_suite,
    status_model_suite,
    store_crashes_suite,
    strength_suite,
    tighten_suite,
    trouble_report_suite,
    trusted_proxy_suite,
    verdict_cache_suite,
    verdict_openssl_suite,
    verdict_suite,
    widening_suite,
    worker_pool_suite,
};
// clang-format on

}  // namespace tlsguard::test

#endif
