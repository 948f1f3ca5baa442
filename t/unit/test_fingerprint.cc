// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "hello/client_hello.h"
#include "hello/extension.h"
#include "hello/fingerprint.h"
#include "hello/verdict.h"
#include "random_offer.h"
#include "random_server.h"

namespace tlsguard::test {
namespace {

using hello::Offer;

constexpr std::uint64_t seed = 0x0123456789abcdef;

std::uint64_t fingerprint(const Offer& offer, std::uint64_t key = seed) {
  auto message = hello::build_client_hello(offer);
  auto hello = hello::parse_client_hello(message, false);
  ck_assert(hello.has_value());
  return hello::fingerprint(*hello, key);
}

Offer browser() {
  Offer o;
  o.cipher_suites = {0x1A1A, 0x1301, 0x1302, 0xC02B, 0xC02F};
  o.supported_versions = {0x2A2A, 0x0304, 0x0303};
  o.supported_groups = {0x3A3A, 29, 23};
  o.signature_algorithms = {0x0403, 0x0804, 0x0401};
  o.signature_algorithms_cert = {0x0403, 0x0401};
  o.key_shares = {hello::KeyShare{0x3A3A, {0}}, hello::KeyShare{29, {1, 2}}};
  o.psk_key_exchange_modes = {1};
  return o;
}

using Change = std::function<void(Offer&)>;

START_TEST(one_program_has_one) {
  const std::vector<Change> changes{
      [](Offer& o) { o.random.fill(9); },
      [](Offer& o) { o.session_id.assign(32, 1); },
      [](Offer& o) { o.server_name = "www.example.org"; },
      [](Offer& o) { o.alpn = {"h2"}; },
      [](Offer& o) { o.session_ticket = true; },
      [](Offer& o) { o.key_shares->pop_back(); },
      [](Offer& o) {
        o.key_shares = {hello::KeyShare{23, {5}}};
      },
      [](Offer& o) { o.cipher_suites[0] = 0xFAFA; },
      [](Offer& o) { o.supported_versions->at(0) = 0xFAFA; },
      [](Offer& o) {
        o.supported_groups->at(0) = 0xFAFA;
        o.key_shares->at(0).group = 0xFAFA;
      },
      [](Offer& o) {
        o.other_extensions = {{0x5A5A, {}}, {21, {0, 0, 0}}};
      },
      [](Offer& o) {
        o.other_extensions = {{hello::ext_pre_shared_key, {0, 7, 0, 1, 'i', 0, 0, 0, 0, 0, 0}}};
      },
  };
  std::uint64_t wanted = fingerprint(browser());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Offer offer = browser();
    changes[i](offer);
    ck_assert_msg(fingerprint(offer) == wanted, "change %zu", i);
  }
}
END_TEST

START_TEST(all_that_decides_is_in_it) {
  const std::vector<Change> changes{
      [](Offer&) {},
      [](Offer& o) { o.legacy_version = 0x0302; },
      [](Offer& o) { o.cipher_suites.pop_back(); },
      [](Offer& o) { std::swap(o.cipher_suites[1], o.cipher_suites[2]); },
      [](Offer& o) { o.supported_versions->pop_back(); },
      [](Offer& o) { o.supported_versions.reset(); },
      [](Offer& o) { o.supported_groups->pop_back(); },
      [](Offer& o) { o.supported_groups->push_back(24); },
      [](Offer& o) { o.supported_groups.reset(); },
      [](Offer& o) { o.supported_groups = {29}; },
      [](Offer& o) { o.signature_algorithms->pop_back(); },
      [](Offer& o) { o.signature_algorithms.reset(); },
      [](Offer& o) { o.signature_algorithms_cert->pop_back(); },
      [](Offer& o) { o.signature_algorithms_cert.reset(); },
      [](Offer& o) { std::swap(o.signature_algorithms, o.signature_algorithms_cert); },
      [](Offer& o) { o.key_shares.reset(); },
      [](Offer& o) {
        o.key_shares = {hello::KeyShare{24, {1}}};
      },
      [](Offer& o) {
        o.key_shares = {hello::KeyShare{25, {1}}};
      },
      [](Offer& o) { o.extended_master_secret = false; },
      [](Offer& o) {
        o.compression_methods = {1, 0};
      },
      [](Offer& o) {
        o.other_extensions = {{hello::ext_srp, {}}};
      },
  };
  std::set<std::uint64_t> seen;
  for (const Change& change : changes) {
    Offer offer = browser();
    change(offer);
    seen.insert(fingerprint(offer));
  }
  ck_assert_uint_eq(seen.size(), changes.size());
}
END_TEST

START_TEST(the_seed_counts) {
  ck_assert(fingerprint(browser(), 1) != fingerprint(browser(), 2));
  ck_assert(fingerprint(browser(), 1) == fingerprint(browser(), 1));
}
END_TEST

START_TEST(the_format_counts) {
  Offer offer;
  offer.cipher_suites = {0x0035};
  offer.extended_master_secret = offer.renegotiation_info = false;
  auto record = hello::build_version2_hello(offer);
  auto version2 = hello::parse_client_hello(std::span(record).subspan(2), true);
  ck_assert(version2.has_value());
  ck_assert(hello::fingerprint(*version2, seed) != fingerprint(offer));
}
END_TEST

// One fingerprint, one verdict: whatever the settings, and however odd the hello.
START_TEST(the_verdict_follows) {
  Identities identities;
  Random random(7627);
  Shares shares;
  std::vector<Server> servers;
  for (int i = 0; i < 20; ++i) servers.push_back(make_server(random_spec(random, identities)));
  std::map<std::uint64_t, std::vector<hello::Verdict>> known;
  int again = 0;
  for (int i = 0; i < 2000; ++i) {
    Offer original = random_offer(random, shares);
    for (int j = 0; j < 4; ++j) {
      auto message = hello::build_client_hello(original);
      if (j > 0) message = mutate(message, random);
      auto hello = hello::parse_client_hello(message, false);
      if (!hello) continue;
      std::vector<hello::Verdict> verdicts;
      for (const Server& server : servers) {
        verdicts.push_back(hello::judge(*hello, server.settings));
      }
      auto [entry, inserted] = known.try_emplace(hello::fingerprint(*hello, seed), verdicts);
      if (!inserted) ++again;
      ck_assert(entry->second == verdicts);
    }
  }
  ck_assert_int_gt(again, 200);
}
END_TEST

}  // namespace

Suite* fingerprint_suite() {
  Suite* suite = suite_create("fingerprint");
  TCase* tcase = tcase_create("fingerprint");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, one_program_has_one);
  tcase_add_test(tcase, all_that_decides_is_in_it);
  tcase_add_test(tcase, the_seed_counts);
  tcase_add_test(tcase, the_format_counts);
  tcase_add_test(tcase, the_verdict_follows);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
