// SPDX-License-Identifier: Apache-2.0
// Asking an SSL_CTX what it would negotiate, by making it write a ClientHello into memory: OpenSSL
// has no getter for a context's own groups and signature algorithms. The context is not changed.
// Not to be called while another thread changes it.
#ifndef TLSGUARD_POLICY_QUESTION_H
#define TLSGUARD_POLICY_QUESTION_H

#include <openssl/err.h>

#include <cstdint>
#include <vector>

#include "core/protocol.h"
#include "crypto/openssl.h"
#include "hello/server_settings.h"

namespace tlsguard::policy {

// While one lives, a failure leaves nothing in the thread's error queue.
class Question {
 public:
  Question() { ERR_set_mark(); }
  ~Question() { ERR_pop_to_mark(); }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
};

struct AskFor {
  Protocol min = Protocol::tls1_2;
  Protocol max = Protocol::tls1_3;
  // In place of the context's own, some of every security level: else OpenSSL writes nothing where
  // nothing is left of the one kind, and the other cannot be seen.
  bool any_groups = false;
  bool any_signature_algorithms = false;
};

struct Answer {
  bool written = false;  // false: OpenSSL could not write a ClientHello
  std::vector<std::uint16_t> groups;
  std::vector<std::uint16_t> signature_algorithms;
};

[[nodiscard]] Answer ask(SSL_CTX* ctx, AskFor what);

// The context's list, TLS 1.3 suites first, less what its security level hides and what needs a
// pre-shared key. Signature algorithms play no part: what fails for want of one is for the verdict
// to say.
[[nodiscard]] std::vector<hello::Cipher> supported_ciphers(SSL_CTX* ctx);

}  // namespace tlsguard::policy

#endif
