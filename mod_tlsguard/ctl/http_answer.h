// SPDX-License-Identifier: Apache-2.0
// As much of HTTP as a probe needs: one request, the header of one response, and the field
// Strict-Transport-Security in it. Untrusted bytes; pure and thread-safe.
#ifndef TLSGUARD_CTL_HTTP_ANSWER_H
#define TLSGUARD_CTL_HTTP_ANSWER_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "ctl/facts.h"

namespace tlsguard::ctl {

inline constexpr std::size_t max_http_header = 65536;

// GET / with Connection: close. host: as in the Host field, with the port where it is not 443 or,
// in clear, 80.
[[nodiscard]] std::string http_request(const std::string& host);

// True once the header is complete, or will never be one.
[[nodiscard]] bool http_header_ends(std::string_view received);
// nullopt: not the header of an HTTP/1 response (RFC 9112). At most 16 fields of one name are kept.
[[nodiscard]] std::optional<HttpFacts> parse_http_answer(std::string_view received);

struct HstsField {
  std::uint64_t max_age = 0;  // seconds; more than 19 digits count as the largest number
  bool include_sub_domains = false;
  bool preload = false;
  bool operator==(const HstsField&) const = default;
};
// By the grammar of RFC 6797 6.1; the error says what a browser would ignore the field for.
[[nodiscard]] Result<HstsField> parse_hsts_field(std::string_view value);

}  // namespace tlsguard::ctl

#endif
