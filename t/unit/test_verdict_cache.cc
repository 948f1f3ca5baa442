// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "live/verdict_cache.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::Judge;
using live::VerdictCache;
using live::Verdicts;

// Some verdicts that follow from fingerprint and virtual host, so that a wrong one is seen.
Verdicts verdicts_for(std::uint64_t fingerprint, std::uint32_t virtual_host) {
  Verdicts verdicts;
  std::uint64_t digits = fingerprint * 31 + virtual_host;
  for (Judge judge : live::all_judges) {
    verdicts.set(judge, hello::all_verdicts[digits % hello::verdict_count]);
    digits /= hello::verdict_count;
  }
  return verdicts;
}

START_TEST(verdicts_pack_and_unpack) {
  Verdicts verdicts;
  for (Judge judge : live::all_judges) ck_assert(!verdicts.get(judge).has_value());
  ck_assert(!verdicts.any_refusal());
  for (Judge judge : live::all_judges) {
    for (Verdict verdict : hello::all_verdicts) {
      verdicts.set(judge, verdict);
      ck_assert(verdicts.get(judge) == verdict);
      ck_assert(Verdicts::from_packed(verdicts.packed()) == verdicts);
      ck_assert(verdicts.any_refusal() == (verdict != Verdict::ok));
    }
    verdicts.clear(judge);
    ck_assert(!verdicts.get(judge).has_value());
    verdicts.set(judge, Verdict::ok);
  }
  // Every value of shared memory reads as something.
  for (unsigned packed = 0; packed <= 0xffff; ++packed) {
    Verdicts any = Verdicts::from_packed(static_cast<std::uint16_t>(packed));
    ck_assert_uint_eq(any.packed(), packed & 0x7fff);
    bool refused = false;
    for (Judge judge : live::all_judges) {
      auto verdict = any.get(judge);
      ck_assert(!verdict || static_cast<unsigned>(*verdict) < hello::verdict_count);
      refused = refused || (verdict && *verdict != Verdict::ok);
    }
    ck_assert(any.any_refusal() == refused);
  }
}
END_TEST

START_TEST(judges_have_names) {
  for (Judge judge : live::all_judges) {
    ck_assert(live::parse_judge(live::judge_name(judge)) == judge);
  }
  ck_assert(!live::parse_judge("").has_value());
  ck_assert(!live::parse_judge("old").has_value());
}
END_TEST

START_TEST(what_was_put_is_found) {
  auto cache = std::make_unique<VerdictCache>();
  ck_assert(!cache->find(0, 0).has_value());
  cache->put(0, 0, Verdicts());
  ck_assert(cache->find(0, 0) == Verdicts());
  for (std::uint32_t host = 0; host < 50; ++host) cache->put(1, host, verdicts_for(1, host));
  unsigned found = 0;
  for (std::uint32_t host = 0; host < 50; ++host) {
    auto verdicts = cache->find(1, host);
    if (!verdicts) continue;
    ++found;
    ck_assert(*verdicts == verdicts_for(1, host));
  }
  ck_assert_uint_ge(found, 48);  // 50 in 4096 entries: hardly any two meet
  cache->put(1, 7, verdicts_for(2, 7));
  ck_assert(cache->find(1, 7) == verdicts_for(2, 7));
}
END_TEST

START_TEST(every_entry_is_used) {
  auto cache = std::make_unique<VerdictCache>();
  constexpr std::uint64_t many = 20 * VerdictCache::entries;
  for (std::uint64_t i = 0; i < many; ++i) cache->put(i, 1, verdicts_for(i, 1));
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < many; ++i) {
    auto verdicts = cache->find(i, 1);
    if (verdicts) ck_assert(*verdicts == verdicts_for(i, 1));
    found += verdicts ? 1 : 0;
  }
  ck_assert_uint_eq(found, VerdictCache::entries);
}
END_TEST

START_TEST(no_stranger_is_found) {
  auto cache = std::make_unique<VerdictCache>();
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < 20 * VerdictCache::entries; ++i) cache->put(random(), 1, Verdicts());
  for (int i = 0; i < 2000000; ++i) ck_assert(!cache->find(random(), 1).has_value());
}
END_TEST

START_TEST(threads_never_see_anothers_verdicts) {
  auto cache = std::make_unique<VerdictCache>();
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> hits{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, &wrong, &hits, t] {
      std::mt19937_64 random(t);
      for (int i = 0; i < 300000; ++i) {
        // Twice as many as there are entries, in every thread's hands.
        std::uint64_t fingerprint = random() % (2 * VerdictCache::entries);
        auto host = static_cast<std::uint32_t>(fingerprint % 3);
        auto verdicts = cache->find(fingerprint, host);
        if (!verdicts) {
          cache->put(fingerprint, host, verdicts_for(fingerprint, host));
        } else {
          ++hits;
          if (*verdicts != verdicts_for(fingerprint, host)) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ck_assert_uint_eq(wrong, 0);
  ck_assert_uint_gt(hits, 100000);
}
END_TEST

}  // namespace

Suite* verdict_cache_suite() {
  Suite* suite = suite_create("verdict_cache");
  TCase* tests = tcase_create("verdict_cache");
  tcase_add_test(tests, verdicts_pack_and_unpack);
  tcase_add_test(tests, judges_have_names);
  tcase_add_test(tests, what_was_put_is_found);
  tcase_add_test(tests, every_entry_is_used);
  tcase_add_test(tests, no_stranger_is_found);
  tcase_add_test(tests, threads_never_see_anothers_verdicts);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
