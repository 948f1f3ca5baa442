// SPDX-License-Identifier: Apache-2.0
// What the certificates of the internal CA say: each made and signed, nothing kept. Pure but for
// the random numbers; thread-safe.
#ifndef TLSGUARD_CA_PROFILES_H
#define TLSGUARD_CA_PROFILES_H

#include <string>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/openssl.h"

namespace tlsguard::ca {

inline constexpr UnixSeconds one_day = 24L * 60 * 60;
inline constexpr UnixSeconds root_lifetime = 3650 * one_day;
inline constexpr UnixSeconds intermediate_lifetime = 365 * one_day;
inline constexpr UnixSeconds leaf_lifetime = 7 * one_day;
// For clients whose clock is behind.
inline constexpr UnixSeconds clock_skew = 5L * 60;

// An issuer, not owned.
struct Signer {
  const X509* certificate = nullptr;
  const EVP_PKEY* key = nullptr;
};

// Self-signed. permitted: see InternalCaSettings.
[[nodiscard]] Result<crypto::Certificate> make_root(const EVP_PKEY* key,
                                                    const std::vector<std::string>& permitted,
                                                    UnixSeconds now);
// Does not outlive the root.
[[nodiscard]] Result<crypto::Certificate> make_intermediate(const EVP_PKEY* key, const Signer& root,
                                                            UnixSeconds now);
// An error where the intermediate would end before it.
[[nodiscard]] Result<crypto::Certificate> make_leaf(const std::vector<std::string>& names,
                                                    const EVP_PKEY* key, const Signer& intermediate,
                                                    UnixSeconds now);

}  // namespace tlsguard::ca

#endif
