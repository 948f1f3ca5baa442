// SPDX-License-Identifier: Apache-2.0
// Fields of a response that say what to do next. Untrusted text; pure, thread-safe.
#ifndef TLSGUARD_NET_RESPONSE_FIELDS_H
#define TLSGUARD_NET_RESPONSE_FIELDS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/unix_time.h"
#include "net/http_client.h"

namespace tlsguard::net {

inline constexpr std::int64_t max_retry_after = 366LL * 24 * 3600;

// Seconds to wait (RFC 9110 10.2.3); 0 for a date in the past; larger numbers count as
// max_retry_after. A date is held against the response's own Date, so that our clock does not
// matter; without one against now. nullopt: the field is missing or unreadable.
[[nodiscard]] std::optional<std::int64_t> retry_after(const HttpResponse& response,
                                                      UnixSeconds now);

// The targets of the Link fields (RFC 8288) with this relation (lower case), in order, `limit` at
// most; they are as untrusted as the response. What is malformed is passed over.
[[nodiscard]] std::vector<std::string> links(const HttpResponse& response,
                                             std::string_view relation, std::size_t limit);

// The media type in lower case, without parameters; empty: none.
[[nodiscard]] std::string media_type(const HttpResponse& response);

}  // namespace tlsguard::net

#endif
