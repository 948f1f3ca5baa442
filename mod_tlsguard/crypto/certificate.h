// SPDX-License-Identifier: Apache-2.0
// Certificates and chains: read, looked at, checked. Thread-safe: no shared state.
#ifndef TLSGUARD_CRYPTO_CERTIFICATE_H
#define TLSGUARD_CRYPTO_CERTIFICATE_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/openssl.h"

namespace tlsguard::crypto {

// The leaf first, then each issuer of the one before (RFC 8446 4.4.2).
using Chain = std::vector<Certificate>;

inline constexpr std::size_t max_chain_pem = 256UL * 1024;
inline constexpr std::size_t max_chain_length = 10;

// A PEM chain (RFC 8555 9.1). An error where any block is something else than CERTIFICATE (a key
// that a CA, or a mistake, put in), where it is empty, or beyond the bounds above.
[[nodiscard]] Result<Chain> parse_chain(std::string_view pem);
// The first certificate of a file that may hold others, parameters and keys, too (mod_ssl's
// SSLCertificateFile); of those nothing is read.
[[nodiscard]] Result<Certificate> first_certificate(std::string_view pem);
[[nodiscard]] Result<std::string> certificate_to_pem(const X509* certificate);
[[nodiscard]] Result<std::string> chain_to_pem(const Chain& chain);

struct CertificateFacts {
  std::vector<std::string> dns_names;     // lower case, wildcards as "*.example.org"
  std::vector<std::string> ip_addresses;  // as inet_ntop writes them
  std::string serial;                     // hex, lower case, without leading zeros
  std::string issuer;                     // its CN, else its whole name
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::string key_type;   // key_type_name, or OpenSSL's word for another type
  bool has_ocsp = false;  // an OCSP responder is named (RFC 6960)
  std::string sha256;     // fingerprint, hex
  bool operator==(const CertificateFacts&) const = default;

  // Exact, or by a wildcard for exactly one label (RFC 6125 6.4.3). name: lower case, or an IP
  // address.
  [[nodiscard]] bool covers(std::string_view name) const;
};
[[nodiscard]] Result<CertificateFacts> facts_of(const X509* certificate);

// Whether one of the chain's certificates has this issuer (CertificateFacts::issuer, in any case).
[[nodiscard]] bool leads_to(const Chain& chain, std::string_view issuer);

// What must hold before a chain is served: the key belongs to the leaf; each certificate is signed
// by the next; no key and no signature is weaker than every policy allows (112 bits, OpenSSL's
// security level 2); the leaf covers all names, is within its dates at now, and may be used for TLS
// servers. Trust in a root is not asked: this is the server's side.
[[nodiscard]] Result<void> check_servable(const Chain& chain, const EVP_PKEY* key,
                                          const std::vector<std::string>& names, UnixSeconds now);

}  // namespace tlsguard::crypto

#endif
