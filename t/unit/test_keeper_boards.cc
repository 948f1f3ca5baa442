// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "census_clients.h"

namespace tlsguard::test {
namespace {

using live::CountedHost;
using live::Judge;
using live::Keeper;
using live::Snapshot;
using live::VirtualHostCensus;
using live::VirtualHostCounts;

// More virtual hosts than the board has room for: it takes a new one, and workers of the old
// configuration go on counting on the old one.
START_TEST(a_board_that_is_full_is_outgrown_without_loss) {
  Memory memory;
  Snapshot saved;
  std::vector<CountedHost> hosts{host("a"), host("gone")};
  VirtualHostCensus old_a;
  VirtualHostCensus old_gone;
  {
    Keeper keeper = open(memory, {}, hosts, start, {"a"});
    old_a = keeper.census(0);
    old_gone = keeper.census(1);
    keeper.publish_ramp(0, 300);
    connect(old_a, 5);
    connect(old_gone, 4);
    saved = keeper.collect(start);
  }
  const std::uint32_t capacity = memory.newest().capacity;
  connect(old_a, 1);  // after the snapshot
  connect(old_gone, 1);
  hosts = {host("a", "mozilla-old@5.8")};
  for (std::uint32_t i = 0; i < capacity; ++i) hosts.push_back(host("new" + std::to_string(i)));
  Keeper keeper = open(memory, saved, hosts, start + day, {"a"});
  ck_assert_uint_eq(memory.anchor.count, 2);
  ck_assert_uint_gt(memory.newest().capacity, capacity);
  ck_assert_uint_eq(keeper.fingerprint_seed(), saved.seed);
  ck_assert_uint_eq(keeper.ramp(0)->reached, 300);
  ck_assert_ptr_ne(keeper.census(0).slot(), old_a.slot());

  connect(old_a, 2);
  connect(old_gone, 2);
  connect(keeper.census(0), 1);
  for (int collected = 0; collected < 2; ++collected) {
    Snapshot snapshot = keeper.collect(start + day);
    expect_counts(of(snapshot, "gone"), 7);
    const VirtualHostCounts& a = of(snapshot, "a");
    ck_assert_uint_eq(a.by(Judge::modern).refused(), 9);
    ck_assert_uint_eq(a.name_missing.count, 9);
    ck_assert_uint_eq(a.offers.at(0).count, 9);
    ck_assert_int_eq(a.began, start);
    ck_assert_uint_eq(a.by(Judge::in_force).total(), 1);
    ck_assert_uint_eq(a.traffic.full.count, 1);
    ck_assert_uint_eq(a.past.at(0).judged.total(), 6);
    ck_assert_uint_eq(a.past.at(0).traffic.full.count, 6);
    ck_assert_uint_eq(snapshot.virtual_hosts.size(), capacity + 2);
  }
  // The old board's worker counts on over the next reload, too.
  saved = keeper.collect(start + day);
  Keeper next = open(memory, saved, hosts, start + 2 * day, {"a"});
  connect(old_a, 1);
  ck_assert_uint_eq(memory.anchor.count, 2);
  ck_assert_uint_eq(of(next.collect(start + 2 * day), "a").by(Judge::modern).refused(), 10);
  // And it learns how far the ramp is.
  next.publish_ramp(0, 600);
  live::Board first = value_of(live::Board::attach(memory.anchor.mappings[0]));
  ck_assert_uint_eq(first.ramp(0)->reached, 600);
  ck_assert_uint_eq(next.ramp(0)->reached, 600);
}
END_TEST

START_TEST(outgrown_while_workers_count) {
  Memory memory;
  constexpr int times = 40000;
  std::vector<CountedHost> hosts{host("a")};
  Snapshot saved;
  VirtualHostCensus census;
  {
    Keeper keeper = open(memory, {}, hosts);
    census = keeper.census(0);
    saved = keeper.collect(start);
  }
  std::thread worker([census] { connect(census, times); });
  for (std::uint32_t i = 0; i < memory.anchor.mappings[0].capacity; ++i) {
    hosts.push_back(host("new" + std::to_string(i)));
  }
  Keeper keeper = open(memory, saved, hosts, start + 1);
  std::thread newer([&keeper] { connect(keeper.census(0), times); });
  for (int i = 0; i < 50; ++i) static_cast<void>(keeper.collect(start + 2));
  worker.join();
  newer.join();
  expect_counts(of(keeper.collect(start + 3), "a"), 2 * times);
}
END_TEST

START_TEST(more_ramps_than_hosts_need_room_too) {
  Memory memory;
  std::vector<std::string> ramps;
  for (int i = 0; i < 500; ++i) ramps.push_back("host" + std::to_string(i));
  Keeper keeper = open(memory, {}, {host("a")}, start, ramps);
  for (std::size_t i = 0; i < ramps.size(); ++i) keeper.publish_ramp(i, 1000 + i);
  // A reload finds them again, in any order.
  std::reverse(ramps.begin(), ramps.end());
  Keeper next = open(memory, keeper.collect(start), {host("a")}, start, ramps);
  for (std::size_t i = 0; i < ramps.size(); ++i) {
    ck_assert_uint_eq(next.ramp(i)->reached, 1000 + ramps.size() - 1 - i);
  }
  ck_assert_uint_eq(memory.anchor.count, 1);
}
END_TEST

START_TEST(too_many_hosts_are_an_error) {
  Memory memory;
  std::vector<CountedHost> hosts;
  for (std::uint32_t i = 0; i <= live::Board::max_capacity; ++i) {
    hosts.push_back({std::to_string(i), {}});
  }
  expect_contains(error_of(Keeper::open(memory.anchor, {}, hosts, {}, start)), "65536");
  hosts.pop_back();
  ck_assert(Keeper::open(memory.anchor, {}, hosts, {}, start).has_value());
}
END_TEST

START_TEST(hosts_of_one_key_are_counted_as_one) {
  Memory memory;
  Keeper keeper = open(memory, {}, {host("a"), host("a", "mozilla-old@5.8"), host("b")});
  connect(keeper.census(0), 2);
  connect(keeper.census(1), 3);
  ck_assert_ptr_eq(keeper.census(0).slot(), keeper.census(1).slot());
  Snapshot snapshot = keeper.collect(start);
  ck_assert_uint_eq(snapshot.virtual_hosts.size(), 2);
  ck_assert_uint_eq(of(snapshot, "a").by(Judge::modern).total(), 5);
  ck_assert_uint_eq(of(snapshot, "a").by(Judge::in_force).total(), 2);
  expect_text(of(snapshot, "a").by(Judge::in_force).policy, "baseline@1");
  const std::vector<CountedHost> hosts{host("a"), host("a", "mozilla-old@5.8"), host("b")};
  const std::vector<VirtualHostCensus> censuses{keeper.census(0), keeper.census(1),
                                                keeper.census(2)};
  ck_assert(live::read_board(hosts, censuses, start).virtual_hosts == snapshot.virtual_hosts);
}
END_TEST

START_TEST(odd_keys_come_back_after_a_restart) {
  std::vector<CountedHost> hosts;
  for (const std::string& key :
       {std::string("\xff\xfe"), std::string("\xff\xfd"), std::string("a\nb\"\\\x1b[2J"),
        std::string(5000, 'x') + "1", std::string(5000, 'x') + "2", std::string("m\xc3\xbcller")}) {
    hosts.push_back({key, {key, "", "", "", key}});
  }
  auto memory = std::make_unique<Memory>();
  Snapshot saved;
  for (int i = 1; i <= 3; ++i) {
    memory = std::make_unique<Memory>();
    Keeper keeper = open(*memory, saved, hosts);
    for (std::size_t h = 0; h < hosts.size(); ++h) connect(keeper.census(h), static_cast<int>(h));
    saved = value_of(live::parse_snapshot(live::to_json(keeper.collect(start))));
    ck_assert_uint_eq(saved.virtual_hosts.size(), hosts.size());
    for (std::size_t h = 0; h < hosts.size(); ++h) {
      const VirtualHostCounts& counts = saved.virtual_hosts[h];
      ck_assert_uint_eq(counts.by(Judge::in_force).total(), h * static_cast<std::size_t>(i));
      ck_assert_uint_eq(counts.traffic.full.count, h * static_cast<std::size_t>(i));
      ck_assert(counts.past.empty());
      for (char c : counts.key) ck_assert(c >= ' ' && c <= '~');
    }
  }
}
END_TEST

// A script in a worker can write anything on the board.
START_TEST(whatever_stands_on_the_board_can_be_saved_and_loaded) {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 60; ++round) {
    Memory memory;
    std::vector<CountedHost> hosts{host("a"), host("b")};
    Snapshot before;
    {
      Keeper keeper = open(memory, {}, hosts);
      connect(keeper.census(0), 5);
      before = keeper.collect(start);
      auto* words = static_cast<std::uint64_t*>(memory.newest().base);
      std::size_t from = round % 2 == 0 ? sizeof(live::BoardHeader) / 8 : 0;
      for (std::size_t i = from; i < memory.newest().bytes / 8; ++i) {
        words[i] = round % 3 == 0 ? ~std::uint64_t{0} : random();
      }
      Snapshot snapshot = keeper.collect(start);
      ck_assert_uint_eq(snapshot.virtual_hosts.size(), 2);
      ck_assert(value_of(live::parse_snapshot(live::to_json(snapshot))) == snapshot);
      connect(keeper.census(0), 5);
    }
    Keeper keeper = open(memory, before, hosts, start + day);
    connect(keeper.census(0), 5);
    Snapshot snapshot = keeper.collect(start + day);
    ck_assert_uint_eq(snapshot.virtual_hosts.size(), 2);
    ck_assert(value_of(live::parse_snapshot(live::to_json(snapshot))) == snapshot);
    static_cast<void>(keeper.take_daily_notices(start + 3 * day));
  }
}
END_TEST

START_TEST(a_board_with_a_foreign_header_is_left) {
  Memory memory;
  Snapshot saved;
  {
    Keeper keeper = open(memory, {}, {host("a")});
    connect(keeper.census(0), 5);
    saved = keeper.collect(start);
  }
  value_of(live::Board::attach(memory.newest())).header()->magic = 1;
  Keeper keeper = open(memory, saved, {host("a")}, start + day);
  connect(keeper.census(0), 1);
  expect_counts(of(keeper.collect(start + day), "a"), 6);
  ck_assert_uint_eq(keeper.fingerprint_seed(), saved.seed);
}
END_TEST

START_TEST(keys_and_policies_on_the_board_are_put_right) {
  Memory memory;
  Keeper keeper = open(memory, {}, {host("a")});
  auto* slot = value_of(live::Board::attach(memory.newest())).virtual_host(0);
  slot->key = 1;
  slot->policies[4] = 1;
  connect(keeper.census(0), 1);
  ck_assert_uint_eq(of(keeper.collect(start), "a").by(Judge::modern).total(), 0);
  connect(keeper.census(0), 1);
  Snapshot saved = keeper.collect(start);
  ck_assert_uint_eq(of(saved, "a").by(Judge::modern).total(), 1);
  Keeper next = open(memory, saved, {host("a")});
  ck_assert_ptr_eq(next.census(0).slot(), slot);
}
END_TEST

}  // namespace

Suite* keeper_boards_suite() {
  Suite* suite = suite_create("keeper boards");
  TCase* boards = tcase_create("boards");
  tcase_add_test(boards, a_board_that_is_full_is_outgrown_without_loss);
  tcase_add_test(boards, outgrown_while_workers_count);
  tcase_add_test(boards, more_ramps_than_hosts_need_room_too);
  tcase_add_test(boards, too_many_hosts_are_an_error);
  tcase_add_test(boards, hosts_of_one_key_are_counted_as_one);
  tcase_add_test(boards, odd_keys_come_back_after_a_restart);
  tcase_add_test(boards, whatever_stands_on_the_board_can_be_saved_and_loaded);
  tcase_add_test(boards, a_board_with_a_foreign_header_is_left);
  tcase_add_test(boards, keys_and_policies_on_the_board_are_put_right);
  tcase_set_timeout(boards, 120);
  suite_add_tcase(suite, boards);
  return suite;
}

}  // namespace tlsguard::test
