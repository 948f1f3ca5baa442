// SPDX-License-Identifier: Apache-2.0
// Names of ciphers by their code points, as this OpenSSL spells them, enabled or not. One thread at
// a time for each object.
#ifndef TLSGUARD_POLICY_CIPHER_IDS_H
#define TLSGUARD_POLICY_CIPHER_IDS_H

#include <cstdint>
#include <string>

#include "crypto/openssl.h"

namespace tlsguard::policy {

class CipherNames {
 public:
  CipherNames();
  // "0x1234" where it has none.
  [[nodiscard]] std::string operator()(std::uint16_t id) const;

 private:
  crypto::SslCtx context_;
  crypto::Ssl ssl_;
};

}  // namespace tlsguard::policy

#endif
