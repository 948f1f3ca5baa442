// SPDX-License-Identifier: Apache-2.0
#include "policy/question.h"

#include <algorithm>
#include <optional>

#include "hello/client_hello.h"
#include "policy/library.h"

namespace tlsguard::policy {
namespace {

// Of every security level, for every kind of certificate.
const char* const any_signature_algorithms = "RSA+SHA512:ECDSA+SHA512:DSA+SHA512";
const char* const any_groups = "X25519:secp256r1:secp384r1:secp521r1";

// A connection with mod_ssl's callbacks taken off and every version of the range allowed.
crypto::Ssl connection(SSL_CTX* ctx, const AskFor& what) {
  crypto::Ssl ssl(SSL_new(ctx));
  if (!ssl) return ssl;
  SSL_set_info_callback(ssl.get(), nullptr);
  SSL_set_msg_callback(ssl.get(), nullptr);
  SSL_clear_options(ssl.get(), SSL_OP_NO_SSL_MASK);
  SSL_set_max_proto_version(ssl.get(), static_cast<int>(what.max));
  SSL_set_min_proto_version(ssl.get(), static_cast<int>(what.min));
  if (what.any_groups) SSL_set1_groups_list(ssl.get(), any_groups);
  if (what.any_signature_algorithms) SSL_set1_sigalgs_list(ssl.get(), any_signature_algorithms);
  return ssl;
}

// The handshake message in TLS records (RFC 8446 5.1), without their headers.
std::vector<std::uint8_t> handshake_bytes(BIO* written) {
  constexpr std::size_t record_header = 5;
  constexpr std::uint8_t handshake_record = 22;
  char* data = nullptr;
  const long size = BIO_get_mem_data(written, &data);
  std::vector<std::uint8_t> bytes(data, data + std::max(size, 0L));
  std::vector<std::uint8_t> message;
  std::size_t at = 0;
  while (at + record_header <= bytes.size() && bytes[at] == handshake_record) {
    const std::size_t length = static_cast<std::size_t>(bytes[at + 3]) << 8 | bytes[at + 4];
    const std::size_t end = std::min(bytes.size(), at + record_header + length);
    message.insert(message.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at + record_header),
                   bytes.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  return message;
}

// Empty where OpenSSL cannot write one, because nothing is left to offer.
std::vector<std::uint8_t> write_client_hello(SSL* ssl) {
  crypto::Bio in(BIO_new(BIO_s_mem()));
  crypto::Bio out(BIO_new(BIO_s_mem()));
  if (!in || !out) return {};
  BIO* written = out.get();
  SSL_set_bio(ssl, in.release(), out.release());
  if (SSL_set_ssl_method(ssl, TLS_client_method()) != 1) return {};
  SSL_set_connect_state(ssl);
  // Whether there is a group or a signature to offer must not depend on the context's ciphers.
  SSL_set_ciphersuites(ssl, "TLS_AES_256_GCM_SHA384");
  SSL_set_cipher_list(ssl, "ALL");
  if (SSL_do_handshake(ssl) == 1) return {};  // impossible: nobody answers
  return handshake_bytes(written);
}

std::vector<std::uint16_t> list_of(const std::optional<hello::CodePoints>& code_points) {
  std::vector<std::uint16_t> ids;
  for (std::size_t i = 0; code_points && i < code_points->size(); ++i) {
    ids.push_back(code_points->at(i));
  }
  return ids;
}

}  // namespace

Answer ask(SSL_CTX* ctx, AskFor what) {
  const Question question;
  Answer answer;
  const crypto::Ssl ssl = connection(ctx, what);
  if (!ssl) return answer;
  const auto message = write_client_hello(ssl.get());
  const auto hello = hello::parse_client_hello(message, false);
  if (!hello) return answer;
  answer.written = true;
  answer.groups = list_of(hello->supported_groups);
  answer.signature_algorithms = list_of(hello->signature_algorithms);
  return answer;
}

std::vector<hello::Cipher> supported_ciphers(SSL_CTX* ctx) {
  const Question question;
  std::vector<hello::Cipher> ciphers;
  AskFor everything;
  everything.min = Protocol::tls1_0;
  everything.any_signature_algorithms = true;
  const crypto::Ssl ssl = connection(ctx, everything);
  if (!ssl) return ciphers;
  STACK_OF(SSL_CIPHER)* list = SSL_get1_supported_ciphers(ssl.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    ciphers.push_back(cipher_of(sk_SSL_CIPHER_value(list, i)));
  }
  sk_SSL_CIPHER_free(list);
  return ciphers;
}

}  // namespace tlsguard::policy
