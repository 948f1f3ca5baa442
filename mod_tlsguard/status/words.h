// SPDX-License-Identifier: Apache-2.0
// How a domain stands, in words, and what an administrator can do about it. Plain text, to be
// escaped. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_WORDS_H
#define TLSGUARD_STATUS_WORDS_H

#include <string>
#include <string_view>

#include "status/model.h"

namespace tlsguard::status {

// "valid", "CA error": for a badge.
[[nodiscard]] std::string_view state_words(const Domain& domain);
// What to do; empty: nothing.
[[nodiscard]] std::string advice(const Domain& domain);
// "Renewal in 12 days", "Next attempt in 5 minutes", "None planned".
[[nodiscard]] std::string next_step(const Domain& domain, UnixSeconds now);
// Why then: the CA's window, ours; empty: there is nothing to explain.
[[nodiscard]] std::string next_reason(const Domain& domain, UnixSeconds now);

}  // namespace tlsguard::status

#endif
