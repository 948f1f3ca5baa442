// SPDX-License-Identifier: Apache-2.0
// The verdict against OpenSSL itself: ClientHellos of all kinds are put to a real server, and what
// it answers is what judge() said. The seeds are fixed: a failure shows again.
#include "suites.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <map>

#include "hello/client_hello.h"
#include "hello/extension.h"
#include "hello/fingerprint.h"
#include "hello/server_hello.h"
#include "hello/verdict.h"
#include "random_offer.h"
#include "random_server.h"
#include "tls_server.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using Message = std::vector<std::uint8_t>;

// Enough of it for Check, which gives up on a longer text.
std::string hex(const Message& bytes) {
  std::string text;
  for (std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text.substr(0, 3000);
}

struct Tally {
  std::map<std::string, int> count;
  int cases = 0;
  int unreadable = 0;
  int bad_points = 0;
};

bool alert_fits(Verdict verdict, const hello::ClientHello& hello, const Answer& answer) {
  int alert = answer.alert;
  switch (verdict) {
    case Verdict::ok:
      return alert == -1;
    case Verdict::protocol:
      // A hello malformed for some version may be refused for that, by the alert of the case.
      if (!hello.malformed_for.empty()) return alert != 80;
      // SSLv3 has no alert protocol_version.
      return alert == 70 || alert == 86 || (alert == 40 && hello.legacy_version == 0x0300);
    case Verdict::cipher:
      return alert == 40;
    case Verdict::group:
      return alert == 40 || alert == 47 || alert == 109;
    case Verdict::signature:
      return alert == 40 || alert == 80 || alert == 109;
    case Verdict::sni:
      return false;
  }
  return false;
}

// What OpenSSL names as its reason leaves only some verdicts.
bool reason_fits(Verdict verdict, const hello::ClientHello& hello, int reason) {
  // OpenSSL may have found another fault before it came to the malformed extension.
  if (verdict == Verdict::protocol && !hello.malformed_for.empty()) return true;
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_BAD_LEGACY_VERSION:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_UNKNOWN_PROTOCOL:
      return verdict == Verdict::protocol;
    case SSL_R_NO_SHARED_CIPHER:
      return verdict == Verdict::cipher || verdict == Verdict::group ||
             verdict == Verdict::signature;
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_MISSING_SUPPORTED_GROUPS_EXTENSION:
      return verdict == Verdict::group;
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_WRONG_SIGNATURE_TYPE:
      return verdict == Verdict::signature;
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
      return verdict == Verdict::signature;
    default:
      return verdict != Verdict::ok;
  }
}

// No pure function knows whether a point is on its curve, or a number in its field.
bool bad_share(const hello::ClientHello& hello, const Answer& answer) {
  if (answer.reason == SSL_R_BAD_ECPOINT) return true;
  bool finite_field = false;
  hello::Reader reader(hello.key_shares);
  std::uint16_t group = 0;
  hello::Bytes key;
  while (reader.u16(group) && reader.vector16(key)) finite_field |= group >= 256 && group <= 260;
  return finite_field && answer.alert == 80 && answer.reason == ERR_R_INTERNAL_ERROR;
}

void compare(const Server& server, const Message& message, bool version2, const Answer& answer,
             Tally& tally) {
  ++tally.cases;
  auto parsed = hello::parse_client_hello(message, version2);
  if (!parsed) {
    ++tally.unreadable;
    ck_assert_msg(!answer.accepted, "accepted, but not read: %s\n%s", hex(message).c_str(),
                  describe(server.spec).c_str());
    return;
  }
  Verdict verdict = hello::judge(*parsed, server.settings);
  if ((verdict == Verdict::ok || verdict == Verdict::signature) && bad_share(*parsed, answer)) {
    ++tally.bad_points;
    return;
  }
  bool agree = answer.accepted == (verdict == Verdict::ok) &&
               (answer.accepted || (alert_fits(verdict, *parsed, answer) &&
                                    reason_fits(verdict, *parsed, answer.reason)));
  ck_assert_msg(agree, "verdict %s, OpenSSL: alert %d %s\nhello %s\n%s",
                std::string(hello::verdict_name(verdict)).c_str(), answer.alert,
                answer.error.c_str(), hex(message).c_str(), describe(server.spec).c_str());
  // What the module reads from the context leads to the same, but for the name of the obstacle.
  Verdict by_read_back = hello::judge(*parsed, server.read_back);
  ck_assert_msg((by_read_back == Verdict::ok) == (verdict == Verdict::ok),
                "verdict %s, from the settings read back %s\nhello %s\n%s",
                std::string(hello::verdict_name(verdict)).c_str(),
                std::string(hello::verdict_name(by_read_back)).c_str(), hex(message).c_str(),
                describe(server.spec).c_str());
  ++tally.count[std::string(hello::verdict_name(verdict))];
}

// Each verdict came up often enough for the comparison to mean something.
void expect_all(const Tally& tally, int least) {
  for (Verdict verdict : hello::all_verdicts) {
    if (verdict == Verdict::sni) continue;
    std::string name(hello::verdict_name(verdict));
    auto entry = tally.count.find(name);
    int count = entry == tally.count.end() ? 0 : entry->second;
    ck_assert_msg(count >= least, "%s: %d", name.c_str(), count);
  }
}

void report(const char* what, const Tally& tally) {
  std::string text = fmt::format("{}: {} cases", what, tally.cases);
  for (const auto& [name, count] : tally.count) text += fmt::format(", {} {}", name, count);
  fmt::print(stderr, "{}, unreadable {}, bad points {}\n", text, tally.unreadable,
             tally.bad_points);
}

// What the client would send after a HelloRetryRequest: one share for the group asked for, and no
// early data (RFC 8446 4.1.2).
Message second_hello(hello::Offer offer, Shares& shares, const Message& output) {
  hello::AnswerParser parser;
  parser.feed(output);
  ck_assert(parser.answer().hello && parser.answer().hello->retry_request);
  std::uint16_t group = parser.answer().hello->group;
  offer.key_shares = {{group, shares.of(group)}};
  std::erase_if(offer.other_extensions,
                [](const auto& extension) { return extension.first == hello::ext_early_data; });
  return hello::in_records(hello::build_client_hello(offer), 0x0303);
}

struct Hello {
  Message message;
  Message records;
  bool version2 = false;
};

Hello encode(const hello::Offer& offer, bool version2) {
  Hello hello;
  hello.version2 = version2;
  if (version2) {
    hello.records = hello::build_version2_hello(offer);
    hello.message.assign(hello.records.begin() + 2, hello.records.end());
  } else {
    hello.message = hello::build_client_hello(offer);
    hello.records = hello::in_records(hello.message);
  }
  return hello;
}

START_TEST(built_byte_by_byte) {
  Identities identities;
  Shares shares;
  Random random(20261120);
  Tally tally;
  for (int i = 0; i < 250; ++i) {
    Server server = make_server(random_spec(random, identities));
    for (int j = 0; j < 30; ++j) {
      hello::Offer offer = random_offer(random, shares);
      Hello hello = encode(offer, random.chance(3));
      Answer answer = ask(server, hello.records, [&](const Message& output) {
        return second_hello(offer, shares, output);
      });
      compare(server, hello.message, hello.version2, answer, tally);
    }
  }
  report("built", tally);
  expect_all(tally, 500);
}
END_TEST

// Servers as people run them, from lax to strict, with an RSA and an ECDSA certificate, and both.
std::vector<Server> usual_servers(const Identities& identities) {
  ServerSpec lax;
  lax.min = TLS1_VERSION;
  lax.ciphers = "ALL";
  lax.security_level = 0;
  ServerSpec middle;
  middle.ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM";
  middle.groups = "X25519:P-256:P-384";
  middle.security_level = 2;
  ServerSpec strict;
  strict.options = SSL_OP_CIPHER_SERVER_PREFERENCE;
  strict.ciphers = "ECDHE+AESGCM";
  strict.groups = "P-384";
  strict.sigalgs = "ECDSA+SHA384:RSA-PSS+SHA384";
  strict.security_level = 2;
  ServerSpec modern = middle;
  modern.min = TLS1_3_VERSION;
  std::vector<Server> servers;
  for (ServerSpec spec : {lax, middle, strict, modern}) {
    for (auto keys : {std::vector<const Identity*>{&identities.rsa()},
                      {&identities.p256()},
                      {&identities.rsa(), &identities.p384()}}) {
      spec.identities = keys;
      servers.push_back(make_server(spec));
    }
  }
  return servers;
}

struct ClientSpec {
  int min;
  int max;
  const char* ciphers;
  const char* groups;
  const char* sigalgs;
  bool fallback;
};

std::vector<ClientSpec> clients() {
  std::vector<ClientSpec> result;
  constexpr std::pair<int, int> versions[]{
      {TLS1_VERSION, TLS1_VERSION},   {TLS1_VERSION, TLS1_1_VERSION},
      {TLS1_VERSION, TLS1_2_VERSION}, {TLS1_2_VERSION, TLS1_3_VERSION},
      {TLS1_VERSION, TLS1_3_VERSION}, {TLS1_3_VERSION, TLS1_3_VERSION}};
  for (auto [min, max] : versions) {
    for (const char* ciphers : {"ALL", "ECDHE+AESGCM", "kRSA+AES", "aECDSA+AES", "DHE+AES"}) {
      for (const char* groups : {"X25519:P-256:P-384", "P-384", "X448"}) {
        for (const char* sigalgs : {"", "RSA-PSS+SHA256:RSA+SHA256", "ECDSA+SHA256:ECDSA+SHA384"}) {
          result.push_back({min, max, ciphers, groups, sigalgs, result.size() % 7 == 0});
        }
      }
    }
  }
  return result;
}

// Empty where the client finds nothing to offer.
Message hello_of(const ClientSpec& spec) {
  crypto::SslCtx context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), spec.min);
  SSL_CTX_set_max_proto_version(context.get(), spec.max);
  ck_assert(SSL_CTX_set_cipher_list(context.get(), spec.ciphers));
  ck_assert(SSL_CTX_set1_groups_list(context.get(), spec.groups));
  if (*spec.sigalgs != 0) ck_assert(SSL_CTX_set1_sigalgs_list(context.get(), spec.sigalgs));
  if (spec.fallback) SSL_CTX_set_mode(context.get(), SSL_MODE_SEND_FALLBACK_SCSV);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
  // OpenSSL 3.2 and later look into compress_certificate, 3.0 does not: not for the verdict.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
  return client_hello_of(context.get(), [](SSL* ssl) {
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>("www.example.org"));
  });
}

START_TEST(written_by_openssl) {
  Identities identities;
  std::vector<Server> servers = usual_servers(identities);
  Tally tally;
  for (const ClientSpec& client : clients()) {
    Message message = hello_of(client);
    if (message.empty()) continue;
    for (const Server& server : servers) {
      compare(server, message, false, ask(server, hello::in_records(message)), tally);
    }
  }
  report("written by OpenSSL", tally);
  ck_assert_int_eq(tally.unreadable, 0);
  expect_all(tally, 50);
}
END_TEST

START_TEST(changed_at_random) {
  Identities identities;
  std::vector<Server> servers = usual_servers(identities);
  Shares shares;
  Random random(8446);
  std::vector<ClientSpec> all = clients();
  Tally tally;
  for (int i = 0; i < 300; ++i) {
    Message original = hello_of(random.pick(all));
    if (original.empty()) original = hello::build_client_hello(random_offer(random, shares));
    for (int j = 0; j < 15; ++j) {
      Message message = mutate(original, random);
      const Server& server = servers[random.below(servers.size())];
      compare(server, message, false, ask(server, hello::in_records(message)), tally);
    }
  }
  report("changed at random", tally);
  expect_all(tally, 50);
}
END_TEST

}  // namespace

Suite* verdict_openssl_suite() {
  Suite* suite = suite_create("verdict against OpenSSL");
  TCase* tcase = tcase_create("verdict against OpenSSL");
  tcase_set_timeout(tcase, 600);  // valgrind takes its time
  tcase_add_test(tcase, built_byte_by_byte);
  tcase_add_test(tcase, written_by_openssl);
  tcase_add_test(tcase, changed_at_random);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
