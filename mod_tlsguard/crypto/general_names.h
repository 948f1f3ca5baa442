// SPDX-License-Identifier: Apache-2.0
// The names of a certificate (RFC 5280 4.2.1.6): DNS names, wildcards among them, and IP addresses.
// Pure; thread-safe.
#ifndef TLSGUARD_CRYPTO_GENERAL_NAMES_H
#define TLSGUARD_CRYPTO_GENERAL_NAMES_H

#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

using GeneralNames = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES, GENERAL_NAMES_free>>;

// A host name of letters, digits, '-' and '_' in labels of 1 to 63 characters, 253 in all, perhaps
// with "*" as its first label (RFC 1034 3.5, RFC 6125 6.4.3). Not an IP address.
[[nodiscard]] bool is_dns_identifier(std::string_view text);
// As inet_ntop writes it; nullopt: not an IP address.
[[nodiscard]] std::optional<std::string> canonical_ip(std::string_view text);

// An error that names the first one that is neither, and where there are none.
[[nodiscard]] Result<GeneralNames> general_names(const std::vector<std::string>& names);

// What a subject may have as its CN: the first name, where it is a DNS name that fits (64
// characters, RFC 5280 A.1); else empty.
[[nodiscard]] std::string common_name_for(const std::vector<std::string>& names);

}  // namespace tlsguard::crypto

#endif
