// SPDX-License-Identifier: Apache-2.0
// The ClientHello parser and the verdict. What OpenSSL's server accepts must have been parsed and
// found ok: anything else would be a way around the policy.
// Input: one byte that chooses the server and the format, then the body of the message.
#include <openssl/err.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "crypto/openssl.h"
#include "hello/client_hello.h"
#include "hello/fingerprint.h"
#include "hello/offer.h"
#include "hello/verdict.h"
#include "policy/context.h"

namespace {

using namespace tlsguard;
using hello::Bytes;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

struct Server {
  crypto::SslCtx context;
  hello::ServerSettings settings;
};

void add_certificate(SSL_CTX* context, crypto::Key key) {
  crypto::Certificate certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400);
  X509_set_pubkey(x, key.get());
  require(X509_sign(x, key.get(), EVP_sha256()) > 0, "signing");
  require(SSL_CTX_use_cert_and_key(context, x, key.get(), nullptr, 1) == 1, "certificate");
}

Server make_server(const policy::SslDirectives& directives, bool rsa) {
  auto context = policy::build_scratch(directives);
  require(context.has_value(), "context");
  add_certificate(context->get(), crypto::Key(EVP_EC_gen("P-256")));
  if (rsa) add_certificate(context->get(), crypto::Key(EVP_RSA_gen(2048)));
  auto settings = policy::read_back(context->get());
  require(settings.has_value(), "settings");
  settings->keys = policy::keys_of(context->get());
  return {std::move(*context), std::move(*settings)};
}

std::vector<Server> make_servers() {
  policy::SslDirectives all;
  policy::SslDirectives modern;
  modern.protocols = ProtocolSet::range(Protocol::tls1_3, Protocol::tls1_3);
  policy::SslDirectives narrow;
  narrow.cipher_suite = "ECDHE-ECDSA-AES256-GCM-SHA384";
  narrow.tls13_cipher_suite = "TLS_AES_256_GCM_SHA384";
  narrow.conf_cmds = {{"Groups", "X25519"}, {"SignatureAlgorithms", "ECDSA+SHA256"}};
  policy::SslDirectives old;
  old.cipher_suite = "ALL:@SECLEVEL=0";
  std::vector<Server> servers;
  servers.push_back(make_server(all, true));
  servers.push_back(make_server(modern, false));
  servers.push_back(make_server(narrow, false));
  servers.push_back(make_server(old, true));
  return servers;
}

// True where the server writes a ServerHello or asks for another ClientHello.
bool openssl_accepts(SSL_CTX* context, const std::vector<std::uint8_t>& message) {
  crypto::Ssl ssl(SSL_new(context));
  auto records = hello::in_records(message);
  BIO* in = BIO_new_mem_buf(records.data(), static_cast<int>(records.size()));
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl.get(), in, BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl.get());
  int result = SSL_do_handshake(ssl.get());
  bool waits = SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ;
  bool answered = BIO_pending(SSL_get_wbio(ssl.get())) > 0;
  ERR_clear_error();
  return waits && answered;
}

void touch(const std::optional<hello::CodePoints>& points) {
  if (!points) return;
  volatile std::size_t sum = 0;
  for (std::size_t i = 0; i < points->size(); ++i) sum = sum + points->at(i);
}

// Reads every view, so that AddressSanitizer sees one that leaves the message.
void touch_all(const hello::ClientHello& hello) {
  touch(hello.cipher_suites);
  touch(hello.supported_versions);
  touch(hello.supported_groups);
  touch(hello.signature_algorithms);
  touch(hello.signature_algorithms_cert);
  volatile std::size_t sum = 0;
  for (char c : hello.server_name.value_or("")) sum = sum + static_cast<unsigned char>(c);
  for (Bytes bytes :
       {hello.session_id, hello.key_shares, hello.alpn.value_or(Bytes()),
        hello.ec_point_formats.value_or(Bytes()), hello.psk_key_exchange_modes.value_or(Bytes())}) {
    for (auto byte : bytes) sum = sum + byte;
  }
  (void)hello::offers_only(hello, "acme-tls/1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Server> servers = make_servers();
  if (size < 1 || size > 20000) return 0;
  const Server& server = servers[data[0] % servers.size()];
  bool version2 = (data[0] & 0x80) != 0;
  // A copy of exactly this size: a byte read beyond it is noticed.
  std::vector<std::uint8_t> message;
  message.reserve(size + (version2 ? 0 : 3));
  if (!version2) {
    message = {1, 0, static_cast<std::uint8_t>((size - 1) >> 8),
               static_cast<std::uint8_t>((size - 1) & 0xff)};
  }
  message.insert(message.end(), data + 1, data + size);
  message.shrink_to_fit();

  auto parsed = hello::parse_client_hello(message, version2);
  if (parsed) {
    touch_all(*parsed);
    require(hello::fingerprint(*parsed, 7) == hello::fingerprint(*parsed, 7), "fingerprint");
    for (const auto& other : servers) (void)hello::judge(*parsed, other.settings);
  }
  if (version2) return 0;  // has a record layer of its own: compared by the unit tests
  if (!openssl_accepts(server.context.get(), message)) return 0;
  require(parsed.has_value(), "OpenSSL accepted what was not parsed");
  require(hello::judge(*parsed, server.settings) == hello::Verdict::ok,
          "OpenSSL accepted what the verdict refuses");
  return 0;
}
