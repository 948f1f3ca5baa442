// SPDX-License-Identifier: Apache-2.0
// What the agent counts about CAs and its own attempts, as the status page and the metrics show it:
// one file of the store, written by renew/ca_metrics.h. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_CA_FACTS_H
#define TLSGUARD_STATUS_CA_FACTS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/unix_time.h"
#include "renew/ca_counts.h"

namespace tlsguard::status {

using CaFacts = renew::CaCounts;

}  // namespace tlsguard::status

#endif
