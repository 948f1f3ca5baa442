// SPDX-License-Identifier: Apache-2.0
#include "renew/windows.h"

#include <algorithm>
#include <limits>

namespace tlsguard::renew {
namespace {

constexpr std::int64_t day = 86400;

std::int64_t length_of(const Window& window, std::int64_t lifetime) {
  if (const auto* seconds = std::get_if<Seconds>(&window)) return seconds->count();
  return lifetime * std::get<int>(window) / 100;
}

}  // namespace

std::int64_t lifetime_of(const Validity& validity) {
  constexpr std::int64_t longest = 200 * (365 * day);
  constexpr UnixSeconds latest = std::numeric_limits<UnixSeconds>::max() / 2;
  if (validity.not_after <= validity.not_before) return 0;
  UnixSeconds begin = std::clamp<UnixSeconds>(validity.not_before, 0, latest);
  UnixSeconds end = std::clamp<UnixSeconds>(validity.not_after, 0, latest);
  return std::min(end - begin, longest);
}

std::int64_t renew_window_of(const Validity& validity, const std::optional<Window>& configured) {
  std::int64_t lifetime = lifetime_of(validity);
  std::int64_t usual = lifetime < 10 * day ? lifetime / 2 : lifetime * 33 / 100;
  if (!configured) return usual;
  std::int64_t window = std::max(length_of(*configured, lifetime), std::int64_t{0});
  // Written for certificates that live longer: it would renew without end.
  if (window >= lifetime && std::holds_alternative<Seconds>(*configured)) return usual;
  return std::min(window, lifetime * 9 / 10);
}

std::int64_t warn_window_of(const Validity& validity, const std::optional<Window>& configured) {
  std::int64_t lifetime = lifetime_of(validity);
  if (!configured) return std::min(14 * day, lifetime / 4);
  return std::clamp(length_of(*configured, lifetime), std::int64_t{0}, lifetime);
}

}  // namespace tlsguard::renew
