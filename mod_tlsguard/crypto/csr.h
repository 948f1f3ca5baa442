// SPDX-License-Identifier: Apache-2.0
// Certificate signing requests (RFC 2986) as ACME wants them (RFC 8555 7.4). Pure; thread-safe.
#ifndef TLSGUARD_CRYPTO_CSR_H
#define TLSGUARD_CRYPTO_CSR_H

#include <string>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

// DER. names: DNS names, wildcards, IP addresses, all of them as SAN, in this order; the first one
// is the CN too, where it is a DNS name of at most 64 characters. An error (Next::never) where one
// is no name.
[[nodiscard]] Result<std::string> make_csr_der(const std::vector<std::string>& names,
                                               const EVP_PKEY* key);

}  // namespace tlsguard::crypto

#endif
