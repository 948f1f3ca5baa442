// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "census_clients.h"
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
  std::vector<live::ShownHost> shown = shown_by(keeper, hosts);
  connect(shown[1].census, 5);
  Snapshot snapshot = live::read_board(shown, start + 1);
  Snapshot whole = keeper.collect(start + 1);
  ck_assert(snapshot.virtual_hosts == whole.virtual_hosts);
  ck_assert_int_eq(snapshot.written, start + 1);
  ck_assert_uint_eq(snapshot.seed, 0);  // not for a status page
  ck_assert(live::read_board({}, start).virtual_hosts.empty());
  shown[1].census = {};
  ck_assert_uint_eq(live::read_board(shown, start).virtual_hosts.size(), 1);
}
END_TEST

START_TEST(a_worker_shows_past_policies) {
  Memory memory;
  Snapshot saved;
  {
    Keeper keeper = open(memory, {}, {host("a"), host("b")});
    connect(keeper.census(0), 5);
    saved = keeper.collect(start);
  }
  const std::vector<CountedHost> hosts{host("a", "mozilla-old@5.8"), host("b")};
  Keeper keeper = open(memory, saved, hosts, start + day);
  connect(keeper.census(0), 2, start + day);
  Snapshot snapshot = live::read_board(shown_by(keeper, hosts), start + day);
  const VirtualHostCounts& a = of(snapshot, "a");
  ck_assert_uint_eq(a.by(Judge::in_force).total(), 2);
  ck_assert_uint_eq(a.past.size(), 1);
  expect_text(a.past[0].judged.policy, "baseline@1");
  ck_assert_uint_eq(a.past[0].judged.total(), 5);
  ck_assert(of(snapshot, "b").past.empty());
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

// While the policy changes a worker of the old one counts on: but for the handshake it was at, none
// of that is counted for the new one.
START_TEST(the_old_policys_worker_does_not_count_for_the_new_one) {
  Memory memory;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "a" + std::to_string(i);
    Keeper keeper = open(memory, {}, {host(name)});
    Snapshot saved = keeper.collect(start);
    std::atomic<bool> done{false};
    std::thread worker([&done, census = keeper.census(0)] {
      while (!done) connect(census, 1);
    });
    while (of(keeper.collect(start), name).traffic.full.count < 10) std::this_thread::yield();
    Keeper next = open(memory, saved, {host(name, "mozilla-old@5.8")}, start + day);
    std::this_thread::yield();
    done = true;
    worker.join();
    Snapshot snapshot = next.collect(start + day);
    const VirtualHostCounts& counts = of(snapshot, name);
    ck_assert_uint_le(counts.by(Judge::in_force).total(), 1);
    ck_assert_uint_le(counts.traffic.full.count, 1);
    ck_assert_uint_le(counts.traffic.versions[2].count, 1);
    ck_assert_uint_ge(counts.past.at(0).judged.total(), 10);
  }
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
  tcase_add_test(policies, the_old_policys_worker_does_not_count_for_the_new_one);
  tcase_add_test(policies, a_policy_that_comes_back_goes_on_where_it_stopped);
  tcase_add_test(policies, the_past_is_bounded);
  tcase_add_test(policies, verdicts_of_an_offer_go_with_the_policy);
  suite_add_tcase(suite, policies);
  TCase* notices = tcase_create("notices");
  tcase_add_test(notices, notices_come_once_a_day);
  tcase_add_test(notices, a_clock_set_back_does_not_silence_notices);
  suite_add_tcase(suite, notices);
  return suite;
}

}  // namespace tlsguard::test
