// SPDX-License-Identifier: Apache-2.0
// Certificates for tests: a CA, an intermediate, leaves, made anew in each run.
#ifndef TLSGUARD_T_UNIT_ISSUED_H
#define TLSGUARD_T_UNIT_ISSUED_H

#include "suites.h"

#include <string>
#include <vector>

#include "core/unix_time.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"

namespace tlsguard::test {

inline constexpr UnixSeconds test_now = 1'800'000'000;  // 2027-01-15
inline constexpr UnixSeconds one_day = 86400;

struct Issuer {
  crypto::Key key;
  crypto::Certificate certificate;
};
// parent: nullptr for a root.
Issuer make_issuer(const std::string& common_name, const Issuer* parent);

struct LeafOptions {
  UnixSeconds from = test_now - one_day;
  UnixSeconds until = test_now + 90 * one_day;
  const char* usage = "serverAuth";
};
crypto::Certificate make_leaf(const std::vector<std::string>& names, const EVP_PKEY* key,
                              const Issuer& issuer, const LeafOptions& options = {});

// A leaf of this key and the certificate of its issuer, as PEM.
std::string chain_pem_for(const std::vector<std::string>& names, const EVP_PKEY* key,
                          const Issuer& issuer, const LeafOptions& options = {});

}  // namespace tlsguard::test

#endif
