// SPDX-License-Identifier: Apache-2.0
// Name constraints of the internal CA's root (RFC 5280 4.2.1.10). Pure; thread-safe.
#ifndef TLSGUARD_CA_CONSTRAINTS_H
#define TLSGUARD_CA_CONSTRAINTS_H

#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"

namespace tlsguard::ca {

using Constraints =
    std::unique_ptr<NAME_CONSTRAINTS, crypto::Deleter<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>>;

// permitted: DNS names ("example.org" and "*.example.org" both permit it and all below), IP
// addresses, networks ("10.0.0.0/8"). A kind of name of which none is permitted is excluded whole.
[[nodiscard]] Result<Constraints> make_constraints(const std::vector<std::string>& permitted);

// An error (Next::never) where the root excludes a name of the leaf; it says what is permitted.
[[nodiscard]] Result<void> check_permitted(const X509* root, const X509* leaf);

}  // namespace tlsguard::ca

#endif
