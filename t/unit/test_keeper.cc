// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <sys/stat.h>

#include <algorithm>
#include <random>
#include <thread>

#include "board_memory.h"
#include "expect.h"
#include "live/keeper.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using hello::Verdict;
using live::AskedName;
using live::CountedHost;
using live::Judge;
using live::Keeper;
using live::OfferFacts;
using live::Snapshot;
using live::UnixSeconds;
using live::Verdicts;
using live::VirtualHostCensus;
using live::VirtualHostCounts;

constexpr UnixSeconds start = 1800000000;
constexpr UnixSeconds day = 86400;

CountedHost host(const std::string& name, const std::string& in_force = "baseline@1") {
  return {name + "|*:443",
          {in_force, "", "baseline@1", "mozilla-intermediate@6.0", "mozilla-modern@6.0"}};
}

Keeper open(Memory& memory, const Snapshot& previous, const std::vector<CountedHost>& hosts,
            UnixSeconds now = start, const std::vector<std::string>& ramps = {}) {
  return value_of(Keeper::open(memory.anchor, previous, hosts, ramps, now));
}

// So many connections, each of which modern turns away.
void connect(const VirtualHostCensus& census, int times, UnixSeconds now = start,
             std::uint64_t fingerprint = 7) {
  Verdicts verdicts;
  for (Judge judge : live::all_judges) verdicts.set(judge, Verdict::ok);
  verdicts.clear(Judge::report);
  verdicts.set(Judge::modern, Verdict::protocol);
  for (int i = 0; i < times; ++i) {
    census.count_hello(now, fingerprint, AskedName::missing, verdicts, [] {
      OfferFacts facts;
      facts.highest_version = 0x0303;
      return facts;
    });
    census.count_handshake(now, {Protocol::tls1_2, 0xc02f, 0x001d, false});
  }
}

const VirtualHostCounts& of(const Snapshot& snapshot, const std::string& name) {
  for (const VirtualHostCounts& one : snapshot.virtual_hosts) {
    if (one.key == name + "|*:443") return one;
  }
  ck_abort_msg("%s is not in the snapshot", name.c_str());
  std::abort();
}

bool has(const Snapshot& snapshot, const std::string& name) {
  return std::any_of(snapshot.virtual_hosts.begin(), snapshot.virtual_hosts.end(),
                     [&](const VirtualHostCounts& one) { return one.key == name + "|*:443"; });
}

// Every kind of counter that connect() moves.
void expect_counts(const VirtualHostCounts& counts, std::uint64_t times) {
  ck_assert_uint_eq(counts.traffic.full.count, times);
  ck_assert_uint_eq(counts.traffic.versions[2].count, times);
  ck_assert_uint_eq(counts.traffic.ciphers.empty() ? 0 : counts.traffic.ciphers[0].count.count,
                    times);
  ck_assert_uint_eq(counts.name_missing.count, times);
  ck_assert_uint_eq(counts.by(Judge::in_force).total(), times);
  ck_assert_uint_eq(counts.by(Judge::modern).refused(), times);
  std::uint64_t offers = 0;
  for (const auto& offer : counts.offers) offers += offer.count;
  ck_assert_uint_eq(offers, times);
}

START_TEST(counting_begins) {
  Memory memory;
  Keeper keeper = open(memory, {}, {host("a"), host("b")});
  ck_assert_uint_ne(keeper.fingerprint_seed(), 0);
  connect(keeper.census(1), 5);
  Snapshot snapshot = keeper.collect(start + 10);
  ck_assert_uint_eq(snapshot.seed, keeper.fingerprint_seed());
  ck_assert_int_eq(snapshot.written, start + 10);
  ck_assert_uint_eq(snapshot.virtual_hosts.size(), 2);
  expect_counts(of(snapshot, "a"), 0);
  const VirtualHostCounts& b = of(snapshot, "b");
  expect_counts(b, 5);
  ck_assert(b.configured);
  ck_assert_int_eq(b.began, start);
  expect_text(b.by(Judge::modern).policy, "mozilla-modern@6.0");
  ck_assert_int_eq(b.by(Judge::modern).began, start);
  ck_assert(b.by(Judge::report) == live::Judged());
}
END_TEST

START_TEST(a_reload_just_goes_on) {
  Memory memory;
  Snapshot saved;
  VirtualHostCensus old;
  std::uint64_t seed = 0;
  {
    Keeper keeper = open(memory, {}, {host("a"), host("b")});
    connect(keeper.census(0), 5);
    old = keeper.census(0);
    seed = keeper.fingerprint_seed();
    saved = keeper.collect(start);
  }
  connect(old, 2);  // after the last snapshot
  Keeper keeper = open(memory, saved, {host("c"), host("b"), host("a")}, start + day);
  connect(old, 1);  // a worker that still drains
  connect(keeper.census(2), 1);
  Snapshot snapshot = keeper.collect(start + day);
  expect_counts(of(snapshot, "a"), 9);
  ck_assert_int_eq(of(snapshot, "a").began, start);
  ck_assert_int_eq(of(snapshot, "c").began, start + day);
  ck_assert_uint_eq(memory.anchor.count, 1);
  ck_assert_uint_eq(keeper.fingerprint_seed(), seed);
}
END_TEST

START_TEST(a_restart_goes_on_from_the_snapshot) {
  Snapshot saved;
  {
    Memory memory;
    Keeper keeper = open(memory, {}, {host("a")});
    connect(keeper.census(0), 5, start + 3);
    saved = keeper.collect(start + 4);
  }
  saved = value_of(live::parse_snapshot(live::to_json(saved)));
  Memory memory;
  Keeper keeper = open(memory, saved, {host("a")}, start + 100);
  Snapshot snapshot = keeper.collect(start + 4);
  ck_assert(snapshot == saved);
  ck_assert_uint_eq(keeper.fingerprint_seed(), saved.seed);
  connect(keeper.census(0), 1, start + 200);
  expect_counts(of(keeper.collect(start + 200), "a"), 6);
}
END_TEST

START_TEST(a_month_of_daily_reloads_and_some_restarts) {
  auto memory = std::make_unique<Memory>();
  Snapshot saved;
  for (int d = 0; d < 30; ++d) {
    UnixSeconds now = start + d * day;
    if (d % 7 == 6) memory = std::make_unique<Memory>();
    std::vector<CountedHost> hosts{host("a"), host("b")};
    if (d % 3 == 1) std::reverse(hosts.begin(), hosts.end());
    if (d % 3 == 2) hosts.push_back(host("day" + std::to_string(d)));
    Keeper keeper = open(*memory, saved, hosts, now);
    connect(keeper.census(d % 3 == 1 ? 1 : 0), 10, now);
    saved = value_of(live::parse_snapshot(live::to_json(keeper.collect(now))));
  }
  expect_counts(of(saved, "a"), 300);
  ck_assert_int_eq(of(saved, "a").by(Judge::modern).began, start);
  ck_assert_int_eq(of(saved, "a").last_seen(), start + 29 * day);
  ck_assert_uint_eq(saved.virtual_hosts.size(), 12);
}
END_TEST

START_TEST(another_policy_resets_what_depends_on_it) {
  Memory memory;
  Snapshot saved;
  VirtualHostCensus old;
  {
    Keeper keeper = open(memory, {}, {host("a", "baseline@1")});
    connect(keeper.census(0), 5);
    old = keeper.census(0);
    saved = keeper.collect(start);
  }
  Keeper keeper = open(memory, saved, {host("a", "mozilla-old@5.8")}, start + day);
  connect(old, 3, start + day);  // counts on for the judges that stayed, and for nobody else
  connect(keeper.census(0), 1, start + day);
  Snapshot snapshot = keeper.collect(start + day);
  const VirtualHostCounts& a = of(snapshot, "a");
  expect_text(a.by(Judge::in_force).policy, "mozilla-old@5.8");
  ck_assert_int_eq(a.by(Judge::in_force).began, start + day);
  ck_assert_uint_eq(a.by(Judge::in_force).total(), 1);
  ck_assert_uint_eq(a.traffic.full.count, 1);
  ck_assert_uint_eq(a.traffic.ciphers.at(0).count.count, 1);
  ck_assert_uint_eq(a.by(Judge::modern).refused(), 9);
  ck_assert_int_eq(a.by(Judge::modern).began, start);
  ck_assert_uint_eq(a.name_missing.count, 9);
  ck_assert_uint_eq(a.past.size(), 1);
  ck_assert(a.past[0].judge == Judge::in_force);
  expect_text(a.past[0].judged.policy, "baseline@1");
  ck_assert_uint_eq(a.past[0].judged.total(), 5);
  ck_assert_uint_eq(a.past[0].traffic.full.count, 5);
}
END_TEST

START_TEST(a_policy_that_comes_back_goes_on_where_it_stopped) {
  for (bool restart : {false, true}) {
    auto memory = std::make_unique<Memory>();
    Snapshot saved;
    int counted[2] = {0, 0};
    const char* policies[2] = {"baseline@1", "mozilla-old@5.8"};
    for (int i = 0; i < 6; ++i) {
      if (restart) memory = std::make_unique<Memory>();
      Keeper keeper = open(*memory, saved, {host("a", policies[i % 2])}, start + i * day);
      connect(keeper.census(0), i + 1);
      counted[i % 2] += i + 1;
      saved = value_of(live::parse_snapshot(live::to_json(keeper.collect(start + i * day))));
    }
    const VirtualHostCounts& a = of(saved, "a");
    ck_assert_uint_eq(a.by(Judge::in_force).total(), counted[1]);
    ck_assert_int_eq(a.by(Judge::in_force).began, start + day);
    ck_assert_uint_eq(a.traffic.full.count, counted[1]);
    ck_assert_uint_eq(a.past.size(), 1);
    ck_assert_uint_eq(a.past[0].judged.total(), counted[0]);
    ck_assert_int_eq(a.past[0].judged.began, start);
    ck_assert_uint_eq(a.past[0].traffic.full.count, counted[0]);
    ck_assert_uint_eq(a.by(Judge::modern).total(), 21);
  }
}
END_TEST

START_TEST(the_past_is_bounded) {
  Memory memory;
  Snapshot saved;
  for (int i = 0; i < 20; ++i) {
    Keeper keeper = open(memory, saved, {host("a", "own" + std::to_string(i))}, start + i);
    connect(keeper.census(0), 1);
    saved = keeper.collect(start + i);
  }
  const auto& past = of(saved, "a").past;
  ck_assert_uint_eq(past.size(), live::max_past);
  expect_text(past.front().judged.policy, "own11");
  expect_text(past.back().judged.policy, "own18");
}
END_TEST

START_TEST(verdicts_of_an_offer_go_with_the_policy) {
  Memory memory;
  Snapshot saved;
  {
    Keeper keeper = open(memory, {}, {host("a")});
    connect(keeper.census(0), 1);
    saved = keeper.collect(start);
    ck_assert(of(saved, "a").offers.at(0).verdicts.get(Judge::modern) == Verdict::protocol);
  }
  CountedHost changed = host("a");
  changed.policies[4] = "mozilla-modern@7.0";
  Keeper keeper = open(memory, saved, {changed}, start + 1);
  auto offers = of(keeper.collect(start + 1), "a").offers;
  ck_assert(!offers.at(0).verdicts.get(Judge::modern).has_value());
  ck_assert(offers.at(0).verdicts.get(Judge::baseline) == Verdict::ok);
}
END_TEST

START_TEST(a_removed_host_is_kept_for_400_days) {
  auto memory = std::make_unique<Memory>();
  Snapshot saved;
  VirtualHostCensus old;
  {
    Keeper keeper = open(*memory, {}, {host("a"), host("b")});
    connect(keeper.census(0), 5);
    old = keeper.census(0);
    saved = keeper.collect(start);
  }
  {
    Keeper keeper = open(*memory, saved, {host("b")}, start + day);
    connect(old, 2, start + day);  // its last worker
    saved = keeper.collect(start + day);
  }
  ck_assert(!of(saved, "a").configured);
  expect_counts(of(saved, "a"), 7);
  for (bool restart : {false, true}) {
    if (restart) memory = std::make_unique<Memory>();
    UnixSeconds last = start + day + live::keep_unseen;
    Keeper keeper = open(*memory, saved, {host("b")}, last);
    expect_counts(of(keeper.collect(last), "a"), 7);
    ck_assert(!has(keeper.collect(last + 1), "a"));
    ck_assert(has(keeper.collect(last + 1), "b"));
    Keeper again = open(*memory, saved, {host("b"), host("a")}, last);
    expect_counts(of(again.collect(last + 1), "a"), 7);
    ck_assert_int_eq(of(again.collect(last + 1), "a").began, start);
  }
}
END_TEST

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

START_TEST(notices_come_once_a_day) {
  auto memory = std::make_unique<Memory>();
  CountedHost a = host("a");
  a.policies[1] = "mozilla-modern@6.0";
  auto refuse = [](const VirtualHostCensus& census, int times, Judge judge, Verdict verdict) {
    Verdicts verdicts;
    verdicts.set(judge, verdict);
    for (int i = 0; i < times; ++i) {
      census.count_hello(start, 1, AskedName::known, verdicts, [] { return OfferFacts{}; });
    }
  };
  Keeper keeper = open(*memory, {}, {a, host("b")});
  refuse(keeper.census(0), 3, Judge::in_force, Verdict::protocol);
  refuse(keeper.census(0), 2, Judge::in_force, Verdict::sni);
  refuse(keeper.census(0), 9, Judge::in_force, Verdict::ok);
  refuse(keeper.census(0), 4, Judge::report, Verdict::group);
  refuse(keeper.census(1), 5, Judge::modern, Verdict::group);
  ck_assert(keeper.take_daily_notices(start + day - 1).empty());
  auto notices = keeper.take_daily_notices(start + day);
  ck_assert_uint_eq(notices.size(), 2);
  expect_text(notices[0].key, "a|*:443");
  ck_assert(notices[0].judge == Judge::in_force);
  ck_assert_uint_eq(notices[0].verdicts[static_cast<std::size_t>(Verdict::protocol)], 3);
  ck_assert_uint_eq(notices[0].verdicts[static_cast<std::size_t>(Verdict::sni)], 2);
  ck_assert_uint_eq(notices[0].refused(), 5);
  ck_assert_int_eq(notices[0].since, start);
  ck_assert(notices[1].judge == Judge::report);
  ck_assert_uint_eq(notices[1].refused(), 4);
  ck_assert(keeper.take_daily_notices(start + day).empty());
  ck_assert(keeper.take_daily_notices(start + 2 * day).empty());  // nothing new

  // Neither a reload nor a restart says it again.
  refuse(keeper.census(0), 1, Judge::report, Verdict::cipher);
  Snapshot saved = keeper.collect(start + 2 * day);
  Keeper reloaded = open(*memory, saved, {a, host("b")}, start + 2 * day + 10);
  ck_assert(reloaded.take_daily_notices(start + 3 * day - 1).empty());
  saved = value_of(live::parse_snapshot(live::to_json(reloaded.collect(start + 2 * day))));
  memory = std::make_unique<Memory>();
  Keeper restarted = open(*memory, saved, {a, host("b")}, start + 2 * day + 20);
  ck_assert(restarted.take_daily_notices(start + 3 * day - 1).empty());
  notices = restarted.take_daily_notices(start + 3 * day);
  ck_assert_uint_eq(notices.size(), 1);
  ck_assert_uint_eq(notices[0].refused(), 1);
  ck_assert_uint_eq(notices[0].verdicts[static_cast<std::size_t>(Verdict::cipher)], 1);
  ck_assert_int_eq(notices[0].since, start + 2 * day);
}
END_TEST

START_TEST(a_clock_set_back_does_not_silence_notices) {
  Memory memory;
  Keeper keeper = open(memory, {}, {host("a")}, start + 1000 * day);
  connect(keeper.census(0), 1);
  static_cast<void>(keeper.take_daily_notices(start));
  ck_assert(keeper.take_daily_notices(start + day - 1).empty());
  Keeper next = open(memory, keeper.collect(start), {host("a")}, start - 500 * day);
  static_cast<void>(next.take_daily_notices(start - 499 * day));
  ck_assert_int_eq(next.collect(start).noticed_at, start - 499 * day);
}
END_TEST

START_TEST(counts_are_saved_and_loaded) {
  TempDir temp;
  auto directory = value_of(store::Directory::open(temp.path()));
  live::LoadedSnapshot none = live::load_snapshot(directory);
  ck_assert(none.snapshot == Snapshot());
  ck_assert(!none.warning.has_value());
  Memory memory;
  Keeper keeper = open(memory, none.snapshot, {host("a")});
  connect(keeper.census(0), 5);
  ck_assert(keeper.save(directory, start).has_value());
  struct stat before {};
  ck_assert_int_eq(::stat((temp / "census.json").c_str(), &before), 0);
  ck_assert_uint_eq(before.st_mode & 07777, 0600);
  ck_assert(live::load_snapshot(directory).snapshot == keeper.collect(start));

  // Nothing new, nothing written.
  ck_assert(keeper.save(directory, start + 60).has_value());
  struct stat after {};
  ck_assert_int_eq(::stat((temp / "census.json").c_str(), &after), 0);
  ck_assert_uint_eq(before.st_ino, after.st_ino);
  connect(keeper.census(0), 1);
  ck_assert(keeper.save(directory, start + 120).has_value());
  expect_counts(of(live::load_snapshot(directory).snapshot, "a"), 6);
  ck_assert_int_eq(live::load_snapshot(directory).snapshot.written, start + 120);
}
END_TEST

START_TEST(a_bad_file_is_set_aside) {
  TempDir temp;
  auto directory = value_of(store::Directory::open(temp.path()));
  for (const char* content : {"", "{\"version\":1,\"virtual_hosts\":[{\"key\":", "hello"}) {
    write_file(temp / "census.json", content);
    live::LoadedSnapshot loaded = live::load_snapshot(directory);
    ck_assert(loaded.snapshot == Snapshot());
    ck_assert(loaded.warning.has_value());
    expect_contains(loaded.warning->text, temp / "census.json");
    expect_contains(loaded.warning->text, "census.json.bad");
    expect_text(content_of(temp / "census.json.bad"), content);
    ck_assert(!live::load_snapshot(directory).warning.has_value());
  }
  // One that cannot be read must not be written over either.
  ck_assert_int_eq(::mkdir((temp / "census.json").c_str(), 0700), 0);
  ck_assert_int_eq(::unlink((temp / "census.json.bad").c_str()), 0);
  expect_contains(live::load_snapshot(directory).warning->text, "no regular file");
  ck_assert_int_eq(::access((temp / "census.json").c_str(), F_OK), -1);
}
END_TEST

START_TEST(a_directory_that_is_gone_is_an_error_of_save) {
  TempDir temp;
  auto directory = value_of(store::Directory::open_or_create(temp / "store", 0711));
  Memory memory;
  Keeper keeper = open(memory, {}, {host("a")});
  std::filesystem::remove(temp / "store");
  expect_contains(error_of(keeper.save(directory, start)), "census.json");
  // It is tried again, not taken for written.
  expect_contains(error_of(keeper.save(directory, start)), "census.json");
}
END_TEST

START_TEST(a_worker_reads_its_own_hosts) {
  Memory memory;
  std::vector<CountedHost> hosts{host("a"), host("b")};
  Keeper keeper = open(memory, {}, hosts);
  std::vector<VirtualHostCensus> censuses{keeper.census(0), keeper.census(1)};
  connect(censuses[1], 5);
  Snapshot snapshot = live::read_board(hosts, censuses, start + 1);
  Snapshot whole = keeper.collect(start + 1);
  ck_assert(snapshot.virtual_hosts == whole.virtual_hosts);
  ck_assert_int_eq(snapshot.written, start + 1);
  ck_assert_uint_eq(snapshot.seed, 0);  // not for a status page
  ck_assert(live::read_board(hosts, {}, start).virtual_hosts.empty());
  censuses[1] = {};
  ck_assert_uint_eq(live::read_board(hosts, censuses, start).virtual_hosts.size(), 1);
}
END_TEST

}  // namespace

Suite* keeper_suite() {
  Suite* suite = suite_create("keeper");
  TCase* life = tcase_create("life");
  tcase_add_test(life, counting_begins);
  tcase_add_test(life, a_reload_just_goes_on);
  tcase_add_test(life, a_restart_goes_on_from_the_snapshot);
  tcase_add_test(life, a_month_of_daily_reloads_and_some_restarts);
  tcase_add_test(life, a_removed_host_is_kept_for_400_days);
  tcase_add_test(life, counts_are_saved_and_loaded);
  tcase_add_test(life, a_bad_file_is_set_aside);
  tcase_add_test(life, a_directory_that_is_gone_is_an_error_of_save);
  tcase_add_test(life, a_worker_reads_its_own_hosts);
  suite_add_tcase(suite, life);
  TCase* policies = tcase_create("policies");
  tcase_add_test(policies, another_policy_resets_what_depends_on_it);
  tcase_add_test(policies, a_policy_that_comes_back_goes_on_where_it_stopped);
  tcase_add_test(policies, the_past_is_bounded);
  tcase_add_test(policies, verdicts_of_an_offer_go_with_the_policy);
  suite_add_tcase(suite, policies);
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
  TCase* notices = tcase_create("notices");
  tcase_add_test(notices, notices_come_once_a_day);
  tcase_add_test(notices, a_clock_set_back_does_not_silence_notices);
  suite_add_tcase(suite, notices);
  return suite;
}

}  // namespace tlsguard::test
