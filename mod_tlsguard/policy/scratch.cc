// SPDX-License-Identifier: Apache-2.0
// An SSL_CTX as mod_ssl builds it (ssl_init_ctx_protocol, ssl_init_ctx_cipher_suite, the curve of
// ssl_init_server_certs, then SSLOpenSSLConfCmd), as far as it decides what can be negotiated.
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "policy/context.h"
#include "policy/question.h"

namespace tlsguard::policy {
namespace {

// What mod_ssl appends to every cipher string. Appending it twice does no harm.
const char* const always_excluded = ":!aNULL:!eNULL:!EXP";

tl::unexpected<Error> refused(const std::string& directive, const std::string& value) {
  return fail(directive + " " + value + ": " + crypto::drain_errors());
}

// mod_ssl allows no holes: from the highest version down to the first one that is missing.
Result<void> set_protocols(SSL_CTX* ctx, ProtocolSet protocols) {
  if (protocols.empty()) return fail("SSLProtocol leaves no protocol version");
  const Protocol highest = protocols.highest();
  Protocol lowest = highest;
  for (auto p = all_protocols.rbegin(); p != all_protocols.rend(); ++p) {
    if (*p > highest) continue;
    if (!protocols.has(*p)) break;
    lowest = *p;
  }
  if (SSL_CTX_set_max_proto_version(ctx, static_cast<int>(highest)) != 1 ||
      SSL_CTX_set_min_proto_version(ctx, static_cast<int>(lowest)) != 1) {
    return refused("SSLProtocol", "");
  }
  return {};
}

Result<void> set_ciphers(SSL_CTX* ctx, const SslDirectives& directives) {
  const std::string ciphers = directives.cipher_suite.value_or(SSL_DEFAULT_CIPHER_LIST);
  if (SSL_CTX_set_cipher_list(ctx, (ciphers + always_excluded).c_str()) != 1) {
    return refused("SSLCipherSuite", ciphers);
  }
  if (directives.tls13_cipher_suite &&
      SSL_CTX_set_ciphersuites(ctx, directives.tls13_cipher_suite->c_str()) != 1) {
    return refused("SSLCipherSuite TLSv1.3", *directives.tls13_cipher_suite);
  }
  return {};
}

struct OpenSslBytes {
  void operator()(void* bytes) const { OPENSSL_free(bytes); }
};
using Text = std::unique_ptr<char, OpenSslBytes>;
using Data = std::unique_ptr<unsigned char, OpenSslBytes>;

std::string curve_of_parameters(const unsigned char* der, long size) {
  const crypto::Key parameters(d2i_KeyParams(EVP_PKEY_EC, nullptr, &der, size));
  std::array<char, 80> name{};
  if (!parameters ||
      EVP_PKEY_get_group_name(parameters.get(), name.data(), name.size(), nullptr) != 1) {
    return {};
  }
  return name.data();
}

Result<void> run_conf_cmds(SSL_CTX* ctx, const SslDirectives& directives) {
  crypto::SslConfCtx conf(SSL_CONF_CTX_new());
  if (!conf) return fail("OpenSSL: " + crypto::drain_errors());
  SSL_CONF_CTX_set_flags(conf.get(),
                         SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CERTIFICATE);
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), ctx);
  for (const auto& [name, value] : directives.conf_cmds) {
    const int type = SSL_CONF_cmd_value_type(conf.get(), name.c_str());
    if (type == SSL_CONF_TYPE_FILE || type == SSL_CONF_TYPE_DIR || type == SSL_CONF_TYPE_STORE) {
      continue;
    }
    const bool is_cipher_string = equal_ignoring_case(name, "CipherString");
    const std::string argument = is_cipher_string ? value + always_excluded : value;
    ERR_clear_error();
    if (SSL_CONF_cmd(conf.get(), name.c_str(), argument.c_str()) <= 0) {
      return refused("SSLOpenSSLConfCmd " + name, value);
    }
  }
  if (SSL_CONF_CTX_finish(conf.get()) != 1) return refused("SSLOpenSSLConfCmd", "");
  return {};
}

}  // namespace

std::string curve_of_file(const std::string& path) {
  const Question question;
  const crypto::Bio file(BIO_new_file(path.c_str(), "r"));
  while (file) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(file.get(), &name, &header, &data, &size) != 1) break;
    const Text name_owner(name);
    const Text header_owner(header);
    const Data data_owner(data);
    if (std::string_view(name) == PEM_STRING_ECPARAMETERS) return curve_of_parameters(data, size);
  }
  return {};
}

Result<crypto::SslCtx> build_scratch(const SslDirectives& directives) {
  ERR_clear_error();
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return fail("OpenSSL cannot make an SSL_CTX: " + crypto::drain_errors());
  SSL_CTX_set_options(ctx.get(), SSL_OP_ALL);
  const auto all = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);
  if (auto set = set_protocols(ctx.get(), directives.protocols.value_or(all)); !set) {
    return tl::unexpected(set.error());
  }
  if (directives.honor_cipher_order) {
    SSL_CTX_set_options(ctx.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  if (!directives.session_tickets) SSL_CTX_set_options(ctx.get(), SSL_OP_NO_TICKET);
  if (auto set = set_ciphers(ctx.get(), directives); !set) return tl::unexpected(set.error());
  SSL_CTX_set_dh_auto(ctx.get(), 1);
  if (!directives.certificate_curve.empty()) {
    int nid = OBJ_sn2nid(directives.certificate_curve.c_str());
    SSL_CTX_set1_groups(ctx.get(), &nid, 1);  // as in mod_ssl, one that cannot be set is no error
    ERR_clear_error();
  }
  if (auto run = run_conf_cmds(ctx.get(), directives); !run) return tl::unexpected(run.error());
  return ctx;
}

}  // namespace tlsguard::policy
