// SPDX-License-Identifier: Apache-2.0
// What the OpenSSL that runs can do, asked name by name: OpenSSL 3.0 drops unknown cipher names
// silently and refuses a whole list for one unknown group.
#ifndef TLSGUARD_POLICY_LIBRARY_H
#define TLSGUARD_POLICY_LIBRARY_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"
#include "hello/server_settings.h"
#include "policy/names.h"

namespace tlsguard::policy {

// At security level 0, with the providers of openssl.cnf. Immutable; any thread.
struct Capabilities {
  int default_security_level = 0;           // of a fresh SSL_CTX: OpenSSL's build, or openssl.cnf
  std::vector<hello::Cipher> ciphers;       // TLS 1.2 and below; none with a pre-shared key or SRP
  std::vector<std::string> suites;          // TLS 1.3
  std::vector<std::uint16_t> groups;        // those of policy/names.h
  std::vector<std::uint16_t> groups_tls12;  // of them, for key exchange in TLS 1.2 and below
  std::vector<std::uint16_t> groups_tls13;
  std::vector<std::uint16_t> signature_algorithms;

  [[nodiscard]] const hello::Cipher* cipher(std::string_view name) const;  // nullptr: lacks it
  [[nodiscard]] bool has_suite(const std::string& name) const;
  [[nodiscard]] bool has(const Group& group) const;
  [[nodiscard]] bool has(const SignatureAlgorithm& algorithm) const;
};

// Asked once in the life of the process, which takes a few milliseconds, and kept. An error: this
// OpenSSL cannot make an SSL_CTX.
[[nodiscard]] const Result<Capabilities>& capabilities();

// Cipher strings, tried on an SSL_CTX of its own. Belongs to one thread at a time.
class CipherStrings {
 public:
  [[nodiscard]] static Result<CipherStrings> open();

  // The ciphers of TLS 1.2 and below that a string selects, in order; empty: none, or OpenSSL
  // refuses the string. Those with a pre-shared key or SRP are left out.
  [[nodiscard]] std::vector<hello::Cipher> expand(const std::string& cipher_string) const;
  // Whether a single name or word selects anything.
  [[nodiscard]] bool knows(const std::string& word) const;

 private:
  explicit CipherStrings(crypto::SslCtx scratch) : scratch_(std::move(scratch)) {}
  crypto::SslCtx scratch_;  // each question sets the list anew
};

// OpenSSL's cipher as a value.
[[nodiscard]] hello::Cipher cipher_of(const SSL_CIPHER* cipher);

}  // namespace tlsguard::policy

#endif
