// SPDX-License-Identifier: Apache-2.0
// The settings of one virtual host that decide whether a ClientHello succeeds: what is in force
// on its SSL_CTX, or what would be under another policy. Filled by policy/context.h from OpenSSL,
// so that no second opinion about names and bits exists. Immutable once built; then thread-safe.
#ifndef TLSGUARD_HELLO_SERVER_SETTINGS_H
#define TLSGUARD_HELLO_SERVER_SETTINGS_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/protocol.h"

namespace tlsguard::hello {

enum class KeyExchange : std::uint8_t { any, ecdhe, dhe, rsa, other };      // any: TLS 1.3
enum class Authentication : std::uint8_t { any, rsa, ecdsa, none, other };  // any: TLS 1.3

struct Cipher {
  std::uint16_t id = 0;  // IANA
  std::string name;      // OpenSSL's name
  Protocol min = Protocol::tls1_2;
  Protocol max = Protocol::tls1_2;
  KeyExchange key_exchange = KeyExchange::other;
  Authentication authentication = Authentication::other;
  int bits = 0;  // strength of the symmetric cipher
  bool aead = false;
  bool operator==(const Cipher&) const = default;
};

// ML-DSA (OpenSSL 3.5 and later): TLS 1.3 only, one SignatureScheme each (0x0904 to 0x0906).
enum class KeyType : std::uint8_t {
  rsa,
  rsa_pss,
  ecdsa,
  ed25519,
  ed448,
  mldsa44,
  mldsa65,
  mldsa87
};

// A certificate the virtual host can present, as far as the handshake cares. At most one of each
// type (OpenSSL has no room for more).
struct CertificateKey {
  KeyType type = KeyType::rsa;
  int bits = 0;
  std::uint16_t curve = 0;             // ecdsa: TLS group id of its curve, 0 if it has none
  bool may_sign = true;                // ecdsa: keyUsage is absent or has digitalSignature
  int pss_hash_bits = 0;               // rsa_pss: the one hash its parameters allow, 0 for any
  std::uint16_t issuer_signature = 0;  // SignatureScheme the certificate itself is signed with,
                                       // 0 if it is none of TLS's
  // Security bits, as SSL_CTX_set_security_level(3) counts them, of the weakest among its key,
  // the keys of its chain and their signatures (those of self-signed ones left out).
  int chain_security_bits = 256;
  bool operator==(const CertificateKey&) const = default;
};

struct ServerSettings {
  ProtocolSet protocols;
  std::vector<Cipher> ciphers;                      // TLS 1.2 and below, in order
  std::vector<Cipher> suites;                       // TLS 1.3, in order
  std::vector<std::uint16_t> groups;                // in order
  std::vector<std::uint16_t> signature_algorithms;  // SignatureScheme, in order
  int security_level = 1;                           // SSL_CTX_get_security_level
  bool server_preference = false;                   // SSL_OP_CIPHER_SERVER_PREFERENCE
  bool allow_dhe = true;                            // DH parameters exist (auto or from a file)
  int dh_security_bits = 0;                         // of those from a file; 0: OpenSSL finds some
                                                    // that fit the key and the security level
  bool require_extended_master_secret = false;
  std::vector<CertificateKey> keys;
  bool operator==(const ServerSettings&) const = default;
};

}  // namespace tlsguard::hello

#endif
