// SPDX-License-Identifier: Apache-2.0
// The promise that a policy never widens what mod_ssl allows, for random directives and policies,
// and that a client notices.
#include "expect.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "hello/client_hello.h"
#include "hello/offer.h"
#include "hello/verdict.h"
#include "policy/context.h"
#include "policy/describe.h"
#include "policy/library.h"
#include "policy/wording.h"
#include "random_server.h"

namespace tlsguard::policy {
namespace {

using hello::ServerSettings;
using test::Random;
using test::value_of;
using Names = std::vector<std::string>;

SslDirectives random_directives(Random& random) {
  SslDirectives directives;
  if (random.chance(50)) {
    const Protocol min = random.pick(all_protocols);
    const Protocol max = random.pick(all_protocols);
    directives.protocols = ProtocolSet::range(std::min(min, max), std::max(min, max));
  }
  if (random.chance(60)) {
    const std::string level = random.chance(50) ? ":@SECLEVEL=" : "";
    directives.cipher_suite =
        random.pick({"ALL", "DEFAULT", "HIGH:!aNULL", "ECDHE+AESGCM", "AES128-SHA:AES256-SHA",
                     "aRSA+AES", "ECDHE+CHACHA20:kRSA+AES", "TLSv1.2"}) +
        level + (level.empty() ? "" : random.pick({"0", "0", "1", "2", "3", "4"}));
  }
  if (random.chance(30)) {
    directives.tls13_cipher_suite =
        random.pick({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                     "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256"});
  }
  directives.honor_cipher_order = random.chance(50);
  auto conf = [&](unsigned percent, const char* name, std::initializer_list<const char*> values) {
    if (random.chance(percent)) directives.conf_cmds.emplace_back(name, random.pick(values));
  };
  conf(30, "Groups",
       {"P-256", "X25519:P-384", "X448:P-521", "brainpoolP256r1:P-256", "ffdhe2048:X25519"});
  conf(
      30, "SignatureAlgorithms",
      {"RSA+SHA256:ECDSA+SHA256", "ed25519:RSA-PSS+SHA384", "ECDSA+SHA384", "RSA+SHA1:RSA+SHA512"});
  conf(15, "Protocol", {"-TLSv1.2", "-TLSv1.3", "-TLSv1.1", "ALL"});
  conf(10, "MinProtocol", {"TLSv1", "TLSv1.2", "TLSv1.3"});
  conf(10, "Options", {"ServerPreference", "-SessionTicket", "PrioritizeChaCha"});
  return directives;
}

Policy random_policy(Random& random) {
  Policy policy = random.pick(presets());
  if (random.chance(50)) return policy;
  Settings settings;
  if (random.chance(40)) settings.min_protocol = random.pick(all_protocols);
  if (random.chance(30)) settings.max_protocol = random.pick(all_protocols);
  if (random.chance(30)) {
    settings.cipher_suite = random.pick({"ALL", "ECDHE+AES", "kRSA", "DHE+AESGCM:@SECLEVEL=3",
                                         "HIGH:!ECDSA", "KRB5-RC4-SHA:AES128-SHA"});
  }
  if (random.chance(30)) {
    settings.tls13_cipher_suite = random.pick({"TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256"});
  }
  if (random.chance(30)) settings.groups = random.some(all_group_names(), 20);
  if (random.chance(30)) {
    settings.signature_algorithms = random.some(all_signature_algorithm_names(), 30);
  }
  if (settings.groups && settings.groups->empty()) settings.groups.reset();
  if (settings.signature_algorithms && settings.signature_algorithms->empty()) {
    settings.signature_algorithms.reset();
  }
  auto changed = with_settings(policy, settings);
  return changed ? *changed : policy;
}

template <typename T>
bool is_subset(const std::vector<T>& part, const std::vector<T>& whole) {
  return std::all_of(part.begin(), part.end(), [&](const T& each) {
    return std::find(whole.begin(), whole.end(), each) != whole.end();
  });
}

void expect_within(const ServerSettings& after, const ServerSettings& before, const Policy& policy,
                   const std::string& what) {
  const ProtocolSet allowed = ProtocolSet::range(policy.min_protocol, policy.max_protocol);
  ck_assert_msg((after.protocols & before.protocols & allowed) == after.protocols, "%s",
                what.c_str());
  ck_assert_msg(is_subset(after.ciphers, before.ciphers), "%s", what.c_str());
  ck_assert_msg(is_subset(after.suites, before.suites), "%s", what.c_str());
  ck_assert_msg(is_subset(after.groups, before.groups), "%s", what.c_str());
  ck_assert_msg(is_subset(after.signature_algorithms, before.signature_algorithms), "%s",
                what.c_str());
  ck_assert_msg(is_subset(cipher_names(after.ciphers), policy.ciphers), "%s", what.c_str());
  ck_assert_msg(is_subset(cipher_names(after.suites), policy.suites), "%s", what.c_str());
  ck_assert_msg(is_subset(group_names(after.groups), policy.groups), "%s", what.c_str());
  if (policy.signature_algorithms) {
    ck_assert_msg(is_subset(signature_algorithm_names(after.signature_algorithms),
                            *policy.signature_algorithms),
                  "%s", what.c_str());
  }
  ck_assert_msg(after.security_level >= before.security_level, "%s", what.c_str());
}

// Nothing is in force that leads nowhere: each version has a cipher, and the groups it needs.
void expect_usable(const ServerSettings& after, const std::string& what) {
  ck_assert_msg(!after.protocols.empty(), "%s", what.c_str());
  for (Protocol protocol : all_protocols) {
    if (!after.protocols.has(protocol)) continue;
    const auto& list = protocol == Protocol::tls1_3 ? after.suites : after.ciphers;
    const bool has_cipher = std::any_of(list.begin(), list.end(), [&](const hello::Cipher& cipher) {
      return cipher.min <= protocol && protocol <= cipher.max;
    });
    ck_assert_msg(has_cipher, "%s", what.c_str());
  }
  ck_assert_msg(!after.signature_algorithms.empty(), "%s", what.c_str());
  const auto& can = *capabilities();
  auto any_of = [&](const std::vector<std::uint16_t>& groups) {
    return std::any_of(after.groups.begin(), after.groups.end(), [&](std::uint16_t group) {
      return std::find(groups.begin(), groups.end(), group) != groups.end();
    });
  };
  if (after.protocols.has(Protocol::tls1_3)) {
    ck_assert_msg(any_of(can.groups_tls13), "%s", what.c_str());
  }
  for (const hello::Cipher& cipher : after.ciphers) {
    if (cipher.key_exchange != hello::KeyExchange::ecdhe) continue;
    ck_assert_msg(any_of(can.groups_tls12), "%s", what.c_str());
  }
}

START_TEST(a_policy_never_widens) {
  Random random(1);
  int fits = 0;
  constexpr int tries = 1500;
  for (int i = 0; i < tries; ++i) {
    const SslDirectives directives = random_directives(random);
    const Policy policy = random_policy(random);
    const std::string what = fmt::format("try {}: ciphers {} policy\n{}", i,
                                         directives.cipher_suite.value_or("none"), dump(policy));
    auto ctx = build_scratch(directives);
    ERR_clear_error();
    if (!ctx) continue;
    const ServerSettings before = value_of(read_back(ctx->get()));
    const auto outcome = tighten(ctx->get(), before, policy, directives);
    ck_assert_msg(ERR_peek_error() == 0, "%s", what.c_str());
    if (!outcome) {
      // For want of something in common, and for no reason of our own.
      const std::string& text = outcome.error().text;
      ck_assert_msg(text.find(" in common: ") != std::string::npos ||
                        text.find("it lacks") != std::string::npos,
                    "%s: %s", what.c_str(), text.c_str());
      continue;
    }
    ++fits;
    expect_within(outcome->settings, before, policy, what);
    expect_usable(outcome->settings, what);
    ServerSettings after = value_of(read_back(ctx->get()));
    ck_assert_msg(is_subset(outcome->settings.groups, after.groups), "%s", what.c_str());
    after.groups = outcome->settings.groups;
    ck_assert_msg(after == outcome->settings, "%s", what.c_str());
    // The same again changes nothing; a policy is its own floor.
    const auto again = tighten(ctx->get(), outcome->settings, policy, directives);
    ck_assert_msg(again && again->settings == outcome->settings, "%s", what.c_str());
    // On a copy it comes out the same.
    ck_assert(value_of(outcome_under(directives, {}, policy)).settings == outcome->settings);
  }
  ck_assert_int_gt(fits, tries / 4);  // else this proves little
}
END_TEST

// What handshakes make of it: OpenSSL's server takes what the verdict on the settings read back
// says, for every client.
START_TEST(a_server_does_what_is_read_back) {
  const test::Identities identities;
  Random random(2);
  int narrowed = 0;
  for (int i = 0; i < 300; ++i) {
    test::ServerSpec spec = test::random_spec(random, identities);
    spec.dh_auto = true;  // as mod_ssl has it
    spec.dh_1536 = false;
    const Policy policy = random_policy(random);
    const test::Server plain = test::make_server(spec);
    const test::Server tight = test::make_server(spec);
    ServerSettings before = value_of(read_back(tight.context.get()));
    before.keys = keys_of(tight.context.get());
    const auto outcome = tighten(tight.context.get(), before, policy);
    ERR_clear_error();
    if (!outcome) continue;
    SSL_CTX_set1_groups_list(tight.context.get(), groups_list(outcome->settings.groups).c_str());
    test::Shares shares;
    for (int client = 0; client < 20; ++client) {
      const auto message = hello::build_client_hello(random_offer(random, shares));
      const auto records = hello::in_records(message);
      const test::Answer answer = test::ask(tight, records);
      const bool now = answer.accepted;
      const bool then = test::ask(plain, records).accepted;
      const auto hello = hello::parse_client_hello(message, false);
      const bool foretold = hello && hello::judge(*hello, outcome->settings) == hello::Verdict::ok;
      ck_assert_msg(answer.retry || now == foretold, "try %d: %s under\n%s", i,
                    test::describe(spec).c_str(), dump(policy).c_str());
      if (then && !now) ++narrowed;
    }
  }
  ck_assert_int_gt(narrowed, 100);
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* widening_suite() {
  Suite* suite = suite_create("widening");
  TCase* tests = tcase_create("widening");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, policy::a_policy_never_widens);
  tcase_add_test(tests, policy::a_server_does_what_is_read_back);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
