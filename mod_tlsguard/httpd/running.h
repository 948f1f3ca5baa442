// SPDX-License-Identifier: Apache-2.0
// runtime.json in the store: what this server's TLS virtual hosts have in force, for tlsguardctl.
// And what is said at a start: who only reports, which policy names moved. Parent only.
#ifndef TLSGUARD_HTTPD_RUNNING_H
#define TLSGUARD_HTTPD_RUNNING_H

#include "httpd/includes.h"
#include "httpd/runtime.h"
#include "store/state_file.h"

namespace tlsguard::httpd {

// Also says where a policy named without a version means another one than at the last start.
void write_running(const store::Directory& directory, server_rec* base, const Runtime& runtime);

// One notice names the virtual hosts that only report.
void say_who_reports(server_rec* base, const Runtime& runtime);

// Each piece of advice, for httpd -t. A start only says how many there are, and not loudly: the
// same would come again with every reload.
void say_advice(const Runtime& runtime);
void say_of_advice(server_rec* base, const Runtime& runtime);

}  // namespace tlsguard::httpd

#endif
