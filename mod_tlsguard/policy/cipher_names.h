// SPDX-License-Identifier: Apache-2.0
// The names of cipher suites that the world knows, whatever this OpenSSL was built with, and what
// a name says about strength. Static tables; thread-safe.
#ifndef TLSGUARD_POLICY_CIPHER_NAMES_H
#define TLSGUARD_POLICY_CIPHER_NAMES_H

#include <string>
#include <string_view>
#include <vector>

namespace tlsguard::policy {

// A cipher of TLS 1.2 or below that some release of OpenSSL has or had under this name.
[[nodiscard]] bool is_known_cipher(std::string_view name);
// A word of cipher lists that stands for a group of ciphers in some release of OpenSSL: HIGH,
// EXPORT, kEDH …
[[nodiscard]] bool is_known_cipher_word(std::string_view word);
// For suggestions: words and names of both functions above.
[[nodiscard]] std::vector<std::string> known_cipher_names();

// A TLS 1.3 suite of IANA's registry: its name there; empty: nobody knows it. Case-insensitive.
[[nodiscard]] std::string_view known_tls13_suite(std::string_view name);
[[nodiscard]] std::vector<std::string> known_tls13_suites();

// What the name of a cipher says, OpenSSL's for TLS 1.2 and below or IANA's for TLS 1.3.
struct CipherStrength {
  int bits = 0;  // of the symmetric key; 112 for 3DES. A short tag (CCM8) does not count here
  bool aead = false;
  bool forward_secrecy = false;
};
[[nodiscard]] CipherStrength cipher_strength(std::string_view name);

}  // namespace tlsguard::policy

#endif
