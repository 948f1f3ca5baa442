// SPDX-License-Identifier: Apache-2.0
#include "tls_server.h"

#include "suites.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "policy/context.h"

namespace tlsguard::test {
namespace {

using KeyCtx = std::unique_ptr<EVP_PKEY_CTX, crypto::Deleter<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using hello::Bytes;
using hello::CodePoints;

Key generate(KeyCtx context) {
  EVP_PKEY* key = nullptr;
  ck_assert_int_gt(EVP_PKEY_generate(context.get(), &key), 0);
  return Key(key);
}

KeyCtx generator(const char* type) {
  KeyCtx context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  ck_assert(context != nullptr && EVP_PKEY_keygen_init(context.get()) > 0);
  return context;
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  ck_assert(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Versions within the bounds and not switched off, as far as the security level lets them be, on
// which OpenSSL changed its mind in the 3.x.
ProtocolSet protocols_of(const ServerSpec& spec, SSL_CTX* context) {
  crypto::Ssl ssl(SSL_new(context));
  auto allowed = SSL_CTX_get_security_callback(context);
  ProtocolSet set;
  for (Protocol p : all_protocols) {
    int number = static_cast<int>(p);
    if (number < spec.min || number > spec.max) continue;
    if (allowed(ssl.get(), nullptr, SSL_SECOP_VERSION, 0, number, nullptr, nullptr)) set.add(p);
  }
  if (spec.options & SSL_OP_NO_TLSv1) set.remove(Protocol::tls1_0);
  if (spec.options & SSL_OP_NO_TLSv1_1) set.remove(Protocol::tls1_1);
  if (spec.options & SSL_OP_NO_TLSv1_2) set.remove(Protocol::tls1_2);
  if (spec.options & SSL_OP_NO_TLSv1_3) set.remove(Protocol::tls1_3);
  return set;
}

hello::KeyExchange key_exchange_of(const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_kx_nid(cipher)) {
    case NID_kx_any:
      return hello::KeyExchange::any;
    case NID_kx_ecdhe:
      return hello::KeyExchange::ecdhe;
    case NID_kx_dhe:
      return hello::KeyExchange::dhe;
    case NID_kx_rsa:
      return hello::KeyExchange::rsa;
    default:
      return hello::KeyExchange::other;
  }
}

hello::Authentication authentication_of(const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_auth_nid(cipher)) {
    case NID_auth_any:
      return hello::Authentication::any;
    case NID_auth_rsa:
      return hello::Authentication::rsa;
    case NID_auth_ecdsa:
      return hello::Authentication::ecdsa;
    case NID_auth_null:
      return hello::Authentication::none;
    default:
      return hello::Authentication::other;
  }
}

void add_ciphers(SSL_CTX* context, hello::ServerSettings& settings) {
  auto allowed = SSL_CTX_get_security_callback(context);
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(list, i);
    int bits = SSL_CIPHER_get_bits(cipher, nullptr);
    if (!allowed(nullptr, context, SSL_SECOP_CIPHER_SHARED, bits, 0,
                 const_cast<SSL_CIPHER*>(cipher), nullptr)) {
      continue;
    }
    hello::Cipher c;
    c.id = SSL_CIPHER_get_protocol_id(cipher);
    c.name = SSL_CIPHER_get_name(cipher);
    c.key_exchange = key_exchange_of(cipher);
    c.authentication = authentication_of(cipher);
    std::string version = SSL_CIPHER_get_version(cipher);
    if (version == "TLSv1.3") {
      settings.suites.push_back(c);
    } else {
      c.min = version == "TLSv1.2" ? Protocol::tls1_2 : Protocol::tls1_0;
      settings.ciphers.push_back(c);
    }
  }
}

std::vector<std::uint16_t> to_vector(const std::optional<CodePoints>& list) {
  std::vector<std::uint16_t> result;
  for (std::size_t i = 0; list && i < list->size(); ++i) result.push_back(list->at(i));
  return result;
}

struct AlertSeen {
  int description = -1;
};

void see_alert(int write, int, int content_type, const void* data, std::size_t size, SSL*,
               void* seen) {
  if (write != 1 || content_type != SSL3_RT_ALERT || size != 2) return;
  static_cast<AlertSeen*>(seen)->description = static_cast<const std::uint8_t*>(data)[1];
}

std::vector<std::uint8_t> drain(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  std::vector<std::uint8_t> bytes(data, data + size);
  BIO_reset(bio);
  return bytes;
}

int no_server_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_NOACK; }

// The first record is a HelloRetryRequest, by its random.
bool asks_again(const std::vector<std::uint8_t>& output) {
  constexpr std::uint8_t retry[] = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11};
  return output.size() > 19 && output[0] == 22 && output[5] == 2 &&
         std::equal(std::begin(retry), std::end(retry), output.begin() + 11);
}

}  // namespace

Key make_rsa(unsigned bits) {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)));
  ck_assert(key != nullptr);
  return key;
}

Key make_rsa_pss(unsigned bits, const char* digest) {
  KeyCtx context = generator("RSA-PSS");
  ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)), 0);
  if (digest != nullptr) {
    const EVP_MD* md = EVP_get_digestbyname(digest);
    ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_keygen_md(context.get(), md), 0);
    ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context.get(), md), 0);
    ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context.get(), EVP_MD_get_size(md)),
                     0);
  }
  return generate(std::move(context));
}

Key make_ec(const char* curve) {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  ck_assert(key != nullptr);
  return key;
}

Key make_dh(const char* group) {
  std::string name = group;
  KeyCtx context = generator("DH");
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
      OSSL_PARAM_construct_end()};
  ck_assert_int_gt(EVP_PKEY_CTX_set_params(context.get(), parameters), 0);
  return generate(std::move(context));
}

Key make_key(const char* type) { return generate(generator(type)); }

Identity make_identity(std::string name, Key key, hello::CertificateKey facts,
                       const CertificateRequest& request) {
  Identity identity{std::move(name), std::move(key), nullptr, facts};
  identity.certificate.reset(X509_new());
  X509* x = identity.certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(identity.name.c_str()), -1, -1,
                             0);
  const Identity& issuer = request.issuer != nullptr ? *request.issuer : identity;
  X509_set_issuer_name(x, X509_get_subject_name(issuer.certificate.get()));
  X509_set_pubkey(x, identity.key.get());
  if (request.key_usage != nullptr) add_extension(x, NID_key_usage, request.key_usage);
  const EVP_MD* md = request.digest != nullptr ? EVP_get_digestbyname(request.digest) : nullptr;
  ck_assert_int_gt(X509_sign(x, issuer.key.get(), md), 0);
  identity.facts.bits = EVP_PKEY_get_bits(identity.key.get());
  identity.facts.chain_security_bits = EVP_PKEY_get_security_bits(identity.key.get());
  // OpenSSL 3.6 and later do not look at signatures in what they send.
  if (request.issuer != nullptr && OpenSSL_version_num() < 0x30600000UL) {
    int bits = 0;  // where OpenSSL does not know the signature
    if (!X509_get_signature_info(x, nullptr, nullptr, &bits, nullptr)) bits = 0;
    identity.facts.chain_security_bits = std::min(identity.facts.chain_security_bits, bits);
  }
  return identity;
}

std::string describe(const ServerSpec& spec) {
  std::string keys;
  for (const Identity* identity : spec.identities) keys += " " + identity->name;
  return fmt::format(
      "min {:x} max {:x} options {:x} ciphers {} suites {} groups {} sigalgs {} level {} dh {} "
      "keys{}",
      spec.min, spec.max, spec.options, spec.ciphers, spec.suites, spec.groups, spec.sigalgs,
      spec.security_level,
      spec.dh_1536   ? "1536"
      : spec.dh_auto ? "auto"
                     : "none",
      keys);
}

Server make_server(const ServerSpec& spec) {
  Server server{spec, crypto::SslCtx(SSL_CTX_new(TLS_server_method())), {}, {}};
  SSL_CTX* context = server.context.get();
  ck_assert(SSL_CTX_set_min_proto_version(context, spec.min) &&
            SSL_CTX_set_max_proto_version(context, spec.max));
  SSL_CTX_clear_options(context, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
  SSL_CTX_set_options(context, spec.options);
  // First what a level raised later, as by a policy, leaves where it is.
  SSL_CTX_set_security_level(context, 0);
  if (spec.dh_1536) ck_assert(SSL_CTX_set0_tmp_dh_pkey(context, make_dh("modp_1536").release()));
  for (const Identity* identity : spec.identities) {
    ck_assert_msg(SSL_CTX_use_cert_and_key(context, identity->certificate.get(),
                                           identity->key.get(), nullptr, 1) == 1,
                  "%s", identity->name.c_str());
    server.settings.keys.push_back(identity->facts);
  }
  ck_assert_msg(SSL_CTX_set_cipher_list(context, spec.ciphers.c_str()), "%s", spec.ciphers.c_str());
  ck_assert(SSL_CTX_set_ciphersuites(context, spec.suites.c_str()));
  if (!spec.groups.empty()) ck_assert(SSL_CTX_set1_groups_list(context, spec.groups.c_str()));
  if (!spec.sigalgs.empty()) ck_assert(SSL_CTX_set1_sigalgs_list(context, spec.sigalgs.c_str()));
  SSL_CTX_set_security_level(context, spec.security_level);
  if (!spec.dh_1536) SSL_CTX_set_dh_auto(context, spec.dh_auto ? 1 : 0);
  // mod_ssl has one; with it OpenSSL does not look at the certificates to see whether TLS 1.3 is
  // to be had.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(no_server_name));

  hello::ServerSettings& settings = server.settings;
  settings.protocols = protocols_of(spec, context);
  add_ciphers(context, settings);
  // Whatever the server speaks: a client that has a hole in its versions, or TLS 1.3 alone, leaves
  // out groups and algorithms that the server would use.
  std::vector<std::uint8_t> message = client_hello_of(context, [](SSL* ssl) {
    SSL_clear_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
    SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_3_VERSION);
  });
  auto own = hello::parse_client_hello(message, false);
  ck_assert(own.has_value());
  settings.groups = to_vector(own->supported_groups);
  settings.signature_algorithms = to_vector(own->signature_algorithms);
  settings.security_level = spec.security_level;
  settings.server_preference = (spec.options & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0;
  settings.allow_dhe = spec.dh_auto || spec.dh_1536;
  settings.dh_security_bits = spec.dh_1536 ? 80 : 0;

  auto read = policy::read_back(context);
  ck_assert_msg(read.has_value(), "%s", read ? "" : read.error().text.c_str());
  server.read_back = *read;
  server.read_back.keys = policy::keys_of(context);
  // No context says which DH parameters it has.
  server.read_back.allow_dhe = settings.allow_dhe;
  server.read_back.dh_security_bits = settings.dh_security_bits;
  return server;
}

Answer ask(const Server& server, const std::vector<std::uint8_t>& records, const Next& next) {
  crypto::Ssl ssl(SSL_new(server.context.get()));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl.get(), in, out);
  AlertSeen seen;
  SSL_set_msg_callback(ssl.get(), see_alert);
  SSL_set_msg_callback_arg(ssl.get(), &seen);
  ERR_clear_error();
  BIO_write(in, records.data(), static_cast<int>(records.size()));
  int result = SSL_accept(ssl.get());
  Answer answer;
  answer.output = drain(out);
  answer.retry = asks_again(answer.output);
  if (answer.retry && next) {
    std::vector<std::uint8_t> more = next(answer.output);
    BIO_write(in, more.data(), static_cast<int>(more.size()));
    result = SSL_accept(ssl.get());
    answer.output = drain(out);
    answer.retry = false;
  }
  answer.alert = seen.description;
  while (unsigned long error = ERR_get_error()) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) continue;
    answer.reason = ERR_GET_REASON(error);
    const char* text = ERR_reason_error_string(error);
    answer.error = text != nullptr ? text : "";
  }
  ck_assert_int_le(result, 0);  // no client has finished anything here
  bool waits = SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ;
  ck_assert_int_eq(waits, seen.description < 0);
  answer.accepted = waits && !answer.output.empty();
  return answer;
}

std::vector<std::uint8_t> client_hello_of(SSL_CTX* context,
                                          const std::function<void(SSL*)>& prepare) {
  crypto::Ssl ssl(SSL_new(context));
  SSL_set_ssl_method(ssl.get(), TLS_client_method());
  if (prepare) prepare(ssl.get());
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  SSL_do_handshake(ssl.get());
  std::vector<std::uint8_t> records = drain(out);
  ERR_clear_error();
  if (records.size() < 9) return {};
  return {records.begin() + 5, records.end()};
}

}  // namespace tlsguard::test
