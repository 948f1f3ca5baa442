// SPDX-License-Identifier: Apache-2.0
// Certificates that sign themselves: the placeholder that mod_ssl starts with, and those that
// answer tls-alpn-01. Each is returned with its P-256 key as one PEM text that SSLCertificateFile
// would take. Pure but for the random numbers; functions are thread-safe.
#ifndef TLSGUARD_CRYPTO_SELF_SIGNED_H
#define TLSGUARD_CRYPTO_SELF_SIGNED_H

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/certificate_builder.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

// For virtual hosts that have no certificate yet. Valid for a year from the day before now; the
// issuer says that no certificate has been obtained. All of one object have its key: none of them
// protects anything, and a key for each is most of what a start with many virtual hosts would take.
// One thread at a time.
class Placeholders {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Placeholders>> make(UnixSeconds now);
  [[nodiscard]] Result<std::string> pem_for(const std::vector<std::string>& names);

 private:
  Placeholders(Key key, std::string key_pem, UnixSeconds now);
  Key key_;
  std::string key_pem_;
  CertificateBuilder builder_;
};
[[nodiscard]] bool is_placeholder(const X509* certificate);

// RFC 8737 3: exactly one name (an IP address: RFC 8738 6), and, critical, the SHA-256 of the key
// authorization. Valid for a week from the day before now. Those of one thread have one key, which
// proves nothing.
[[nodiscard]] Result<std::string> make_alpn_certificate_pem(const std::string& name,
                                                            std::string_view key_authorization,
                                                            UnixSeconds now);

struct KeyAndCertificate {
  Key key;
  Certificate certificate;
};
// What the two above return.
[[nodiscard]] Result<KeyAndCertificate> key_and_certificate_from_pem(std::string_view pem);

}  // namespace tlsguard::crypto

#endif
