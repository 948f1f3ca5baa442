// SPDX-License-Identifier: Apache-2.0
// Servers of every kind, from a seed: certificates, versions, lists, security levels.
#ifndef TLSGUARD_T_UNIT_RANDOM_SERVER_H
#define TLSGUARD_T_UNIT_RANDOM_SERVER_H

#include <vector>

#include "random_offer.h"
#include "tls_server.h"

namespace tlsguard::test {

// Certificates of every type, and some that are odd in one way.
class Identities {
 public:
  Identities();
  [[nodiscard]] const Identity& rsa() const { return rsa_.front(); }
  [[nodiscard]] const Identity& p256() const { return ecdsa_[0]; }
  [[nodiscard]] const Identity& p384() const { return ecdsa_[1]; }
  // At most one of each type; the plain ones most of the time.
  std::vector<const Identity*> random(Random& random) const;

 private:
  Identity rsa_issuer_;
  Identity ec_issuer_;
  std::vector<Identity> rsa_;
  std::vector<Identity> ecdsa_;
  std::vector<Identity> other_;
};

ServerSpec random_spec(Random& random, const Identities& identities);

}  // namespace tlsguard::test

#endif
