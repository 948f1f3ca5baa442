// SPDX-License-Identifier: Apache-2.0
// What the OpenSSL that runs can do, asked name by name of a scratch SSL_CTX: OpenSSL 3.0 drops
// unknown cipher names silently and refuses a whole list for one unknown group. Owns its SSL_CTX;
// belongs to one thread at a time. About 0.1 ms to open.
#ifndef TLSGUARD_POLICY_LIBRARY_H
#define TLSGUARD_POLICY_LIBRARY_H

#include <string>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"
#include "hello/server_settings.h"
#include "policy/names.h"

namespace tlsguard::policy {

class Library {
 public:
  [[nodiscard]] static Result<Library> open();

  // The security level of a fresh SSL_CTX: how OpenSSL was built, or openssl.cnf.
  [[nodiscard]] int default_security_level() const { return default_level_; }

  // The ciphers of TLS 1.2 and below that a cipher string selects, in order; empty: none, or
  // OpenSSL refuses the string. Those that need a pre-shared key or SRP password are left out.
  [[nodiscard]] std::vector<hello::Cipher> expand(const std::string& cipher_string) const;

  [[nodiscard]] bool has_cipher(const std::string& name) const;       // a single name, not a word
  [[nodiscard]] bool has_cipher_word(const std::string& word) const;  // selects one or more
  [[nodiscard]] bool has_tls13_suite(const std::string& name) const;
  [[nodiscard]] bool has(const Group& group) const;
  [[nodiscard]] bool has(const SignatureAlgorithm& algorithm) const;

 private:
  Library(crypto::SslCtx scratch, int level)
      : scratch_(std::move(scratch)), default_level_(level) {}
  crypto::SslCtx scratch_;  // each question sets what it asks about; no answer depends on another
  int default_level_ = 0;
};

// OpenSSL's cipher as a value.
[[nodiscard]] hello::Cipher cipher_of(const SSL_CIPHER* cipher);
[[nodiscard]] bool is_tls13(const SSL_CIPHER* cipher);

}  // namespace tlsguard::policy

#endif
