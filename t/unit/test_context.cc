// SPDX-License-Identifier: Apache-2.0
// Contexts built from mod_ssl's directives, and what is read back from them; the latter against
// OpenSSL's own handshakes.
#include "expect.h"

#include <openssl/err.h>

#include <algorithm>

#include "policy/context.h"
#include "policy/library.h"
#include "policy/wording.h"
#include "random_server.h"
#include "temp_dir.h"

namespace tlsguard::policy {
namespace {

using hello::ServerSettings;
using test::error_of;
using test::expect_contains;
using test::expect_text;
using test::value_of;

ServerSettings settings_of(const SslDirectives& directives) {
  const crypto::SslCtx ctx = value_of(build_scratch(directives));
  const ServerSettings settings = value_of(read_back(ctx.get()));
  ck_assert_uint_eq(ERR_peek_error(), 0);
  return settings;
}

SslDirectives conf_cmd(const std::string& name, const std::string& value) {
  SslDirectives directives;
  directives.conf_cmds.emplace_back(name, value);
  return directives;
}

SslDirectives protocols(std::initializer_list<Protocol> list) {
  SslDirectives directives;
  directives.protocols.emplace();
  for (Protocol protocol : list) directives.protocols->add(protocol);
  return directives;
}

SslDirectives at_level(const std::string& cipher_suite) {
  SslDirectives directives;
  directives.cipher_suite = cipher_suite;
  return directives;
}

std::string groups_of(const ServerSettings& settings) {
  return enumerate(group_names(settings.groups));
}

bool has_cipher(const ServerSettings& settings, const std::string& name) {
  const auto names = cipher_names(settings.ciphers);
  return std::find(names.begin(), names.end(), name) != names.end();
}

START_TEST(without_directives_it_is_mod_ssls_default) {
  const ServerSettings settings = settings_of({});
  expect_text(version_names(settings.protocols), "TLSv1.2 TLSv1.3");
  ck_assert_int_eq(settings.security_level, capabilities()->default_security_level);
  ck_assert_uint_eq(settings.suites.size(), 3);
  ck_assert(has_cipher(settings, "ECDHE-RSA-AES128-GCM-SHA256"));
  ck_assert(!has_cipher(settings, "ADH-AES128-SHA"));
  ck_assert(!has_cipher(settings, "PSK-AES128-CBC-SHA"));
  ck_assert(!settings.server_preference);
  ck_assert(std::find(settings.groups.begin(), settings.groups.end(), 29) != settings.groups.end());
  ck_assert(settings.keys.empty());
}
END_TEST

START_TEST(protocols_have_no_holes) {
  using enum Protocol;
  expect_text(version_names(settings_of(protocols({tls1_2})).protocols), "TLSv1.2");
  expect_text(version_names(settings_of(protocols({tls1_3})).protocols), "TLSv1.3");
  // As mod_ssl: from the highest down to the first gap.
  expect_text(version_names(settings_of(protocols({tls1_0, tls1_1, tls1_3})).protocols), "TLSv1.3");
  SslDirectives low = protocols({tls1_0, tls1_1, tls1_2});
  low.cipher_suite = "ALL:@SECLEVEL=0";
  expect_text(version_names(settings_of(low).protocols), "TLSv1 TLSv1.1 TLSv1.2");
  ck_assert(settings_of(low).suites.empty());
  expect_contains(error_of(build_scratch(protocols({}))), "SSLProtocol leaves no protocol version");
}
END_TEST

START_TEST(options_count_like_bounds) {
  SslDirectives directives = conf_cmd("Protocol", "-TLSv1.3");
  expect_text(version_names(settings_of(directives).protocols), "TLSv1.2");
  expect_text(version_names(settings_of(conf_cmd("MinProtocol", "TLSv1.3")).protocols), "TLSv1.3");
  expect_text(version_names(settings_of(conf_cmd("MaxProtocol", "TLSv1.2")).protocols), "TLSv1.2");
  directives = conf_cmd("Protocol", "-TLSv1.2");
  directives.cipher_suite = "DEFAULT:@SECLEVEL=0";
  const ServerSettings hole = settings_of(directives);
  expect_text(version_names(hole.protocols), "TLSv1 TLSv1.1 TLSv1.3");
  ck_assert(has_cipher(hole, "AES128-SHA") && !has_cipher(hole, "AES128-GCM-SHA256"));
  ck_assert(settings_of(conf_cmd("Options", "ServerPreference")).server_preference);
}
END_TEST

START_TEST(lists_are_those_in_force) {
  SslDirectives directives;
  directives.cipher_suite = "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256";
  directives.tls13_cipher_suite = "TLS_CHACHA20_POLY1305_SHA256";
  directives.honor_cipher_order = true;
  directives.conf_cmds = {{"Curves", "P-384:X25519"},
                          {"SignatureAlgorithms", "RSA+SHA384:ed25519"}};
  const ServerSettings settings = settings_of(directives);
  expect_text(enumerate(cipher_names(settings.ciphers)), "AES128-SHA, ECDHE-RSA-AES128-GCM-SHA256");
  expect_text(enumerate(cipher_names(settings.suites)), "TLS_CHACHA20_POLY1305_SHA256");
  expect_text(groups_of(settings), "P-384, X25519");
  expect_text(enumerate(signature_algorithm_names(settings.signature_algorithms)),
              "rsa_pkcs1_sha384, ed25519");
  ck_assert(settings.server_preference);
  const hello::Cipher& cipher = settings.ciphers[1];
  ck_assert_uint_eq(cipher.id, 0xc02f);
  ck_assert(cipher.min == Protocol::tls1_2 && cipher.max == Protocol::tls1_2);
  ck_assert(cipher.key_exchange == hello::KeyExchange::ecdhe && cipher.aead && cipher.bits == 128);
  ck_assert(settings.ciphers[0].min == Protocol::tls1_0);
}
END_TEST

START_TEST(mod_ssls_own_exclusions_hold) {
  for (const char* list : {"ALL", "ALL:!aNULL:!eNULL:!EXP", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"}) {
    for (const SslDirectives& directives : {at_level(list), conf_cmd("CipherString", list)}) {
      for (const hello::Cipher& cipher : settings_of(directives).ciphers) {
        ck_assert_msg(cipher.authentication != hello::Authentication::none && cipher.bits > 0,
                      "%s of %s", cipher.name.c_str(), list);
      }
    }
  }
}
END_TEST

START_TEST(a_security_level_hides_what_it_rules_out) {
  const ServerSettings at_0 = settings_of(at_level("ALL:@SECLEVEL=0"));
  const ServerSettings at_3 = settings_of(at_level("ALL:@SECLEVEL=3"));
  const ServerSettings at_4 = settings_of(at_level("ALL:@SECLEVEL=4"));
  expect_text(version_names(at_0.protocols), "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
  expect_text(version_names(at_3.protocols), "TLSv1.2 TLSv1.3");
  ck_assert(has_cipher(at_0, "AES128-SHA") && !has_cipher(at_3, "AES128-SHA"));
  ck_assert(has_cipher(at_3, "ECDHE-RSA-AES128-GCM-SHA256"));
  ck_assert(!has_cipher(at_4, "ECDHE-RSA-AES128-GCM-SHA256"));
  ck_assert(groups_of(at_4).find("X25519,") == std::string::npos);
  expect_contains(groups_of(at_4), "P-384");
  for (std::uint16_t algorithm : at_3.signature_algorithms) {
    ck_assert_int_ge(find_signature_algorithm(algorithm)->hash_bits, 256);
  }
}
END_TEST

// Lists of which a version, or the level, leaves nothing: then OpenSSL cannot write the ClientHello
// that would show the other lists.
START_TEST(an_empty_list_does_not_hide_the_others) {
  SslDirectives none = conf_cmd("Groups", "X25519");
  none.cipher_suite = "ALL:@SECLEVEL=4";
  const ServerSettings without_group = settings_of(none);
  ck_assert(without_group.groups.empty());
  ck_assert(!without_group.signature_algorithms.empty() && !without_group.ciphers.empty());

  const ServerSettings only_tls12 = settings_of(conf_cmd("Groups", "brainpoolP256r1"));
  expect_text(groups_of(only_tls12), "brainpoolP256r1");
  expect_text(version_names(only_tls12.protocols), "TLSv1.2 TLSv1.3");

  SslDirectives unsigned_ = conf_cmd("SignatureAlgorithms", "RSA+SHA1");
  unsigned_.cipher_suite = "ALL:@SECLEVEL=2";
  const ServerSettings without_signature = settings_of(unsigned_);
  ck_assert(without_signature.signature_algorithms.empty());
  ck_assert(!without_signature.groups.empty());
  ck_assert(has_cipher(without_signature, "ECDHE-ECDSA-AES128-GCM-SHA256"));

  SslDirectives no_suite;
  no_suite.tls13_cipher_suite = "";
  ck_assert(settings_of(no_suite).suites.empty());
  ck_assert(!settings_of(no_suite).groups.empty());
}
END_TEST

START_TEST(groups_of_other_versions_are_left_out) {
  SslDirectives directives = conf_cmd("Groups", "brainpoolP256r1:P-256:ffdhe2048");
  expect_text(groups_of(settings_of(directives)), "brainpoolP256r1, P-256, ffdhe2048");
  directives.protocols = ProtocolSet::range(Protocol::tls1_3, Protocol::tls1_3);
  expect_text(groups_of(settings_of(directives)), "P-256, ffdhe2048");
}
END_TEST

START_TEST(what_mod_ssl_refuses_is_an_error_that_names_it) {
  expect_contains(error_of(build_scratch(at_level("NOPE"))),
                  "SSLCipherSuite NOPE: no cipher match");
  SslDirectives suites;
  suites.tls13_cipher_suite = "TLS_NOPE";
  expect_contains(error_of(build_scratch(suites)), "SSLCipherSuite TLSv1.3 TLS_NOPE: ");
  expect_contains(error_of(build_scratch(conf_cmd("Groups", "P-256:nope"))),
                  "SSLOpenSSLConfCmd Groups P-256:nope: ");
  expect_contains(error_of(build_scratch(conf_cmd("NoSuchCmd", "x"))),
                  "SSLOpenSSLConfCmd NoSuchCmd x: ");
  // Files are mod_ssl's to read.
  ck_assert(build_scratch(conf_cmd("Certificate", "/nonexistent")).has_value());
  ck_assert(build_scratch(conf_cmd("DHParameters", "/nonexistent")).has_value());
}
END_TEST

START_TEST(a_curve_in_the_certificate_file_is_the_only_group) {
  const test::TempDir dir;
  // openssl ecparam -name secp384r1
  test::write_file(dir / "with",
                   "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n");
  test::write_file(dir / "without", "no PEM here\n");
  expect_text(curve_of_file(dir / "with"), "secp384r1");
  expect_text(curve_of_file(dir / "without"), "");
  expect_text(curve_of_file(dir / "missing"), "");
  ck_assert_uint_eq(ERR_peek_error(), 0);
  SslDirectives directives;
  directives.certificate_curve = "secp384r1";
  expect_text(groups_of(settings_of(directives)), "P-384");
  directives.conf_cmds = {{"Groups", "X25519"}};  // mod_ssl runs these later
  expect_text(groups_of(settings_of(directives)), "X25519");
}
END_TEST

// A context with certificates and callbacks, as a running server has it, is the same to us; and
// the same as the test server's own reckoning says.
START_TEST(what_is_read_back_is_what_a_server_has) {
  const test::Identities identities;
  test::Random random(20261120);
  for (int i = 0; i < 300; ++i) {
    const test::Server server = test::make_server(test::random_spec(random, identities));
    const std::string what = test::describe(server.spec);
    ServerSettings settings = value_of(read_back(server.context.get()));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    const ServerSettings& theirs = server.settings;
    const ProtocolSet reachable =
        server.spec.security_level >= 1
            ? theirs.protocols & ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3)
            : theirs.protocols;
    ck_assert_msg(settings.protocols == reachable, "%s", what.c_str());
    ck_assert_int_eq(settings.security_level, theirs.security_level);
    ck_assert(settings.server_preference == theirs.server_preference);
    for (const hello::Cipher& cipher : theirs.ciphers) {
      const bool usable = cipher.key_exchange != hello::KeyExchange::other &&
                          !(ProtocolSet::range(cipher.min, cipher.max) & reachable).empty();
      ck_assert_msg(!usable || has_cipher(settings, cipher.name), "%s lacks %s", what.c_str(),
                    cipher.name.c_str());
    }
    for (const hello::Cipher& cipher : settings.ciphers) {
      const bool known =
          std::any_of(theirs.ciphers.begin(), theirs.ciphers.end(), [&](const hello::Cipher& each) {
            return each.id == cipher.id && each.min == cipher.min && each.max == cipher.max &&
                   each.key_exchange == cipher.key_exchange &&
                   each.authentication == cipher.authentication;
          });
      ck_assert_msg(known, "%s: %s", what.c_str(), cipher.name.c_str());
    }
    for (std::uint16_t group : settings.groups) {
      ck_assert_msg(
          std::find(theirs.groups.begin(), theirs.groups.end(), group) != theirs.groups.end(),
          "%s: %s", what.c_str(), group_name(group).c_str());
    }
    for (std::uint16_t algorithm : settings.signature_algorithms) {
      ck_assert_msg(
          std::find(theirs.signature_algorithms.begin(), theirs.signature_algorithms.end(),
                    algorithm) != theirs.signature_algorithms.end(),
          "%s: %s", what.c_str(), signature_algorithm_name(algorithm).c_str());
    }
    if (reachable == ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3)) {
      ck_assert_msg(settings.groups == theirs.groups, "%s", what.c_str());
      ck_assert_msg(settings.signature_algorithms == theirs.signature_algorithms, "%s",
                    what.c_str());
    }
    // The context is as it was.
    ck_assert(value_of(read_back(server.context.get())) == settings);
  }
}
END_TEST

// The rule behind reachable(): at level 1 even RSA key transport, which needs no signature, fails
// in TLS 1.0 and 1.1.
START_TEST(tls10_needs_security_level_0) {
  const test::Identities identities;
  for (const char* cipher : {"AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA"}) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
      for (const int level : {0, 1, 2}) {
        test::ServerSpec spec;
        spec.min = TLS1_VERSION;
        spec.ciphers = "ALL";
        spec.security_level = level;
        spec.identities = {&identities.rsa(), &identities.p256()};
        const test::Server server = test::make_server(spec);
        const crypto::SslCtx client(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_security_level(client.get(), 0);
        SSL_CTX_set_min_proto_version(client.get(), version);
        SSL_CTX_set_max_proto_version(client.get(), version);
        ck_assert_int_eq(SSL_CTX_set_cipher_list(client.get(), cipher), 1);
        const crypto::Ssl ssl(SSL_new(client.get()));
        BIO* out = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
        SSL_connect(ssl.get());
        char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        const bool accepted = test::ask(server, {data, data + size}).accepted;
        const auto settings = value_of(read_back(server.context.get()));
        ck_assert_msg(accepted == settings.protocols.has(static_cast<Protocol>(version)),
                      "%s in version %x at level %d", cipher, version, level);
      }
    }
  }
}
END_TEST

}  // namespace
}  // namespace tlsguard::policy

namespace tlsguard::test {

Suite* context_suite() {
  Suite* suite = suite_create("context");
  TCase* tests = tcase_create("context");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, policy::without_directives_it_is_mod_ssls_default);
  tcase_add_test(tests, policy::protocols_have_no_holes);
  tcase_add_test(tests, policy::options_count_like_bounds);
  tcase_add_test(tests, policy::lists_are_those_in_force);
  tcase_add_test(tests, policy::mod_ssls_own_exclusions_hold);
  tcase_add_test(tests, policy::a_security_level_hides_what_it_rules_out);
  tcase_add_test(tests, policy::an_empty_list_does_not_hide_the_others);
  tcase_add_test(tests, policy::groups_of_other_versions_are_left_out);
  tcase_add_test(tests, policy::what_mod_ssl_refuses_is_an_error_that_names_it);
  tcase_add_test(tests, policy::a_curve_in_the_certificate_file_is_the_only_group);
  tcase_add_test(tests, policy::what_is_read_back_is_what_a_server_has);
  tcase_add_test(tests, policy::tls10_needs_security_level_0);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
