// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "policy/context.h"
#include "policy/intersection.h"
#include "policy/notes.h"
#include "policy/read_back.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using hello::ServerSettings;

tl::unexpected<Error> refused(const std::string& what, const std::string& value) {
  return fail("OpenSSL does not take " + what + " " + value + ": " + crypto::drain_errors());
}

Result<void> set_signature_algorithms(SSL_CTX* ctx, const ServerSettings& settings) {
  std::vector<std::string> names;
  for (std::uint16_t id : settings.signature_algorithms) {
    // Each came from the policy by its name, so it has one.
    names.emplace_back(find_signature_algorithm(id)->openssl_name);
  }
  const std::string list = join(names, ":");
  if (SSL_CTX_set1_sigalgs_list(ctx, list.c_str()) != 1)
    return refused("signature algorithms", list);
  return {};
}

Result<void> apply(SSL_CTX* ctx, const ServerSettings& settings, const Policy& policy) {
  const auto min = static_cast<int>(settings.protocols.lowest());
  const auto max = static_cast<int>(settings.protocols.highest());
  if (SSL_CTX_set_max_proto_version(ctx, max) != 1 ||
      SSL_CTX_set_min_proto_version(ctx, min) != 1) {
    return refused("versions", version_names(settings.protocols));
  }
  // Of a list for versions that are off nothing is left; OpenSSL takes an empty one for TLS 1.3
  // only.
  if (!settings.ciphers.empty()) {
    const std::string list = join(cipher_names(settings.ciphers), ":");
    if (SSL_CTX_set_cipher_list(ctx, list.c_str()) != 1) return refused("ciphers", list);
  }
  const std::string suites = join(cipher_names(settings.suites), ":");
  if (SSL_CTX_set_ciphersuites(ctx, suites.c_str()) != 1) return refused("suites", suites);
  if (policy.signature_algorithms) {
    if (auto set = set_signature_algorithms(ctx, settings); !set) return set;
  }
  if (policy.server_preference == true) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (policy.server_preference == false) {
    SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  return {};
}

template <typename T>
bool is_subset(const std::vector<T>& part, const std::vector<T>& whole) {
  return std::all_of(part.begin(), part.end(), [&](const T& each) {
    return std::find(whole.begin(), whole.end(), each) != whole.end();
  });
}

// In what 'after' is wider than 'limit'; empty: in nothing.
std::string wider_in(const ServerSettings& after, const ServerSettings& limit) {
  if ((after.protocols & limit.protocols) != after.protocols) return "versions";
  if (!is_subset(after.ciphers, limit.ciphers)) return "ciphers";
  if (!is_subset(after.suites, limit.suites)) return "TLS 1.3 suites";
  if (!is_subset(after.groups, limit.groups)) return "groups";
  if (!is_subset(after.signature_algorithms, limit.signature_algorithms)) {
    return "signature algorithms";
  }
  return after.security_level < limit.security_level ? "security level" : "";
}

// What OpenSSL made of it. The promise that a policy never widens rests on this.
Result<ServerSettings> verify(SSL_CTX* ctx, const ServerSettings& before,
                              const ServerSettings& wanted) {
  auto after = read_back(ctx);
  if (!after) return after;
  std::erase_if(after->groups, [&](std::uint16_t group) {
    return std::find(wanted.groups.begin(), wanted.groups.end(), group) == wanted.groups.end();
  });
  for (const ServerSettings* limit : {&before, &wanted}) {
    const std::string wider = wider_in(*after, *limit);
    if (!wider.empty()) {
      return fail("OpenSSL keeps more " + wider +
                  " in force than it was given: something in openssl.cnf or SSLOpenSSLConfCmd "
                  "(a SUITEB mode?) stands against it");
    }
  }
  if (after->protocols != wanted.protocols ||
      cipher_names(after->ciphers) != cipher_names(wanted.ciphers) ||
      cipher_names(after->suites) != cipher_names(wanted.suites)) {
    return fail("OpenSSL keeps less in force than it was given: versions " +
                version_names(after->protocols) + ", ciphers " +
                enumerate(cipher_names(after->ciphers)) + ", suites " +
                enumerate(cipher_names(after->suites)));
  }
  after->groups = wanted.groups;
  return after;
}

}  // namespace

Result<Outcome> tighten(SSL_CTX* ctx, const ServerSettings& before, const Policy& policy,
                        const SslDirectives& directives) {
  ERR_clear_error();
  const auto& can = capabilities();
  if (!can) return tl::unexpected(can.error());
  Before facts{before, configured_protocols(ctx), listed_ciphers(ctx)};
  if (policy.security_level.value_or(0) > before.security_level) {
    SSL_CTX_set_security_level(ctx, *policy.security_level);
    SSL_CTX_set_dh_auto(ctx, 1);  // parameters from a file may be too weak now
    auto raised = read_back(ctx);
    if (!raised) return tl::unexpected(raised.error());
    facts.settings = std::move(*raised);
  }
  auto both = intersect(facts.settings, policy, *can);
  if (!both) return tl::unexpected(both.error());
  if (auto set = apply(ctx, both->settings, policy); !set) return tl::unexpected(set.error());
  auto after = verify(ctx, before, both->settings);
  if (!after) return tl::unexpected(after.error());
  Outcome outcome;
  outcome.settings = std::move(*after);
  outcome.settings.keys = before.keys;
  outcome.notes = notes_on(facts, *both, policy, directives, *can);
  for (Note& note : certificate_notes(outcome.settings, before.keys, policy)) {
    outcome.notes.push_back(std::move(note));
  }
  return outcome;
}

Result<Outcome> outcome_under(const SslDirectives& directives,
                              const std::vector<hello::CertificateKey>& keys,
                              const Policy& policy) {
  auto ctx = build_scratch(directives);
  if (!ctx) return tl::unexpected(ctx.error());
  auto before = read_back(ctx->get());
  if (!before) return tl::unexpected(before.error());
  before->keys = keys;
  return tighten(ctx->get(), *before, policy, directives);
}

}  // namespace tlsguard::policy
