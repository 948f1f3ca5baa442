// SPDX-License-Identifier: Apache-2.0
// From a policy and mod_ssl's own configuration to what is in force on an SSL_CTX, and back.
// mod_ssl is only ever tightened: each list becomes the intersection, in the policy's order.
// No global state; each function may be called from any thread on a context of its own.
#ifndef TLSGUARD_POLICY_CONTEXT_H
#define TLSGUARD_POLICY_CONTEXT_H

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "crypto/openssl.h"
#include "hello/server_settings.h"
#include "policy/policy.h"

namespace tlsguard::policy {

// mod_ssl's directives of one virtual host, merged the way mod_ssl merges them, as far as they
// decide what can be negotiated.
struct SslDirectives {
  std::optional<ProtocolSet> protocols;     // SSLProtocol; none: all
  std::optional<std::string> cipher_suite;  // SSLCipherSuite; with or without what mod_ssl appends
  std::optional<std::string> tls13_cipher_suite;
  bool honor_cipher_order = false;
  bool session_tickets = true;
  std::vector<std::pair<std::string, std::string>> conf_cmds;  // SSLOpenSSLConfCmd, in order
  // The curve that an EC PARAMETERS block of the first SSLCertificateFile names (curve_of_file):
  // mod_ssl makes it the only group. Empty: there is none.
  std::string certificate_curve;
  bool operator==(const SslDirectives&) const = default;
};

// OpenSSL's name of that curve; empty where the file cannot be read (mod_ssl will complain) or has
// no such block.
[[nodiscard]] std::string curve_of_file(const std::string& path);

// An SSL_CTX as mod_ssl would build it from these directives, without certificates. An error is
// one mod_ssl would meet too (it fails in post_config); its text names directive and value.
// SSLOpenSSLConfCmd Certificate, PrivateKey, … (files) are left out.
[[nodiscard]] Result<crypto::SslCtx> build_scratch(const SslDirectives& directives);

// What is in force on a context. Groups and signature algorithms are read from a ClientHello it
// is made to write (into memory). keys is left empty.
[[nodiscard]] Result<hello::ServerSettings> read_back(SSL_CTX* ctx);

// Facts about the certificates in a context (mod_ssl's, all key types), for ServerSettings.keys.
[[nodiscard]] std::vector<hello::CertificateKey> keys_of(SSL_CTX* ctx);
// The same of a PEM file: its first certificate, and as its chain those that follow. A file that
// cannot be read is an error that names it. leaf, if not null: takes that first certificate.
[[nodiscard]] Result<hello::CertificateKey> key_of_file(const std::string& path,
                                                        crypto::Certificate* leaf = nullptr);

// Something left out or overridden, and why; for the log and DUMP_TLSGUARD.
struct Note {
  enum class Kind {
    left_out,    // this OpenSSL or its security level lacks it
    overridden,  // mod_ssl's configuration allows less, or the policy less than mod_ssl
    warning,     // does not fit: key below the policy, key type no cipher fits, …
  };
  Kind kind = Kind::left_out;
  std::string text;
  bool operator==(const Note&) const = default;
};

struct Outcome {
  hello::ServerSettings settings;  // read back; keys as passed in
  std::vector<Note> notes;
};

// The intersection of ctx's own settings and the policy, set on ctx (versions, ciphers, suites,
// signature algorithms, preference; groups are not set: they are per connection, see DESIGN) and
// read back. Empty intersection of versions, of ciphers for every version left, of groups or of
// signature algorithms is an error that names both sides. before: read_back(ctx) from before, keys
// filled in. directives: only to name the one that took something from the policy, in notes.
[[nodiscard]] Result<Outcome> tighten(SSL_CTX* ctx, const hello::ServerSettings& before,
                                      const Policy& policy,
                                      const SslDirectives& directives = SslDirectives{});

// What can be read of a context without making it write a ClientHello: a hundredth of the work of
// read_back(), and all of it but groups and signature algorithms.
struct Outline {
  ProtocolSet protocols;                  // of its bounds and options
  std::vector<const SSL_CIPHER*> listed;  // of all versions, whatever its level hides
  int security_level = 0;
  bool server_preference = false;
  bool operator==(const Outline&) const = default;
};
[[nodiscard]] Outline outline_of(SSL_CTX* ctx);

// tighten() for a further context of the same directives, with the outcome of the first: sets the
// same, without looking. The caller compares outlines before and after.
[[nodiscard]] Result<void> tighten_likewise(SSL_CTX* ctx, const hello::ServerSettings& outcome,
                                            const Policy& policy);

// The same outcome computed without touching any mod_ssl settings: on a copy. For judging against
// a second policy: directives' scratch context is built anew and tightened.
[[nodiscard]] Result<Outcome> outcome_under(const SslDirectives& directives,
                                            const std::vector<hello::CertificateKey>& keys,
                                            const Policy& policy);

// 32 hexadecimal digits, equal for equal settings (keys play no part): the policy identity that a
// TLS session carries. Stable across restarts and releases of this module.
[[nodiscard]] std::string settings_digest(const hello::ServerSettings& settings);

}  // namespace tlsguard::policy

#endif
