// SPDX-License-Identifier: Apache-2.0
#include "policy/library.h"

#include <openssl/err.h>

#include <algorithm>
#include <optional>

#include "core/text.h"
#include "policy/cipher_names.h"
#include "policy/question.h"

namespace tlsguard::policy {
namespace {

using hello::Authentication;
using hello::Cipher;
using hello::KeyExchange;

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

std::vector<Cipher> ciphers_of(SSL_CTX* ctx, bool tls13) {
  std::vector<Cipher> ciphers;
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(ctx);
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(list, i);
    if (needs_shared_secret(cipher)) continue;
    Cipher value = cipher_of(cipher);
    if ((value.min == Protocol::tls1_3) == tls13) ciphers.push_back(std::move(value));
  }
  return ciphers;
}

void ask_for_suites(SSL_CTX* ctx, Capabilities& can) {
  for (const std::string& name : known_tls13_suites()) {
    if (SSL_CTX_set_ciphersuites(ctx, name.c_str()) != 1) continue;
    if (!ciphers_of(ctx, true).empty()) can.suites.push_back(name);
  }
  // A suite newer than our table, if it is on by default.
  SSL_CTX_set_ciphersuites(ctx, TLS_DEFAULT_CIPHERSUITES);
  for (const Cipher& suite : ciphers_of(ctx, true)) {
    if (!can.has_suite(suite.name)) can.suites.push_back(suite.name);
  }
}

void ask_for_groups(SSL_CTX* ctx, Capabilities& can) {
  for (const std::string& name : all_group_names()) {
    const Group* group = find_group(name);
    if (SSL_CTX_set1_groups_list(ctx, group->openssl_name) == 1) can.groups.push_back(group->id);
  }
  SSL_CTX_set1_groups_list(ctx, groups_list(can.groups).c_str());
  can.groups_tls12 = ask(ctx, {Protocol::tls1_2, Protocol::tls1_2}).groups;
  can.groups_tls13 = ask(ctx, {Protocol::tls1_3, Protocol::tls1_3}).groups;
}

void ask_for_signature_algorithms(SSL_CTX* ctx, Capabilities& can) {
  for (const std::string& name : all_signature_algorithm_names()) {
    const SignatureAlgorithm* algorithm = find_signature_algorithm(name);
    if (SSL_CTX_set1_sigalgs_list(ctx, algorithm->openssl_name) == 1) {
      can.signature_algorithms.push_back(algorithm->id);
    }
  }
}

Result<Capabilities> ask_everything() {
  const Question question;
  crypto::SslCtx scratch(SSL_CTX_new(TLS_server_method()));
  if (!scratch) return fail("OpenSSL cannot make an SSL_CTX: " + crypto::drain_errors());
  Capabilities can;
  can.default_security_level = SSL_CTX_get_security_level(scratch.get());
  SSL_CTX_set_security_level(scratch.get(), 0);
  if (SSL_CTX_set_cipher_list(scratch.get(), "ALL:COMPLEMENTOFALL") == 1) {
    can.ciphers = ciphers_of(scratch.get(), false);
  }
  ask_for_suites(scratch.get(), can);
  ask_for_groups(scratch.get(), can);
  ask_for_signature_algorithms(scratch.get(), can);
  return can;
}

bool contains(const std::vector<std::uint16_t>& ids, std::uint16_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

Cipher cipher_of(const SSL_CIPHER* cipher) {
  Cipher value;
  value.id = static_cast<std::uint16_t>(SSL_CIPHER_get_protocol_id(cipher));
  value.name = SSL_CIPHER_get_name(cipher);
  // OpenSSL names the first version a cipher exists in: SSLv3, TLSv1.0, TLSv1.2 or TLSv1.3.
  const std::string_view version = SSL_CIPHER_get_version(cipher);
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

const Cipher* Capabilities::cipher(std::string_view name) const {
  auto found = std::find_if(ciphers.begin(), ciphers.end(),
                            [&](const Cipher& cipher) { return cipher.name == name; });
  return found != ciphers.end() ? &*found : nullptr;
}

bool Capabilities::has_suite(const std::string& name) const {
  return std::find(suites.begin(), suites.end(), name) != suites.end();
}

bool Capabilities::has(const Group& group) const { return contains(groups, group.id); }

bool Capabilities::has(const SignatureAlgorithm& algorithm) const {
  return contains(signature_algorithms, algorithm.id);
}

const Result<Capabilities>& capabilities() {
  static const Result<Capabilities> asked_once = ask_everything();
  return asked_once;
}

Result<CipherStrings> CipherStrings::open() {
  crypto::SslCtx scratch(SSL_CTX_new(TLS_server_method()));
  if (!scratch) return fail("OpenSSL cannot make an SSL_CTX: " + crypto::drain_errors());
  return CipherStrings(std::move(scratch));
}

std::vector<Cipher> CipherStrings::expand(const std::string& cipher_string) const {
  const Question question;
  if (SSL_CTX_set_cipher_list(scratch_.get(), cipher_string.c_str()) != 1) return {};
  return ciphers_of(scratch_.get(), false);
}

bool CipherStrings::knows(const std::string& word) const {
  const Question question;
  // At the beginning of a string DEFAULT… and SUITEB… mean something else than a word.
  return SSL_CTX_set_cipher_list(scratch_.get(), (":" + word).c_str()) == 1;
}

}  // namespace tlsguard::policy
