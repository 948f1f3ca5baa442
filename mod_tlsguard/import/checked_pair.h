// SPDX-License-Identifier: Apache-2.0
// A certificate with its key, from outside: what must be true before it is taken. Pure;
// thread-safe.
#ifndef TLSGUARD_IMPORT_CHECKED_PAIR_H
#define TLSGUARD_IMPORT_CHECKED_PAIR_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "import/imported.h"

namespace tlsguard::import {

struct CheckedPair {
  store::StoredKeyPair pair;
  crypto::CertificateFacts facts;
};

// The key is of a type that is managed, and really is the certificate's (it signs for it); the
// chain is whole and in order; the certificate is for TLS servers, has a name, and is valid at now.
[[nodiscard]] Result<CheckedPair> check_pair(std::string_view chain_pem, const EVP_PKEY* key,
                                             UnixSeconds now);

// Makes the domain of its pairs; one of each key type, the one that lasts longest. wanted: its
// names in order, where they are known; those that not all certificates have are left out, with a
// note; empty: the certificates' own names. An error where there is no pair, or no name in common.
[[nodiscard]] Result<ImportedDomain> make_domain(std::string name, std::vector<CheckedPair> pairs,
                                                 const std::vector<std::string>& wanted);

}  // namespace tlsguard::import

#endif
