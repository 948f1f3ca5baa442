// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "expect.h"
#include "hello/client_hello.h"
#include "hello/offer.h"
#include "live/mix.h"
#include "live/offers.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::Judge;
using live::Offer;
using live::OfferFacts;
using live::OfferTable;
using live::Verdicts;

Verdicts refused(Verdict verdict = Verdict::protocol) {
  Verdicts verdicts;
  verdicts.set(Judge::modern, verdict);
  return verdicts;
}

// Facts that follow from the tag, so that those of another are seen.
OfferFacts facts_for(std::uint32_t tag) {
  OfferFacts facts;
  std::uint64_t digits = live::mix(tag);
  facts.highest_version = static_cast<std::uint16_t>(digits);
  facts.ciphers = static_cast<std::uint8_t>(digits >> 16);
  for (std::size_t i = 0; i < live::offer_flags.size(); ++i) {
    facts.*live::offer_flags[i].member = (digits >> (24 + i) & 1) != 0;
  }
  return facts;
}

void count(OfferTable& table, std::uint32_t tag, std::uint32_t now, Verdicts verdicts = refused()) {
  if (live::count_known_offer(table, tag, verdicts, now)) return;
  live::put_offer(table, tag, facts_for(tag), verdicts, now);
}

START_TEST(an_offer_is_counted_and_described) {
  OfferTable table;
  ck_assert(live::read_offers(table).empty());
  ck_assert(!live::count_known_offer(table, 77, refused(), 1000));
  count(table, 77, 1000);
  count(table, 77, 1001);
  count(table, 77, 1005);
  ck_assert(live::count_known_offer(table, 77, refused(), 1009));
  auto offers = live::read_offers(table);
  ck_assert_uint_eq(offers.size(), 1);
  Offer wanted{77, facts_for(77), refused(), 4, 1000, 1009};
  ck_assert(offers[0] == wanted);
}
END_TEST

START_TEST(other_verdicts_take_the_place_of_old_ones) {
  OfferTable table;
  count(table, 77, 1000);
  ck_assert(!live::count_known_offer(table, 77, refused(Verdict::cipher), 1001));
  count(table, 77, 1001, refused(Verdict::cipher));
  auto offers = live::read_offers(table);
  ck_assert_uint_eq(offers.size(), 1);
  ck_assert_uint_eq(offers[0].count, 2);
  ck_assert(offers[0].verdicts == refused(Verdict::cipher));
  live::clear_judge(table, Judge::modern);
  offers = live::read_offers(table);
  ck_assert(offers[0].verdicts == Verdicts());
  ck_assert(offers[0].facts == facts_for(77));
}
END_TEST

START_TEST(the_least_recently_seen_goes) {
  OfferTable table;
  for (std::uint32_t i = 0; i < live::offer_slots; ++i) count(table, 100 + i, 1000 + i);
  count(table, 100, 2000);  // so 101 is the oldest now
  count(table, 500, 2001);
  std::map<std::uint32_t, Offer> offers;
  for (const Offer& offer : live::read_offers(table)) offers[offer.tag] = offer;
  ck_assert_uint_eq(offers.size(), live::offer_slots);
  ck_assert(!offers.contains(101));
  ck_assert_uint_eq(offers[100].count, 2);
  ck_assert_uint_eq(offers[500].count, 1);
  ck_assert_int_eq(offers[500].first_seen, 2001);
  ck_assert(offers[500].facts == facts_for(500));
}
END_TEST

START_TEST(tags_differ_by_fingerprint_and_server_name) {
  std::map<std::uint32_t, int> tags;
  for (std::uint64_t fingerprint = 0; fingerprint < 5000; ++fingerprint) {
    ++tags[live::offer_tag(fingerprint, true)];
    ++tags[live::offer_tag(fingerprint, false)];
  }
  ck_assert_uint_ge(tags.size(), 9999);  // two of 10,000 share one in 2^32 about once in 86 times
  ck_assert(!tags.contains(0));
}
END_TEST

START_TEST(a_count_that_is_full_stays) {
  OfferTable table;
  live::add_offer(table, {77, facts_for(77), refused(), 0xfffffffe, 1000, 1001});
  for (int i = 0; i < 3; ++i) count(table, 77, 1002);
  auto offers = live::read_offers(table);
  ck_assert_uint_eq(offers[0].tag, 77);
  ck_assert_uint_eq(offers[0].count, 0xffffffff);
  live::add_offer(table, {78, facts_for(78), refused(), ~std::uint64_t{0}, 1000, 1001});
  offers = live::read_offers(table);
  ck_assert_uint_eq(offers.size(), 2);
  ck_assert_uint_eq(offers[1].count, 0xffffffff);
}
END_TEST

START_TEST(offers_move_from_table_to_table) {
  OfferTable from;
  OfferTable to;
  count(from, 77, 1000);
  count(from, 77, 1010);
  count(from, 78, 1020);
  count(to, 77, 1005, refused(Verdict::group));
  for (const Offer& offer : live::take_offers(from)) live::add_offer(to, offer);
  ck_assert(live::read_offers(from).empty());
  auto offers = live::read_offers(to);
  ck_assert_uint_eq(offers.size(), 2);
  Offer first{77, facts_for(77), refused(Verdict::group), 3, 1000, 1010};
  Offer second{78, facts_for(78), refused(), 1, 1020, 1020};
  ck_assert(offers[0] == first);
  ck_assert(offers[1] == second);
}
END_TEST

// A worker that dies after it took an entry and before it said what it is.
START_TEST(an_unfinished_entry_is_finished_by_the_next) {
  OfferTable table;
  count(table, 77, 1000);
  count(table, 77, 1000);
  for (live::OfferSlot& slot : table) {
    std::uint64_t word = slot.tag_and_count;
    if (word != 0) slot.tag_and_count = std::uint64_t{99} << 32 | 1;
  }
  auto offers = live::read_offers(table);
  ck_assert_uint_eq(offers.size(), 1);
  ck_assert_uint_eq(offers[0].tag, 99);
  ck_assert(!offers[0].facts.has_value());
  ck_assert(offers[0].verdicts == Verdicts());
  count(table, 99, 2000);
  offers = live::read_offers(table);
  Offer wanted{99, facts_for(99), refused(), 2, 2000, 2000};
  ck_assert(offers[0] == wanted);
}
END_TEST

START_TEST(threads_lose_no_count) {
  auto table = std::make_unique<OfferTable>();
  constexpr std::uint32_t rounds = 100000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&table] {
      for (std::uint32_t i = 0; i < rounds; ++i) {
        std::uint32_t tag = 1000 + (i * 7) % (live::offer_slots / 2);
        count(*table, tag, 5000 + i / 1000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto offers = live::read_offers(*table);
  ck_assert_uint_eq(offers.size(), live::offer_slots / 2);
  std::uint64_t sum = 0;
  for (const Offer& offer : offers) {
    sum += offer.count;
    ck_assert(offer.facts == facts_for(offer.tag));
    ck_assert_int_eq(offer.first_seen, 5000);
  }
  ck_assert_uint_eq(sum, 4 * rounds);
}
END_TEST

START_TEST(a_flood_of_strange_offers_tears_nothing) {
  auto table = std::make_unique<OfferTable>();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  std::thread reader([&] {
    while (!done) {
      for (const Offer& offer : live::read_offers(*table)) {
        // Facts of another tag with the same 16 bits of proof: one in 65536 of those caught in
        // the middle.
        if (offer.facts && *offer.facts != facts_for(offer.tag)) ++torn;
      }
    }
  });
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&table, t] {
      std::mt19937 random(t);
      for (std::uint32_t i = 0; i < 200000; ++i) {
        count(*table, static_cast<std::uint32_t>(random()) | 1U, 5000 + i / 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  ck_assert_uint_le(torn, 20);
  std::size_t known = 0;
  for (const Offer& offer : live::read_offers(*table)) {
    // The last one of a thread may have been unfinished by another.
    if (!offer.facts) continue;
    ++known;
    ck_assert(offer.facts == facts_for(offer.tag));
    ck_assert_int_ge(offer.first_seen, 5000);
    ck_assert_int_le(offer.first_seen, offer.last_seen);
  }
  ck_assert_uint_ge(known, live::offer_slots - 3);
}
END_TEST

// --- facts ---

OfferFacts facts_of(const hello::Offer& offer) {
  auto message = hello::build_client_hello(offer);
  auto parsed = hello::parse_client_hello(message, false);
  ck_assert(parsed.has_value());
  return live::facts_of(*parsed);
}

START_TEST(a_browser_of_today) {
  hello::Offer offer;
  offer.server_name = "www.example.org";
  offer.cipher_suites = {0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xcca9, 0xc013, 0x002f};
  offer.supported_versions = {0x3a3a, 0x0304, 0x0303};
  offer.supported_groups = {0x4a4a, 0x11ec, 0x001d, 0x0017};
  offer.signature_algorithms = {0x0403, 0x0804, 0x0401, 0x0201};
  OfferFacts facts = facts_of(offer);
  OfferFacts wanted;
  wanted.highest_version = 0x0304;
  wanted.ciphers = 8;
  ck_assert(facts == wanted);
  expect_text(live::describe(facts), "at most TLSv1.3, 8 ciphers");
  offer.supported_groups = {0x0017};
  expect_text(live::describe(facts_of(offer)), "at most TLSv1.3, 8 ciphers, no X25519, no ML-KEM");
}
END_TEST

START_TEST(clients_of_the_past) {
  hello::Offer offer;
  offer.cipher_suites = {0x002f, 0x0035, 0x000a, 0x00ff};
  offer.legacy_version = 0x0301;
  expect_text(live::describe(facts_of(offer)),
              "at most TLSv1, 3 ciphers, no AEAD, no ECDHE, no server name");
  offer.legacy_version = 0x0303;
  offer.cipher_suites = {0xc02f, 0x5600};
  offer.supported_groups = {0x0017, 0x0018};
  offer.signature_algorithms = {0x0401, 0x0201};
  offer.server_name = "www.example.org";
  expect_text(live::describe(facts_of(offer)),
              "at most TLSv1.2, 1 cipher, no X25519, no ECDSA, no RSA-PSS");
  // RFC 5246 7.4.1.4.1: no list means SHA-1.
  offer.signature_algorithms.reset();
  offer.cipher_suites = {0xc02b, 0xc02f};
  expect_text(live::describe(facts_of(offer)),
              "at most TLSv1.2, 2 ciphers, no X25519, only SHA-1 signatures");
  offer.signature_algorithms = {0x0203, 0x0201, 0x0101};
  ck_assert(facts_of(offer).only_sha1);
  offer.signature_algorithms = {0x0203, 0x0807};
  ck_assert(!facts_of(offer).only_sha1);
}
END_TEST

START_TEST(odd_clients) {
  hello::Offer offer;
  offer.cipher_suites.assign(300, 0xc02f);
  offer.supported_versions = {0x7f1c, 0x0303};
  OfferFacts facts = facts_of(offer);
  ck_assert_uint_eq(facts.ciphers, 255);
  ck_assert_uint_eq(facts.highest_version, 0x7f1c);
  expect_contains(live::describe(facts), "at most TLSv1.3, at least 255 ciphers");
  offer.cipher_suites = {0x00ff};
  offer.supported_versions = std::vector<std::uint16_t>{0x0a0a};
  facts = facts_of(offer);
  expect_contains(live::describe(facts), "0 ciphers, no AEAD, no ECDHE");
  facts.highest_version = 0x0002;
  expect_contains(live::describe(facts), "only SSLv2");
}
END_TEST

}  // namespace

Suite* offers_suite() {
  Suite* suite = suite_create("offers");
  TCase* table = tcase_create("table");
  tcase_add_test(table, an_offer_is_counted_and_described);
  tcase_add_test(table, other_verdicts_take_the_place_of_old_ones);
  tcase_add_test(table, the_least_recently_seen_goes);
  tcase_add_test(table, tags_differ_by_fingerprint_and_server_name);
  tcase_add_test(table, a_count_that_is_full_stays);
  tcase_add_test(table, offers_move_from_table_to_table);
  tcase_add_test(table, an_unfinished_entry_is_finished_by_the_next);
  tcase_add_test(table, threads_lose_no_count);
  tcase_add_test(table, a_flood_of_strange_offers_tears_nothing);
  tcase_set_timeout(table, 120);
  suite_add_tcase(suite, table);
  TCase* facts = tcase_create("facts");
  tcase_add_test(facts, a_browser_of_today);
  tcase_add_test(facts, clients_of_the_past);
  tcase_add_test(facts, odd_clients);
  suite_add_tcase(suite, facts);
  return suite;
}

}  // namespace tlsguard::test
