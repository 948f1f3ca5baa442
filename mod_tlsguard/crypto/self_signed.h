// SPDX-License-Identifier: Apache-2.0
// Certificates that sign themselves: the placeholder that mod_ssl starts with, and those that
// answer tls-alpn-01. Each has a P-256 key of its own, and is returned with it as one PEM text that
// SSLCertificateFile would take. Pure but for the random numbers; thread-safe.
#ifndef TLSGUARD_CRYPTO_SELF_SIGNED_H
#define TLSGUARD_CRYPTO_SELF_SIGNED_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

// For a virtual host that has no certificate yet. Valid for a year from the day before now; its
// issuer says that no certificate has been obtained.
[[nodiscard]] Result<std::string> make_placeholder(const std::vector<std::string>& names,
                                                   UnixSeconds now);
[[nodiscard]] bool is_placeholder(const X509* certificate);

// RFC 8737 3: exactly one name (an IP address: RFC 8738 6), and, critical, the SHA-256 of the key
// authorization. Valid for a week from the day before now.
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
