// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "board_memory.h"
#include "expect.h"
#include "live/census.h"
#include "live/slot_counts.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::AskedName;
using live::Judge;
using live::Negotiated;
using live::OfferFacts;
using live::Verdicts;
using live::VirtualHostCensus;
using live::VirtualHostCounts;
using live::VirtualHostSlot;

constexpr live::UnixSeconds now = 1800000000;
constexpr std::array<std::uint64_t, live::judge_count> policies{1, 2, 3, 4, 5};

// A slot that belongs to these policies.
void open_slot(VirtualHostSlot& slot) {
  for (std::size_t j = 0; j < policies.size(); ++j) slot.policies[j] = policies[j];
}

Verdicts all(Verdict verdict) {
  Verdicts verdicts;
  for (Judge judge : live::all_judges) verdicts.set(judge, verdict);
  return verdicts;
}

VirtualHostCounts counts_of(const VirtualHostSlot& slot) {
  VirtualHostCounts counts;
  live::read_counts(slot, counts);
  return counts;
}

const live::Count& verdict_of(const VirtualHostCounts& counts, Judge judge, Verdict verdict) {
  return counts.by(judge).verdicts[static_cast<std::size_t>(verdict)];
}

OfferFacts no_facts() { return {}; }

START_TEST(a_handshake_is_counted_by_all_it_negotiated) {
  auto slot = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  VirtualHostCensus census(slot.get(), policies);
  census.count_handshake(now, {Protocol::tls1_3, 0x1302, 0x001d, false});
  census.count_handshake(now + 1, {Protocol::tls1_3, 0x1302, 0x11ec, true});
  census.count_handshake(now + 2, {Protocol::tls1_2, 0xc030, 0x001d, false});
  census.count_handshake(now + 3, {Protocol::tls1_0, 0x002f, 0, false});
  census.count_handshake(now + 4, {Protocol::ssl3, 0x0000, 0, false});
  VirtualHostCounts counts = counts_of(*slot);
  using live::Count;
  ck_assert(counts.traffic.full == (Count{4, now + 4}));
  ck_assert(counts.traffic.resumed == (Count{1, now + 1}));
  ck_assert(counts.traffic.versions[0] == (Count{1, now + 3}));
  ck_assert(counts.traffic.versions[1] == (Count{}));
  ck_assert(counts.traffic.versions[2] == (Count{1, now + 2}));
  ck_assert(counts.traffic.versions[3] == (Count{2, now + 1}));
  std::vector<live::IdCount> ciphers{{0x0000, {1, now + 4}},
                                     {0x002f, {1, now + 3}},
                                     {0x1302, {2, now + 1}},
                                     {0xc030, {1, now + 2}}};
  std::vector<live::IdCount> groups{{0x001d, {2, now + 2}}, {0x11ec, {1, now + 1}}};
  ck_assert(counts.traffic.ciphers == ciphers);
  ck_assert(counts.traffic.groups == groups);
  ck_assert(counts.traffic.other_ciphers == (Count{}));
}
END_TEST

START_TEST(what_the_tables_have_no_room_for_is_counted_as_other) {
  auto slot = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  VirtualHostCensus census(slot.get(), policies);
  for (std::uint16_t i = 0; i < 40; ++i) {
    census.count_handshake(now, {Protocol::tls1_2, i, static_cast<std::uint16_t>(i + 1), false});
    census.count_handshake(now, {Protocol::tls1_2, i, static_cast<std::uint16_t>(i + 1), false});
  }
  auto traffic = counts_of(*slot).traffic;
  ck_assert_uint_eq(traffic.ciphers.size(), live::cipher_slots);
  ck_assert_uint_eq(traffic.other_ciphers.count, 2 * (40 - live::cipher_slots));
  ck_assert_uint_eq(traffic.groups.size(), live::group_slots);
  ck_assert_uint_eq(traffic.other_groups.count, 2 * (40 - live::group_slots));
}
END_TEST

START_TEST(a_hello_is_counted_for_every_judge) {
  auto slot = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  VirtualHostCensus census(slot.get(), policies);
  Verdicts verdicts = all(Verdict::ok);
  census.count_hello(now, 1, AskedName::known, verdicts, no_facts);
  verdicts.set(Judge::modern, Verdict::protocol);
  verdicts.set(Judge::in_force, Verdict::sni);
  verdicts.clear(Judge::report);
  bool asked = false;
  census.count_hello(now + 1, 2, AskedName::missing, verdicts, [&asked] {
    asked = true;
    OfferFacts facts;
    facts.ciphers = 12;
    return facts;
  });
  ck_assert(asked);
  asked = false;
  census.count_hello(now + 2, 2, AskedName::missing, verdicts, [&asked] {
    asked = true;
    return OfferFacts{};
  });
  ck_assert(!asked);
  census.count_hello(now + 3, 3, AskedName::unknown, all(Verdict::ok), no_facts);
  VirtualHostCounts counts = counts_of(*slot);
  using live::Count;
  ck_assert(counts.name_missing == (Count{2, now + 2}));
  ck_assert(counts.name_unknown == (Count{1, now + 3}));
  ck_assert(verdict_of(counts, Judge::in_force, Verdict::ok) == (Count{2, now + 3}));
  ck_assert(verdict_of(counts, Judge::in_force, Verdict::sni) == (Count{2, now + 2}));
  ck_assert(verdict_of(counts, Judge::report, Verdict::ok) == (Count{2, now + 3}));
  ck_assert(verdict_of(counts, Judge::baseline, Verdict::ok) == (Count{4, now + 3}));
  ck_assert(verdict_of(counts, Judge::modern, Verdict::protocol) == (Count{2, now + 2}));
  ck_assert_uint_eq(counts.by(Judge::report).total(), 2);
  ck_assert_uint_eq(counts.by(Judge::modern).total(), 4);
  ck_assert_uint_eq(counts.by(Judge::modern).refused(), 2);
  // Only what somebody would turn away is remembered.
  ck_assert_uint_eq(counts.offers.size(), 1);
  ck_assert_uint_eq(counts.offers[0].count, 2);
  ck_assert_uint_eq(counts.offers[0].facts->ciphers, 12);
  ck_assert(counts.offers[0].verdicts == verdicts);
  ck_assert_uint_eq(counts.offers[0].tag, live::offer_tag(2, false));
}
END_TEST

START_TEST(another_policys_worker_does_not_count) {
  auto slot = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  slot->policies[0] = 99;
  slot->policies[4] = 99;
  VirtualHostCensus census(slot.get(), policies);
  census.count_handshake(now, {Protocol::tls1_3, 0x1302, 0x001d, false});
  Verdicts verdicts = all(Verdict::ok);
  verdicts.set(Judge::modern, Verdict::cipher);
  census.count_hello(now, 1, AskedName::known, verdicts, no_facts);
  VirtualHostCounts counts = counts_of(*slot);
  ck_assert(counts.traffic == live::Traffic());
  ck_assert_uint_eq(counts.by(Judge::in_force).total(), 0);
  ck_assert_uint_eq(counts.by(Judge::modern).total(), 0);
  ck_assert_uint_eq(counts.by(Judge::baseline).total(), 1);
  ck_assert(counts.offers.empty());
  // A judge without a policy counts nothing, whatever the slot says.
  slot->policies[0] = 0;
  VirtualHostCensus none(slot.get(), {});
  none.count_handshake(now, {Protocol::tls1_3, 0x1302, 0x001d, false});
  none.count_hello(now, 1, AskedName::missing, verdicts, no_facts);
  counts = counts_of(*slot);
  ck_assert_uint_eq(counts.by(Judge::baseline).total(), 1);
  ck_assert_uint_eq(counts.by(Judge::in_force).total(), 0);
  ck_assert_uint_eq(counts.name_missing.count, 1);
}
END_TEST

START_TEST(without_a_board_nothing_happens) {
  VirtualHostCensus census;
  census.count_handshake(now, {});
  census.count_hello(now, 1, AskedName::missing, all(Verdict::cipher), []() -> OfferFacts {
    ck_abort_msg("asked for facts");
    return {};
  });
  ck_assert_ptr_null(census.slot());
}
END_TEST

// One connection of client i.
void connect(const VirtualHostCensus& census, std::uint32_t i) {
  static constexpr std::array<std::uint16_t, 5> ciphers{0x1301, 0x1302, 0xc02f, 0xc030, 0x002f};
  Verdicts verdicts = all(Verdict::ok);
  if (i % 4 == 0) verdicts.set(Judge::modern, Verdict::protocol);
  auto name = i % 2 == 0 ? AskedName::known : AskedName::missing;
  census.count_hello(now + i / 1000, i % 8, name, verdicts, no_facts);
  census.count_handshake(now + i / 1000, {i % 3 == 0 ? Protocol::tls1_2 : Protocol::tls1_3,
                                          ciphers[i % 5], 0x001d, i % 6 == 0});
}

void check_all(const VirtualHostCounts& counts, std::uint64_t connections) {
  std::uint64_t by_cipher = 0;
  for (const auto& one : counts.traffic.ciphers) by_cipher += one.count.count;
  ck_assert_uint_eq(by_cipher, connections);
  ck_assert_uint_eq(counts.traffic.versions[2].count, connections / 3);
  ck_assert_uint_eq(counts.traffic.versions[3].count, connections / 3 * 2);
  ck_assert_uint_eq(counts.traffic.resumed.count, connections / 6);
  ck_assert_uint_eq(counts.traffic.full.count, connections / 6 * 5);
  ck_assert_uint_eq(counts.traffic.groups.at(0).count.count, connections);
  ck_assert_uint_eq(counts.name_missing.count, connections / 2);
  for (Judge judge : live::all_judges) ck_assert_uint_eq(counts.by(judge).total(), connections);
  ck_assert_uint_eq(counts.by(Judge::modern).refused(), connections / 4);
  std::uint64_t by_offer = 0;
  for (const auto& offer : counts.offers) by_offer += offer.count;
  ck_assert_uint_eq(by_offer, connections / 4);
}

constexpr std::uint32_t rounds = 60000;  // a multiple of 2, 3, 4, 5, 6

START_TEST(threads_lose_no_count) {
  auto slot = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  VirtualHostCensus census(slot.get(), policies);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&census] {
      for (std::uint32_t i = 0; i < rounds; ++i) connect(census, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  check_all(counts_of(*slot), 6 * rounds);
}
END_TEST

pid_t in_child(const std::function<void()>& work) {
  pid_t child = ::fork();
  if (child != 0) return child;
  work();
  ::_exit(0);
}

START_TEST(processes_lose_no_count) {
  Memory memory;
  live::Board board = value_of(live::Board::create(memory.anchor, 2, 1));
  VirtualHostSlot& slot = *board.virtual_host(1);
  open_slot(slot);
  VirtualHostCensus census(&slot, policies);
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    children.push_back(in_child([&census] {
      auto count = [&census] {
        for (std::uint32_t i = 0; i < rounds; ++i) connect(census, i);
      };
      std::thread other(count);
      count();
      other.join();
    }));
  }
  for (pid_t child : children) {
    int status = 1;
    ck_assert_int_eq(::waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
  }
  check_all(counts_of(slot), 8 * rounds);
}
END_TEST

// A child says after each connection that it is counted. Killed anywhere, it has lost nothing but
// at most the one it was at.
START_TEST(a_killed_worker_loses_only_its_last) {
  Memory memory;
  live::Board board = value_of(live::Board::create(memory.anchor, 2, 1));
  VirtualHostSlot& slot = *board.virtual_host(0);
  open_slot(slot);
  VirtualHostCensus census(&slot, policies);
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert(page != MAP_FAILED);
  auto* counted = new (page) std::atomic<std::uint64_t>(0);
  Verdicts verdicts = all(Verdict::ok);
  verdicts.set(Judge::modern, Verdict::cipher);
  const Negotiated negotiated{Protocol::tls1_3, 0x1302, 0x001d, false};
  std::uint64_t kills = 0;
  for (; kills < 200; ++kills) {
    const std::uint64_t before = *counted;
    pid_t child = in_child([&] {
      for (;;) {
        census.count_hello(now, 7, AskedName::missing, verdicts, no_facts);
        census.count_handshake(now, negotiated);
        counted->fetch_add(1, std::memory_order_relaxed);
      }
    });
    while (*counted < before + 10) ::usleep(50);
    ck_assert_int_eq(::kill(child, SIGKILL), 0);
    ck_assert_int_eq(::waitpid(child, nullptr, 0), child);
  }
  const std::uint64_t least = *counted;
  const VirtualHostCounts counts = counts_of(slot);
  auto expect = [least, kills](std::uint64_t count, const char* what) {
    ck_assert_msg(count >= least && count <= least + kills, "%s: %lu, of at least %lu", what,
                  static_cast<unsigned long>(count), static_cast<unsigned long>(least));
  };
  for (Judge judge : live::all_judges) expect(counts.by(judge).total(), "verdicts");
  expect(counts.name_missing.count, "names");
  expect(counts.traffic.full.count, "full");
  expect(counts.traffic.versions[3].count, "versions");
  ck_assert_uint_eq(counts.traffic.ciphers.size(), 1);
  expect(counts.traffic.ciphers[0].count.count, "ciphers");
  expect(counts.traffic.groups.at(0).count.count, "groups");
  ck_assert_uint_eq(counts.offers.size(), 1);
  expect(counts.offers[0].count, "offers");
  ck_assert(counts.offers[0].verdicts == verdicts);
  ck_assert(counts.offers[0].facts == OfferFacts());
  ::munmap(page, 4096);
}
END_TEST

START_TEST(taking_while_others_count_loses_nothing) {
  auto slot = std::make_unique<VirtualHostSlot>();
  auto target = std::make_unique<VirtualHostSlot>();
  open_slot(*slot);
  VirtualHostCensus census(slot.get(), policies);
  std::atomic<int> running{3};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t i = 0; i < rounds; ++i) connect(census, i);
      --running;
    });
  }
  auto move = [&] {
    VirtualHostCounts taken;
    live::take_counts(*slot, taken);
    live::add_counts(*target, taken);
  };
  while (running > 0) move();
  for (std::thread& thread : threads) thread.join();
  move();
  check_all(counts_of(*target), 3 * rounds);
  VirtualHostCounts left = counts_of(*slot);
  ck_assert_uint_eq(left.by(Judge::modern).total(), 0);
  ck_assert(left.traffic == live::Traffic());
  ck_assert(left.offers.empty());
}
END_TEST

}  // namespace

Suite* census_suite() {
  Suite* suite = suite_create("census");
  TCase* counting = tcase_create("counting");
  tcase_add_test(counting, a_handshake_is_counted_by_all_it_negotiated);
  tcase_add_test(counting, what_the_tables_have_no_room_for_is_counted_as_other);
  tcase_add_test(counting, a_hello_is_counted_for_every_judge);
  tcase_add_test(counting, another_policys_worker_does_not_count);
  tcase_add_test(counting, without_a_board_nothing_happens);
  suite_add_tcase(suite, counting);
  TCase* many = tcase_create("many at once");
  tcase_add_test(many, threads_lose_no_count);
  tcase_add_test(many, processes_lose_no_count);
  tcase_add_test(many, a_killed_worker_loses_only_its_last);
  tcase_add_test(many, taking_while_others_count_loses_nothing);
  tcase_set_timeout(many, 120);
  suite_add_tcase(suite, many);
  return suite;
}

}  // namespace tlsguard::test
