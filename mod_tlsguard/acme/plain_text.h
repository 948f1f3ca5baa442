// SPDX-License-Identifier: Apache-2.0
// What a CA writes for people, made fit for a log line and a page. Pure; thread-safe.
#ifndef TLSGUARD_ACME_PLAIN_TEXT_H
#define TLSGUARD_ACME_PLAIN_TEXT_H

#include <cstddef>
#include <string>
#include <string_view>

namespace tlsguard::acme {

// One line of valid UTF-8, max bytes at most ("…" at the end where it was cut). Control characters,
// line separators and what turns the direction of writing become blanks, runs of blanks one; bytes
// that are no UTF-8 become '?'.
[[nodiscard]] std::string plain_text(std::string_view text, std::size_t max);

}  // namespace tlsguard::acme

#endif
