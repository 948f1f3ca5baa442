// SPDX-License-Identifier: Apache-2.0
// The CAs that have a name of their own in TLSGuardCA. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_SPEC_CA_H
#define TLSGUARD_RENEW_SPEC_CA_H

#include <optional>
#include <span>
#include <string_view>

#include "core/error.h"
#include "renew/spec.h"

namespace tlsguard::renew {

struct KnownCa {
  std::string_view name;
  std::string_view url;        // of its directory (RFC 8555 7.1.1); empty: built in
  bool offers_ocsp = false;    // its certificates name a responder (RFC 6960)
  bool wants_account = false;  // an external account (RFC 8555 7.3.4)
};

[[nodiscard]] std::span<const KnownCa> known_cas();

// A known name, any case, or the https URL of a directory. The error lists what is valid.
[[nodiscard]] Result<CaSpec> parse_ca(std::string_view text);

// By name or by URL; nullptr: some other CA.
[[nodiscard]] const KnownCa* find_known_ca(const CaSpec& ca);

}  // namespace tlsguard::renew

#endif
