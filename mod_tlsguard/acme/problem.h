// SPDX-License-Identifier: Apache-2.0
// What a CA says went wrong (RFC 7807, RFC 8555 6.7), and what that means for the caller. Untrusted
// bytes; pure, thread-safe.
#ifndef TLSGUARD_ACME_PROBLEM_H
#define TLSGUARD_ACME_PROBLEM_H

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/types.h"
#include "core/error.h"
#include "net/http_client.h"

namespace tlsguard::acme {

// "rateLimited" of "urn:ietf:params:acme:error:rateLimited"; empty: no error of ACME's.
[[nodiscard]] std::string problem_kind(std::string_view type);

// Never fails: what is missing or of the wrong type is left empty, texts are made plain and short.
[[nodiscard]] Problem read_problem(const nlohmann::json& object);

// As client.h says of errors. retry_after: seconds; nullopt: the CA does not say.
[[nodiscard]] Error to_error(const Problem& problem, std::optional<std::int64_t> retry_after);

// A response that is no success, with its problem document where there is one.
struct Refusal {
  Problem problem;
  Error error;
  std::vector<std::string> algorithms;  // of badSignatureAlgorithm (RFC 8555 6.2): what it takes
};
// now: for a Retry-After where the response has no Date.
[[nodiscard]] Refusal read_refusal(const net::HttpResponse& response, UnixSeconds now);

}  // namespace tlsguard::acme

#endif
