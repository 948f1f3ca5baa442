// SPDX-License-Identifier: Apache-2.0
// tlsguardctl store: whether all in it is whole, and what can go; and events: what has happened.
#ifndef TLSGUARD_CTL_CTL_STORE_H
#define TLSGUARD_CTL_CTL_STORE_H

#include <string>

namespace tlsguard::ctl {

// Each: the exit status; of store_verify 1 where anything is not whole. Nothing is changed.
[[nodiscard]] int store_verify(const std::string& store, bool json);
// Deletes domains that are no longer declared and versions beyond those that are kept; where httpd
// is down, which knows what is declared, versions alone.
[[nodiscard]] int store_gc(const std::string& store, bool json);
// domain: empty: of all. 1 where something is wrong now, or was not told within the last day.
[[nodiscard]] int events(const std::string& store, const std::string& domain, bool json);

}  // namespace tlsguard::ctl

#endif
