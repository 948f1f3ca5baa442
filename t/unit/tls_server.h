// SPDX-License-Identifier: Apache-2.0
// OpenSSL's own server, fed a ClientHello in memory: what the verdict is measured against.
#ifndef TLSGUARD_T_UNIT_TLS_SERVER_H
#define TLSGUARD_T_UNIT_TLS_SERVER_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/openssl.h"
#include "hello/client_hello.h"
#include "hello/server_settings.h"

namespace tlsguard::test {

using Key = std::unique_ptr<EVP_PKEY, crypto::Deleter<EVP_PKEY, EVP_PKEY_free>>;

// A certificate with its key, and what the verdict is to know about it.
struct Identity {
  std::string name;
  Key key;
  crypto::Certificate certificate;
  hello::CertificateKey facts;
};

struct CertificateRequest {
  const char* digest = "SHA256";     // nullptr where the key brings its own
  const Identity* issuer = nullptr;  // none: self-signed
  const char* key_usage = nullptr;
};

Key make_rsa(unsigned bits);
Key make_rsa_pss(unsigned bits, const char* digest);  // digest: the only one allowed, or nullptr
Key make_ec(const char* curve);
Key make_dh(const char* group);
Key make_key(const char* type);  // ED25519, ED448
Identity make_identity(std::string name, Key key, hello::CertificateKey facts,
                       const CertificateRequest& request = {});

// What an administrator would set, as text for a failing test to show.
struct ServerSpec {
  int min = TLS1_2_VERSION;
  int max = TLS1_3_VERSION;
  std::uint64_t options = 0;
  std::string ciphers = "DEFAULT";
  std::string suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
  std::string groups;   // empty: OpenSSL's own
  std::string sigalgs;  // empty: OpenSSL's own
  int security_level = 1;
  bool dh_auto = true;
  bool dh_1536 = false;  // parameters as from a file, 80 bits of security
  std::vector<const Identity*> identities;
};
std::string describe(const ServerSpec& spec);

struct Server {
  ServerSpec spec;
  crypto::SslCtx context;
  hello::ServerSettings settings;   // from the spec and by hand
  hello::ServerSettings read_back;  // from the context, as the module reads it
};
Server make_server(const ServerSpec& spec);

struct Answer {
  bool accepted = false;  // ServerHello and all that follows in the same flight, or a retry
  bool retry = false;     // it was a HelloRetryRequest to which nothing more was said
  int alert = -1;         // description of the alert sent
  int reason = 0;         // OpenSSL's
  std::string error;
  std::vector<std::uint8_t> output;
};
// next: given the server's output when it asked for another ClientHello, the records that answer.
using Next = std::function<std::vector<std::uint8_t>(const std::vector<std::uint8_t>&)>;
Answer ask(const Server& server, const std::vector<std::uint8_t>& records, const Next& next = {});

// The first handshake message a context writes as a client; empty where it finds nothing to offer.
std::vector<std::uint8_t> client_hello_of(SSL_CTX* context,
                                          const std::function<void(SSL*)>& prepare = {});

}  // namespace tlsguard::test

#endif
