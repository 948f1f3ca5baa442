// SPDX-License-Identifier: Apache-2.0
// The verdict, case by case, each beside the rule it follows. That the rules are OpenSSL's is what
// test_verdict_openssl.cc shows.
#include "suites.h"

#include <functional>
#include <string>
#include <vector>

#include "hello/client_hello.h"
#include "hello/offer.h"
#include "hello/verdict.h"

namespace tlsguard::test {
namespace {

using hello::Authentication;
using hello::Cipher;
using hello::KeyExchange;
using hello::KeyType;
using hello::Offer;
using hello::ServerSettings;
using hello::Verdict;

Cipher cipher(std::uint16_t id, KeyExchange key_exchange, Authentication authentication,
              Protocol min = Protocol::tls1_2) {
  Cipher c;
  c.id = id;
  c.key_exchange = key_exchange;
  c.authentication = authentication;
  c.min = min;
  return c;
}

const Cipher ecdhe_ecdsa = cipher(0xC02B, KeyExchange::ecdhe, Authentication::ecdsa);
const Cipher ecdhe_rsa = cipher(0xC02F, KeyExchange::ecdhe, Authentication::rsa);
const Cipher dhe_rsa = cipher(0x009E, KeyExchange::dhe, Authentication::rsa);
const Cipher rsa = cipher(0x002F, KeyExchange::rsa, Authentication::rsa, Protocol::tls1_0);
const Cipher ecdhe_rsa_cbc =
    cipher(0xC013, KeyExchange::ecdhe, Authentication::rsa, Protocol::tls1_0);
const Cipher anonymous = cipher(0x0034, KeyExchange::dhe, Authentication::none, Protocol::tls1_0);

hello::CertificateKey key(KeyType type, int bits, std::uint16_t curve = 0,
                          std::uint16_t issuer_signature = 0x0401) {
  hello::CertificateKey k;
  k.type = type;
  k.bits = bits;
  k.curve = curve;
  k.issuer_signature = issuer_signature;
  k.chain_security_bits = 112;
  return k;
}

const hello::CertificateKey rsa_key = key(KeyType::rsa, 2048);
const hello::CertificateKey p256_key = key(KeyType::ecdsa, 256, 23);

ServerSettings settings() {
  ServerSettings s;
  s.protocols = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3);
  s.ciphers = {ecdhe_ecdsa, ecdhe_rsa, dhe_rsa};
  s.suites = {cipher(0x1301, KeyExchange::any, Authentication::any),
              cipher(0x1303, KeyExchange::any, Authentication::any)};
  s.groups = {29, 23};
  s.signature_algorithms = {0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0401};
  s.security_level = 2;
  s.keys = {rsa_key, p256_key};
  return s;
}

std::vector<hello::KeyShare> shares_for(std::initializer_list<std::uint16_t> ids) {
  std::vector<hello::KeyShare> shares;
  for (std::uint16_t id : ids) shares.push_back({id, {1, 2, 3}});
  return shares;
}

// A browser of today, without TLS 1.3 where asked.
Offer browser(bool tls1_3 = true) {
  Offer o;
  o.cipher_suites = {0x1301, 0xC02B, 0xC02F};
  o.supported_groups = {29, 23, 24};
  o.signature_algorithms = {0x0403, 0x0804, 0x0401};
  o.ec_point_formats = {0};
  if (tls1_3) {
    o.supported_versions = {0x0304, 0x0303};
    o.key_shares = shares_for({29});
  }
  return o;
}

using ChangeOffer = std::function<void(Offer&)>;
using ChangeSettings = std::function<void(ServerSettings&)>;

Verdict judged(Offer offer, const ServerSettings& server) {
  auto message = hello::build_client_hello(offer);
  auto hello = hello::parse_client_hello(message, false);
  ck_assert(hello.has_value());
  return hello::judge(*hello, server);
}

void expect(Verdict wanted, const char* what, Offer offer, const ChangeOffer& change_offer,
            const ChangeSettings& change_settings = {}) {
  ServerSettings server = settings();
  if (change_offer) change_offer(offer);
  if (change_settings) change_settings(server);
  Verdict got = judged(std::move(offer), server);
  ck_assert_msg(got == wanted, "%s: %s", what, std::string(hello::verdict_name(got)).c_str());
}

START_TEST(versions) {
  using enum Verdict;
  expect(ok, "a browser", browser(), {});
  expect(ok, "a browser of 2017", browser(false), {});
  expect(protocol, "TLS 1.1", browser(false), [](Offer& o) { o.legacy_version = 0x0302; });
  expect(protocol, "TLS 1.2 of a server that has 1.3 alone", browser(false), {},
         [](ServerSettings& s) { s.protocols.remove(Protocol::tls1_2); });
  expect(ok, "a version of the future in the old field", browser(false),
         [](Offer& o) { o.legacy_version = 0x0304; });
  expect(ok, "the old field counts for nothing", browser(),
         [](Offer& o) { o.legacy_version = 0x0301; });
  expect(protocol, "but not as SSLv3", browser(), [](Offer& o) { o.legacy_version = 0x0300; });
  expect(protocol, "an empty list", browser(), [](Offer& o) { o.supported_versions.emplace(); });
  expect(protocol, "a list of what we lack", browser(), [](Offer& o) {
    o.supported_versions = {0x0302, 0x7A7A};
  });
  expect(protocol, "a fallback from 1.3", browser(false),
         [](Offer& o) { o.cipher_suites.push_back(0x5600); });
  expect(
      ok, "no fallback where 1.2 is our best", browser(false),
      [](Offer& o) { o.cipher_suites.push_back(0x5600); },
      [](ServerSettings& s) { s.protocols.remove(Protocol::tls1_3); });
  expect(protocol, "a second compression method in 1.3", browser(), [](Offer& o) {
    o.compression_methods = {1, 0};
  });
  expect(ok, "a second compression method in 1.2", browser(false), [](Offer& o) {
    o.compression_methods = {1, 0};
  });
  expect(
      protocol, "no extended master secret where it is a must", browser(false),
      [](Offer& o) { o.extended_master_secret = false; },
      [](ServerSettings& s) { s.require_extended_master_secret = true; });
}
END_TEST

START_TEST(version2_hello) {
  Offer offer = browser(false);
  ServerSettings server = settings();
  server.ciphers = {rsa};
  offer.cipher_suites = {rsa.id};
  auto verdict = [&](std::uint16_t version) {
    offer.legacy_version = version;
    auto record = hello::build_version2_hello(offer);
    auto hello = hello::parse_client_hello(std::span(record).subspan(2), true);
    ck_assert(hello.has_value());
    return hello::judge(*hello, server);
  };
  ck_assert(verdict(0x0002) == Verdict::protocol);
  ck_assert(verdict(0x0301) == Verdict::protocol);
  // TLS 1.2 without signature_algorithms: SHA-1, which this server does not have.
  ck_assert(verdict(0x0303) == Verdict::signature);
  server.signature_algorithms.push_back(0x0201);
  ck_assert(verdict(0x0303) == Verdict::ok);
  ck_assert(verdict(0x0403) == Verdict::protocol);
}
END_TEST

START_TEST(ciphers) {
  using enum Verdict;
  expect(cipher, "no TLS 1.3 suite in common", browser(), [](Offer& o) {
    o.cipher_suites = {0x1302, 0xC02B};
  });
  expect(cipher, "no cipher in common", browser(false), [](Offer& o) {
    o.cipher_suites = {0xC02C, 0x1301};
  });
  expect(
      cipher, "a cipher for another certificate", browser(false),
      [](Offer& o) { o.cipher_suites = {ecdhe_ecdsa.id}; },
      [](ServerSettings& s) { s.keys = {rsa_key}; });
  expect(ok, "DHE", browser(false), [](Offer& o) { o.cipher_suites = {dhe_rsa.id}; });
  expect(
      cipher, "DHE without parameters", browser(false),
      [](Offer& o) { o.cipher_suites = {dhe_rsa.id}; },
      [](ServerSettings& s) { s.allow_dhe = false; });
  expect(
      cipher, "DHE with weak parameters", browser(false),
      [](Offer& o) { o.cipher_suites = {dhe_rsa.id}; },
      [](ServerSettings& s) { s.dh_security_bits = 80; });
  expect(
      cipher, "a TLS 1.2 cipher in TLS 1.1", browser(false),
      [](Offer& o) { o.legacy_version = 0x0302; },
      [](ServerSettings& s) { s.protocols.add(Protocol::tls1_1); });
  expect(
      ok, "RSA key exchange", browser(false), [](Offer& o) { o.cipher_suites = {rsa.id}; },
      [](ServerSettings& s) { s.ciphers = {rsa}; });
  expect(
      cipher, "RSA key exchange with an RSA-PSS key", browser(false),
      [](Offer& o) { o.cipher_suites = {rsa.id}; },
      [](ServerSettings& s) {
        s.ciphers = {rsa};
        s.keys = {key(KeyType::rsa_pss, 2048)};
      });
  expect(
      ok, "an anonymous cipher needs neither group nor certificate", browser(false),
      [](Offer& o) {
        o.cipher_suites = {anonymous.id};
        o.supported_groups.reset();
        o.signature_algorithms.reset();
      },
      [](ServerSettings& s) {
        s.ciphers = {anonymous};
        s.keys.clear();
      });
}
END_TEST

START_TEST(groups) {
  using enum Verdict;
  expect(
      group, "no group in common, 1.2", browser(false),
      [](Offer& o) {
        o.supported_groups = {24, 25};
      },
      [](ServerSettings& s) { s.keys = {rsa_key}; });
  expect(group, "no group in common, 1.3", browser(), [](Offer& o) {
    o.supported_groups = {24};
    o.key_shares = shares_for({24});
  });
  expect(
      group, "no groups named, though RFC 8422 would let the server choose", browser(false),
      [](Offer& o) { o.supported_groups.reset(); }, [](ServerSettings& s) { s.keys = {rsa_key}; });
  expect(ok, "no groups named, and none needed", browser(false), [](Offer& o) {
    o.supported_groups.reset();
    o.cipher_suites = {dhe_rsa.id};
  });
  expect(
      group, "the client does not take the certificate's curve", browser(false),
      [](Offer& o) {
        o.supported_groups = {29, 24};
      },
      [](ServerSettings& s) { s.keys = {p256_key}; });
  expect(
      ok, "which is no matter in 1.3", browser(),
      [](Offer& o) {
        o.supported_groups = {29, 24};
      },
      [](ServerSettings& s) { s.keys = {p256_key}; });
  expect(
      group, "a group that TLS 1.2 does not have", browser(false),
      [](Offer& o) { o.supported_groups = {256}; },
      [](ServerSettings& s) {
        s.groups = {256};
        s.keys = {rsa_key};
      });
  expect(
      group, "a curve that TLS 1.3 does not have", browser(),
      [](Offer& o) {
        o.supported_groups = {26};
        o.key_shares.emplace();
      },
      [](ServerSettings& s) { s.groups = {26}; });
  expect(ok, "another share is asked for", browser(), [](Offer& o) { o.key_shares.emplace(); });
  expect(ok, "a share for a group we lack", browser(),
         [](Offer& o) { o.key_shares = shares_for({24}); });
  expect(group, "a share for a group the client does not name", browser(), [](Offer& o) {
    o.supported_groups = {29};
    o.key_shares = shares_for({23});
  });
  expect(ok, "unless one before it will do", browser(), [](Offer& o) {
    o.supported_groups = {29};
    o.key_shares = shares_for({29, 23});
  });
  expect(group, "no key_share", browser(), [](Offer& o) { o.key_shares.reset(); });
  expect(group, "no supported_groups", browser(), [](Offer& o) { o.supported_groups.reset(); });
}
END_TEST

START_TEST(signatures) {
  using enum Verdict;
  expect(signature, "nothing in common", browser(), [](Offer& o) {
    o.signature_algorithms = {0x0603, 0x0601};
  });
  expect(signature, "not sent in 1.3", browser(), [](Offer& o) { o.signature_algorithms.reset(); });
  expect(signature, "PKCS #1 alone in 1.3", browser(),
         [](Offer& o) { o.signature_algorithms = {0x0401}; });
  expect(ok, "PKCS #1 alone in 1.2", browser(false), [](Offer& o) {
    o.signature_algorithms = {0x0401};
    o.cipher_suites = {ecdhe_rsa.id};
  });
  expect(
      signature, "the curve of the scheme in 1.3", browser(),
      [](Offer& o) { o.signature_algorithms = {0x0503}; },
      [](ServerSettings& s) { s.keys = {p256_key}; });
  expect(
      ok, "no curve in the scheme in 1.2", browser(false),
      [](Offer& o) { o.signature_algorithms = {0x0503}; },
      [](ServerSettings& s) { s.keys = {p256_key}; });
  expect(
      signature, "a key too short for PSS with SHA-512", browser(),
      [](Offer& o) { o.signature_algorithms = {0x0806}; },
      [](ServerSettings& s) {
        s.security_level = 0;
        s.keys = {key(KeyType::rsa, 1024)};
      });
  expect(
      signature, "no ECDSA scheme for the one certificate there is", browser(false),
      [](Offer& o) { o.signature_algorithms = {0x0401}; },
      [](ServerSettings& s) { s.keys = {p256_key}; });
  expect(ok, "then the cipher of the other certificate", browser(false),
         [](Offer& o) { o.signature_algorithms = {0x0401}; });
  expect(signature, "OpenSSL settles on RSA before it looks", browser(false), [](Offer& o) {
    o.signature_algorithms = {0x0403};
    o.cipher_suites = {ecdhe_rsa.id, ecdhe_ecdsa.id};
  });
  expect(
      ok, "which the server's preference averts", browser(false),
      [](Offer& o) {
        o.signature_algorithms = {0x0403};
        o.cipher_suites = {ecdhe_rsa.id, ecdhe_ecdsa.id};
      },
      [](ServerSettings& s) { s.server_preference = true; });
  expect(
      ok, "Ed25519 in 1.2", browser(false), [](Offer& o) { o.signature_algorithms = {0x0807}; },
      [](ServerSettings& s) {
        s.keys = {key(KeyType::ed25519, 256)};
        s.signature_algorithms = {0x0807};
      });
  expect(
      signature, "an RSA-PSS key bound to another hash", browser(),
      [](Offer& o) { o.signature_algorithms = {0x0809}; },
      [](ServerSettings& s) {
        s.keys = {key(KeyType::rsa_pss, 2048)};
        s.keys[0].pss_hash_bits = 384;
        s.signature_algorithms = {0x0809, 0x080A};
      });
}
END_TEST

START_TEST(certificate_signatures) {
  using enum Verdict;
  auto rsa_only = [](ServerSettings& s) { s.keys = {rsa_key}; };
  expect(
      ok, "signed as the client wants", browser(),
      [](Offer& o) { o.signature_algorithms_cert = {0x0401}; }, rsa_only);
  expect(
      signature, "signed otherwise", browser(),
      [](Offer& o) { o.signature_algorithms_cert = {0x0403}; }, rsa_only);
  expect(
      signature, "signed otherwise, 1.2", browser(false),
      [](Offer& o) { o.signature_algorithms_cert = {0x0403}; }, rsa_only);
  expect(
      ok, "no word of it in the versions before", browser(false),
      [](Offer& o) {
        o.legacy_version = 0x0302;
        o.signature_algorithms_cert = {0x0403};
        o.cipher_suites = {ecdhe_rsa_cbc.id};
      },
      [](ServerSettings& s) {
        s.keys = {rsa_key};
        s.protocols.add(Protocol::tls1_1);
        s.ciphers = {ecdhe_rsa_cbc};
        s.security_level = 0;
      });
  expect(
      signature, "by an algorithm TLS has no name for", browser(),
      [](Offer& o) { o.signature_algorithms_cert = {0x0401}; },
      [](ServerSettings& s) { s.keys = {key(KeyType::rsa, 2048, 0, 0)}; });
  expect(
      ok, "rsa_pss_pss and rsa_pss_rsae are one here", browser(),
      [](Offer& o) { o.signature_algorithms_cert = {0x0809}; },
      [](ServerSettings& s) { s.keys = {key(KeyType::rsa, 2048, 0, 0x0804)}; });
}
END_TEST

START_TEST(security_levels) {
  using enum Verdict;
  auto old_client = [](Offer& o) {
    o.legacy_version = 0x0301;
    o.signature_algorithms.reset();
    o.cipher_suites = {ecdhe_rsa_cbc.id};
  };
  auto old_server = [](ServerSettings& s) {
    s.protocols = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);
    s.ciphers = {ecdhe_rsa_cbc};
    s.security_level = 0;
  };
  expect(ok, "TLS 1.0", browser(false), old_client, old_server);
  expect(signature, "TLS 1.0 signs with MD5 and SHA-1", browser(false), old_client,
         [&](ServerSettings& s) {
           old_server(s);
           s.security_level = 1;
         });
  expect(signature, "no signature_algorithms in 1.2: SHA-1", browser(false),
         [](Offer& o) { o.signature_algorithms.reset(); });
  expect(signature, "a certificate chain below the level", browser(), {},
         [](ServerSettings& s) { s.security_level = 3; });
  expect(
      ok, "a curve of 256 bits at level 3", browser(false),
      [](Offer& o) { o.cipher_suites = {ecdhe_ecdsa.id}; },
      [](ServerSettings& s) {
        s.security_level = 3;
        s.keys = {p256_key};
        s.keys[0].chain_security_bits = 128;
      });
  expect(
      cipher, "but not at level 4", browser(false),
      [](Offer& o) { o.cipher_suites = {ecdhe_ecdsa.id}; },
      [](ServerSettings& s) {
        s.security_level = 4;
        s.keys = {p256_key};
      });
  expect(
      cipher, "a key that may not sign", browser(false),
      [](Offer& o) { o.cipher_suites = {ecdhe_ecdsa.id}; },
      [](ServerSettings& s) { s.keys[1].may_sign = false; });
}
END_TEST

START_TEST(first_obstacle_counts) {
  using enum Verdict;
  auto nothing_fits = [](Offer& o) {
    o.supported_groups = {25};
    o.signature_algorithms = {0x0603};
    o.cipher_suites = {0x1301, ecdhe_ecdsa.id};
  };
  expect(group, "group before signature, 1.2", browser(false), nothing_fits);
  expect(group, "group before signature, 1.3", browser(), [&](Offer& o) {
    nothing_fits(o);
    o.key_shares.emplace();
  });
  expect(cipher, "cipher before both", browser(false), [&](Offer& o) {
    nothing_fits(o);
    o.cipher_suites = {rsa.id};
  });
  expect(signature, "a cipher without group, then the signature", browser(false), [&](Offer& o) {
    nothing_fits(o);
    o.cipher_suites.push_back(dhe_rsa.id);
  });
}
END_TEST

START_TEST(names) {
  std::string all;
  for (Verdict verdict : hello::all_verdicts)
    all += std::string(hello::verdict_name(verdict)) + " ";
  ck_assert_str_eq(all.c_str(), "ok protocol cipher group signature sni ");
}
END_TEST

}  // namespace

Suite* verdict_suite() {
  Suite* suite = suite_create("verdict");
  TCase* tcase = tcase_create("verdict");
  tcase_add_test(tcase, versions);
  tcase_add_test(tcase, version2_hello);
  tcase_add_test(tcase, ciphers);
  tcase_add_test(tcase, groups);
  tcase_add_test(tcase, signatures);
  tcase_add_test(tcase, certificate_signatures);
  tcase_add_test(tcase, security_levels);
  tcase_add_test(tcase, first_obstacle_counts);
  tcase_add_test(tcase, names);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
