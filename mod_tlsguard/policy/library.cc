// SPDX-License-Identifier: Apache-2.0
#include "policy/library.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>

namespace tlsguard::policy {
namespace {

using hello::Authentication;
using hello::Cipher;
using hello::KeyExchange;

// A failed question leaves nothing in the thread's error queue.
class Question {
 public:
  Question() { ERR_set_mark(); }
  ~Question() { ERR_pop_to_mark(); }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
};

KeyExchange key_exchange_of(const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_kx_nid(cipher)) {
    case NID_kx_any:
      return KeyExchange::any;
    case NID_kx_ecdhe:
      return KeyExchange::ecdhe;
    case NID_kx_dhe:
      return KeyExchange::dhe;
    case NID_kx_rsa:
      return KeyExchange::rsa;
    default:
      return KeyExchange::other;
  }
}

Authentication authentication_of(const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_auth_nid(cipher)) {
    case NID_auth_any:
      return Authentication::any;
    case NID_auth_rsa:
      return Authentication::rsa;
    case NID_auth_ecdsa:
      return Authentication::ecdsa;
    case NID_auth_null:
      return Authentication::none;
    default:
      return Authentication::other;
  }
}

// Neither mod_ssl nor we ever give OpenSSL a pre-shared key.
bool needs_shared_secret(const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_kx_nid(cipher)) {
    case NID_kx_psk:
    case NID_kx_dhe_psk:
    case NID_kx_ecdhe_psk:
    case NID_kx_rsa_psk:
    case NID_kx_srp:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_tls13(const SSL_CIPHER* cipher) {
  return std::strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0;
}

Cipher cipher_of(const SSL_CIPHER* cipher) {
  Cipher value;
  value.id = static_cast<std::uint16_t>(SSL_CIPHER_get_protocol_id(cipher));
  value.name = SSL_CIPHER_get_name(cipher);
  // OpenSSL names the first version a cipher exists in: SSLv3, TLSv1.0, TLSv1.2 or TLSv1.3.
  const std::string version = SSL_CIPHER_get_version(cipher);
  value.min = version == "TLSv1.3"   ? Protocol::tls1_3
              : version == "TLSv1.2" ? Protocol::tls1_2
                                     : Protocol::tls1_0;
  value.max = version == "TLSv1.3" ? Protocol::tls1_3 : Protocol::tls1_2;
  value.key_exchange = key_exchange_of(cipher);
  value.authentication = authentication_of(cipher);
  value.bits = SSL_CIPHER_get_bits(cipher, nullptr);
  value.aead = SSL_CIPHER_is_aead(cipher) == 1;
  return value;
}

Result<Library> Library::open() {
  crypto::SslCtx scratch(SSL_CTX_new(TLS_server_method()));
  if (!scratch) return fail("OpenSSL cannot make an SSL_CTX: " + crypto::drain_errors());
  const int level = SSL_CTX_get_security_level(scratch.get());
  return Library(std::move(scratch), level);
}

std::vector<Cipher> Library::expand(const std::string& cipher_string) const {
  Question question;
  std::vector<Cipher> ciphers;
  if (SSL_CTX_set_cipher_list(scratch_.get(), cipher_string.c_str()) != 1) return ciphers;
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(scratch_.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(list, i);
    if (!is_tls13(cipher) && !needs_shared_secret(cipher)) ciphers.push_back(cipher_of(cipher));
  }
  return ciphers;
}

bool Library::has_cipher(const std::string& name) const {
  std::vector<Cipher> ciphers = expand(":" + name);
  return ciphers.size() == 1 && ciphers.front().name == name;
}

bool Library::has_cipher_word(const std::string& word) const {
  Question question;
  // At the beginning of a string DEFAULT… and SUITEB… mean something else than a word.
  return SSL_CTX_set_cipher_list(scratch_.get(), (":" + word).c_str()) == 1;
}

bool Library::has_tls13_suite(const std::string& name) const {
  Question question;
  if (SSL_CTX_set_ciphersuites(scratch_.get(), name.c_str()) != 1) return false;
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(scratch_.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(list, i);
    if (is_tls13(cipher)) return name == SSL_CIPHER_get_name(cipher);
  }
  return false;
}

bool Library::has(const Group& group) const {
  Question question;
  return SSL_CTX_set1_groups_list(scratch_.get(), group.openssl_name) == 1;
}

bool Library::has(const SignatureAlgorithm& algorithm) const {
  Question question;
  return SSL_CTX_set1_sigalgs_list(scratch_.get(), algorithm.openssl_name) == 1;
}

}  // namespace tlsguard::policy
