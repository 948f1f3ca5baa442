// SPDX-License-Identifier: Apache-2.0
#include "policy/read_back.h"

#include <algorithm>

#include "policy/context.h"
#include "policy/question.h"

namespace tlsguard::policy {
namespace {

// One ClientHello answers, unless the context has a list of which nothing is left.
Answer ask_in_parts(SSL_CTX* ctx, AskFor range) {
  Answer answer = ask(ctx, range);
  if (answer.written) return answer;
  AskFor groups = range;
  groups.any_signature_algorithms = true;
  Answer with_groups = ask(ctx, groups);
  if (!with_groups.written && range.min < range.max) {
    groups.max = range.min;  // no group for TLS 1.3: then OpenSSL writes nothing at all
    with_groups = ask(ctx, groups);
  }
  AskFor algorithms = range;
  algorithms.any_groups = true;
  answer.groups = std::move(with_groups.groups);
  answer.signature_algorithms = ask(ctx, algorithms).signature_algorithms;
  return answer;
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

std::vector<std::string> listed_ciphers(const SSL_CTX* ctx) {
  std::vector<std::string> names;
  STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(ctx);
  const int count = sk_SSL_CIPHER_num(list);
  names.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int i = 0; i < count; ++i) {
    names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)));
  }
  return names;
}

Result<hello::ServerSettings> read_back(SSL_CTX* ctx) {
  hello::ServerSettings settings;
  settings.security_level = SSL_CTX_get_security_level(ctx);
  settings.protocols = reachable(configured_protocols(ctx), settings.security_level);
  settings.server_preference = (SSL_CTX_get_options(ctx) & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0;
  if (settings.protocols.empty()) return settings;
  // With these bounds OpenSSL leaves out groups and signature algorithms that none of our versions
  // can use. What holds for TLS 1.2 holds for those before.
  AskFor range;
  range.min = std::max(settings.protocols.lowest(), Protocol::tls1_2);
  range.max = std::max(settings.protocols.highest(), Protocol::tls1_2);
  Answer answer = ask_in_parts(ctx, range);
  for (hello::Cipher& cipher : supported_ciphers(ctx)) {
    if ((ProtocolSet::range(cipher.min, cipher.max) & settings.protocols).empty()) continue;
    (cipher.min == Protocol::tls1_3 ? settings.suites : settings.ciphers)
        .push_back(std::move(cipher));
  }
  settings.groups = std::move(answer.groups);
  settings.signature_algorithms = std::move(answer.signature_algorithms);
  return settings;
}

}  // namespace tlsguard::policy
