// SPDX-License-Identifier: Apache-2.0
// Signed requests (RFC 8555 6.2): JWS (RFC 7515), flattened, with keys as JWK (RFC 7517, RFC 7518).
#ifndef TLSGUARD_ACME_JWS_H
#define TLSGUARD_ACME_JWS_H

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "crypto/openssl.h"

namespace tlsguard::acme {

// What a protected header says beside the algorithm. Empty members are left out; where kid is
// empty, a signer puts its own JWK in its place.
struct JwsHeader {
  std::string_view kid;
  std::string_view nonce;
  std::string_view url;
};

// An account's key, with what is needed of it for each request made once. Immutable; thread-safe.
class Signer {
 public:
  // P-256 (ES256), P-384 (ES384) or RSA (RS256).
  [[nodiscard]] static Result<std::shared_ptr<const Signer>> make(crypto::Key key);

  // The flattened JSON serialization.
  [[nodiscard]] Result<std::string> sign(const JwsHeader& header, std::string_view payload) const;
  // As JSON, in the form that the thumbprint is made of (RFC 7638 3).
  [[nodiscard]] const std::string& jwk() const { return jwk_; }
  // base64url of the SHA-256 of it.
  [[nodiscard]] const std::string& thumbprint() const { return thumbprint_; }

 private:
  Signer() = default;
  [[nodiscard]] Result<std::string> signature(std::string_view input) const;

  crypto::Key key_;
  const char* algorithm_ = nullptr;  // "ES256"
  const EVP_MD* digest_ = nullptr;
  int curve_bytes_ = 0;  // of each half of a signature; 0: RSA
  std::string jwk_;
  std::string thumbprint_;
};

// HS256, HS384, HS512: for external accounts (RFC 8555 7.3.4). An error for another algorithm, and
// where the key is shorter than the hash of the latter two (RFC 7518 3.2).
[[nodiscard]] Result<std::string> sign_with_hmac(std::span<const std::uint8_t> key,
                                                 std::string_view algorithm,
                                                 const JwsHeader& header, std::string_view payload);

}  // namespace tlsguard::acme

#endif
