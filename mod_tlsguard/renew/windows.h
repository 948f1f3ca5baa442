// SPDX-License-Identifier: Apache-2.0
// How long before its end a certificate is renewed, or warned of. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_WINDOWS_H
#define TLSGUARD_RENEW_WINDOWS_H

#include <cstdint>
#include <optional>

#include "core/unix_time.h"
#include "renew/spec.h"

namespace tlsguard::renew {

struct Validity {
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  bool operator==(const Validity&) const = default;
};

// Seconds; certificates of people's own making may claim any dates.
[[nodiscard]] std::int64_t lifetime_of(const Validity& validity);
// Seconds before not_after at which renewal, or the warning, begins.
[[nodiscard]] std::int64_t renew_window_of(const Validity& validity,
                                           const std::optional<Window>& configured);
[[nodiscard]] std::int64_t warn_window_of(const Validity& validity,
                                          const std::optional<Window>& configured);

}  // namespace tlsguard::renew

#endif
