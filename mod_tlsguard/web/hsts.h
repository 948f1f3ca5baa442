// SPDX-License-Identifier: Apache-2.0
// The Strict-Transport-Security field (RFC 6797): what TLSGuardHSTS says, the field values it
// leads to, and which of them a response gets.
// Configuration time parses and builds HstsValues once for each virtual host; the request path
// only picks a pointer. Pure, no shared state; HstsValues is read-only once built, so any thread
// may use it.
#ifndef TLSGUARD_WEB_HSTS_H
#define TLSGUARD_WEB_HSTS_H

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/error.h"

namespace tlsguard::web {

inline constexpr Seconds hsts_on_max_age{63072000};
// What hstspreload.org asks for.
inline constexpr Seconds hsts_preload_min_age{31536000};

// The default is `TLSGuardHSTS off`.
struct HstsSetting {
  bool enabled = false;
  Seconds max_age{0};  // 0: browsers forget the host (RFC 6797 6.1.1)
  bool include_sub_domains = false;
  bool preload = false;

  bool operator==(const HstsSetting&) const = default;
};

// The arguments of TLSGuardHSTS: `off`, or `on` or `max-age=dur` (a plain number is seconds), then
// includeSubDomains and preload in any order. Words in any case. The error names the directive.
[[nodiscard]] Result<HstsSetting> parse_hsts(std::span<const std::string_view> arguments);

// The field value while a ramp has reached this age; ages at or above max_age are the full one.
// Below the full age there is no `preload`. The setting must be enabled.
[[nodiscard]] std::string format_hsts(const HstsSetting& setting, Seconds age);

// Every value one virtual host may send, by age.
class HstsValues {
 public:
  // HSTS off.
  HstsValues() = default;
  // partial_ages: the ages a ramp may send before the full one, in any order (hsts_ramp.h,
  // partial_ages); none without a ramp.
  explicit HstsValues(const HstsSetting& setting, std::span<const Seconds> partial_ages = {});

  [[nodiscard]] bool enabled() const noexcept { return !values_.empty(); }
  // The value of the greatest age not above `reached`, else the smallest: any number is safe, so
  // that a value from shared memory and one of another configuration's ramp may be passed. Owned
  // by this object, NUL-terminated. HSTS must be enabled.
  [[nodiscard]] const char* at(Seconds reached) const noexcept {
    auto value = values_.end() - 1;
    while (value != values_.begin() && value->age > reached) --value;
    return value->text.c_str();
  }

 private:
  struct Value {
    Seconds age{0};
    std::string text;
  };
  std::vector<Value> values_;  // ascending; the last is the full age
};

enum class HstsAction : unsigned char {
  leave,   // HSTS is off: neither add a field nor remove one
  remove,  // no such field may go out
  set,     // exactly this one goes out
};

struct HstsDecision {
  HstsAction action = HstsAction::leave;
  const char* value = nullptr;  // with set only; owned by the HstsValues
};

// For one response.
//   reached        the age the ramp of this ServerName has reached; without a ramp any number, as
//                  there is one value only
//   secure         the client came over TLS (forwarded.h, came_secure). RFC 6797 7.2: never a
//                  field over anything else
//   host_is_ip     the request named an IP literal (core/dns_name.h): RFC 6797 8.1.1, such hosts
//                  are never HSTS hosts. False where the request named no host: a malformed
//                  request is answered with the field of the virtual host the client asked TLS for
[[nodiscard]] inline HstsDecision decide_hsts(const HstsValues& values, Seconds reached,
                                              bool secure, bool host_is_ip) noexcept {
  if (!values.enabled()) return {};
  if (!secure || host_is_ip) return {HstsAction::remove, nullptr};
  return {HstsAction::set, values.at(reached)};
}

}  // namespace tlsguard::web

#endif
