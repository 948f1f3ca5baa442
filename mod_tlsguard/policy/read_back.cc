// SPDX-License-Identifier: Apache-2.0
#include "policy/read_back.h"

#include <openssl/err.h>

#include <algorithm>

#include "hello/client_hello.h"
#include "policy/context.h"
#include "policy/library.h"

namespace tlsguard::policy {
namespace {

using Ids = std::vector<std::uint16_t>;

// Groups and signature algorithms of every security level, so that what is asked about alone
// decides whether OpenSSL can write a ClientHello.
const char* const any_signature = "RSA+SHA512:ECDSA+SHA512";
const char* const any_group = "X25519:secp256r1:secp384r1:secp521r1";

bool contains(const Ids& ids, std::uint16_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// A connection of the context on which we can ask questions: mod_ssl's callbacks taken off, all
// versions allowed.
crypto::Ssl connection(SSL_CTX* ctx, Protocol min, Protocol max) {
  crypto::Ssl ssl(SSL_new(ctx));
  if (!ssl) return ssl;
  SSL_set_info_callback(ssl.get(), nullptr);
  SSL_set_msg_callback(ssl.get(), nullptr);
  SSL_clear_options(ssl.get(), SSL_OP_NO_SSL_MASK);
  SSL_set_max_proto_version(ssl.get(), static_cast<int>(max));
  SSL_set_min_proto_version(ssl.get(), static_cast<int>(min));
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

// What the context's settings make a client offer; empty where OpenSSL cannot write a ClientHello,
// because nothing is left to offer.
std::vector<std::uint8_t> write_client_hello(SSL* ssl) {
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return {};
  }
  SSL_set_bio(ssl, in, out);  // owns both from here on
  if (SSL_set_ssl_method(ssl, TLS_client_method()) != 1) return {};
  SSL_set_connect_state(ssl);
  // Whether there is a group or a signature to offer must not depend on the context's ciphers.
  SSL_set_ciphersuites(ssl, "TLS_AES_256_GCM_SHA384");
  SSL_set_cipher_list(ssl, "ALL");
  if (SSL_do_handshake(ssl) == 1) return {};  // impossible: nobody answers
  return handshake_bytes(out);
}

Ids list_of(const std::optional<hello::CodePoints>& code_points) {
  Ids ids;
  for (std::size_t i = 0; code_points && i < code_points->size(); ++i) {
    ids.push_back(code_points->at(i));
  }
  return ids;
}

Ids offered_groups(SSL_CTX* ctx, Protocol min, Protocol max) {
  crypto::Ssl ssl = connection(ctx, min, max);
  if (!ssl) return {};
  SSL_set1_sigalgs_list(ssl.get(), any_signature);
  const auto message = write_client_hello(ssl.get());
  const auto hello = hello::parse_client_hello(message, false);
  return hello ? list_of(hello->supported_groups) : Ids{};
}

Ids offered_signature_algorithms(SSL_CTX* ctx, ProtocolSet protocols) {
  const bool only_tls13 = !protocols.empty() && protocols.lowest() == Protocol::tls1_3;
  crypto::Ssl ssl =
      connection(ctx, only_tls13 ? Protocol::tls1_3 : Protocol::tls1_2, Protocol::tls1_3);
  if (!ssl) return {};
  SSL_set1_groups_list(ssl.get(), any_group);
  const auto message = write_client_hello(ssl.get());
  const auto hello = hello::parse_client_hello(message, false);
  return hello ? list_of(hello->signature_algorithms) : Ids{};
}

// The context's list less what its security level hides, and less pre-shared keys.
std::vector<hello::Cipher> supported_ciphers(SSL_CTX* ctx) {
  std::vector<hello::Cipher> ciphers;
  crypto::Ssl ssl = connection(ctx, Protocol::tls1_0, Protocol::tls1_3);
  if (!ssl) return ciphers;
  // Else a list without RSA would hide all ciphers with RSA: that is for the verdict to say.
  SSL_set1_sigalgs_list(ssl.get(), any_signature);
  STACK_OF(SSL_CIPHER)* list = SSL_get1_supported_ciphers(ssl.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    ciphers.push_back(cipher_of(sk_SSL_CIPHER_value(list, i)));
  }
  sk_SSL_CIPHER_free(list);
  return ciphers;
}

}  // namespace

ProtocolSet configured_protocols(SSL_CTX* ctx) {
  struct Switch {
    Protocol protocol;
    std::uint64_t off;
  };
  constexpr Switch switches[] = {{Protocol::tls1_0, SSL_OP_NO_TLSv1},
                                 {Protocol::tls1_1, SSL_OP_NO_TLSv1_1},
                                 {Protocol::tls1_2, SSL_OP_NO_TLSv1_2},
                                 {Protocol::tls1_3, SSL_OP_NO_TLSv1_3}};
  const auto min = SSL_CTX_get_min_proto_version(ctx);  // 0: no bound
  const auto max = SSL_CTX_get_max_proto_version(ctx);
  const std::uint64_t options = SSL_CTX_get_options(ctx);
  ProtocolSet protocols;
  for (const Switch& each : switches) {
    const auto number = static_cast<long>(each.protocol);
    if (number >= min && (max == 0 || number <= max) && (options & each.off) == 0) {
      protocols.add(each.protocol);
    }
  }
  return protocols;
}

ProtocolSet reachable(ProtocolSet configured, int security_level) {
  return security_level >= 1 ? configured & ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3)
                             : configured;
}

GroupsByVersion groups_of(SSL_CTX* ctx) {
  ERR_set_mark();
  GroupsByVersion groups;
  groups.tls12 = offered_groups(ctx, Protocol::tls1_2, Protocol::tls1_2);
  groups.tls13 = offered_groups(ctx, Protocol::tls1_3, Protocol::tls1_3);
  // Without a group for its highest version OpenSSL writes nothing.
  if (groups.tls13.empty()) {
    groups.all = groups.tls12;
  } else {
    groups.all = offered_groups(ctx, Protocol::tls1_2, Protocol::tls1_3);
  }
  ERR_pop_to_mark();
  return groups;
}

std::vector<std::string> listed_ciphers(const SSL_CTX* ctx) {
  std::vector<std::string> names;
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(ctx);
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)));
  }
  return names;
}

Result<hello::ServerSettings> read_back(SSL_CTX* ctx) {
  ERR_set_mark();
  hello::ServerSettings settings;
  settings.security_level = SSL_CTX_get_security_level(ctx);
  settings.protocols = reachable(configured_protocols(ctx), settings.security_level);
  for (hello::Cipher& cipher : supported_ciphers(ctx)) {
    if ((ProtocolSet::range(cipher.min, cipher.max) & settings.protocols).empty()) continue;
    (cipher.min == Protocol::tls1_3 ? settings.suites : settings.ciphers)
        .push_back(std::move(cipher));
  }
  const GroupsByVersion groups = groups_of(ctx);
  const bool tls13 = settings.protocols.has(Protocol::tls1_3);
  const bool older = !settings.protocols.empty() && settings.protocols.lowest() < Protocol::tls1_3;
  for (std::uint16_t group : groups.all) {
    if ((tls13 && contains(groups.tls13, group)) || (older && contains(groups.tls12, group))) {
      settings.groups.push_back(group);
    }
  }
  settings.signature_algorithms = offered_signature_algorithms(ctx, settings.protocols);
  settings.server_preference = (SSL_CTX_get_options(ctx) & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0;
  ERR_pop_to_mark();
  return settings;
}

}  // namespace tlsguard::policy
