// SPDX-License-Identifier: Apache-2.0
// The agent dies in each of the calls that change a file, in the middle of an order; the next one
// goes on. The CA remembers what it was asked and what it issued.
#include "expect.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <set>

#include "failing_calls.h"
#include "renewal_bench.h"
#include "store/layout.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

// How many of the certificates that the CA has issued are in the store, live or older.
std::size_t kept(RenewalBench& bench, const std::string& identity) {
  std::set<std::string> issued;
  const json state = bench.ca.state();
  for (const json& certificate : state["certificates"]) {
    issued.insert(certificate["pem"].get<std::string>());
  }
  std::set<std::string> found;
  auto& certificates = bench.manager().workshop().certificates;
  for (std::uint32_t number : value_of(certificates.versions(identity))) {
    for (const auto& pair : value_of(certificates.load(identity, number)).pairs) {
      if (issued.contains(pair.chain_pem)) found.insert(pair.chain_pem);
    }
  }
  return found.size();
}

// Those that the CA has made: one that it refuses, as alreadyReplaced, costs nothing.
int orders_made(RenewalBench& bench) { return static_cast<int>(bench.ca.state()["orders"].size()); }

// What was told, by the agent that died, too.
class ToldAcrossDeath {
 public:
  explicit ToldAcrossDeath(RenewalBench& bench) {
    void* shared =
        ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    counts_ = new (shared) Counts();
    bench.events.watch = [counts = counts_](Event event) {
      ++(*counts)[static_cast<std::size_t>(event)];
    };
  }
  ToldAcrossDeath(const ToldAcrossDeath&) = delete;
  ToldAcrossDeath& operator=(const ToldAcrossDeath&) = delete;
  ~ToldAcrossDeath() { ::munmap(counts_, sizeof(Counts)); }
  [[nodiscard]] int of(Event event) const { return (*counts_)[static_cast<std::size_t>(event)]; }

 private:
  using Counts = std::array<std::atomic<int>, 8>;
  Counts* counts_;
};

// One thread: the calls come in the same order each time.
void prepare(RenewalBench& bench, const DomainSettings& settings) {
  bench.threads = 1;
  bench.ca.polls_until_valid = 1;
  bench.add({"a.example", "b.example"}, settings);
}

DomainSettings two_keys(const RenewalBench& bench) {
  auto settings = bench.settings();
  settings.key_types = {crypto::KeyType::p256, crypto::KeyType::p384};
  return settings;
}

void dies_at_every_step(const std::function<DomainSettings(const RenewalBench&)>& settings_of,
                        int certificates, int most_orders, bool renewal, Fault fault) {
  int deaths = 0;
  for (std::size_t nth = 1;; ++nth) {
    TempDir memory;
    RenewalBench bench(memory / "ca.json");
    auto settings = settings_of(bench);
    prepare(bench, settings);
    if (renewal) {
      bench.start();
      bench.work();
      bench.stop();
      bench.now += 70 * one_day;
    }
    int orders_before = orders_made(bench);
    ToldAcrossDeath told(bench);
    bool died = dies_in_call(nth, fault, [&] {
      bench.start();
      bench.work();
      bench.stop();
    });
    if (!died) break;
    ++deaths;

    bench.now += 5;
    bench.start();
    bench.work();
    bench.run_for(120);  // an attempt that met a torn file is made again
    auto version = bench.live_version("a.example");
    ck_assert_uint_eq(version.pairs.size(), settings.key_types.size());
    ck_assert(version.meta.names == bench.spec.domains[0].names);
    auto view = bench.live.of("a.example");
    auto current = value_of(bench.manager().workshop().certificates.current("a.example"));
    ck_assert_uint_eq(view.generation, current->generation);
    ck_assert_msg(view.errors == 0, "step %zu: %s", nth, bench.log.texts().c_str());
    ck_assert(!bench.has_order("a.example"));
    // Each was told, perhaps twice.
    for (Event event : {Event::renewed, Event::activated}) {
      ck_assert_msg(told.of(event) == 1 || told.of(event) == 2, "step %zu: %s told %d times", nth,
                    std::string(event_name(event)).c_str(), told.of(event));
    }
    // None was lost, none ordered twice without need.
    int issued = bench.ca.count("certificates");
    ck_assert_msg(issued == certificates * (renewal ? 2 : 1), "step %zu: %d issued\n%s", nth,
                  issued, bench.log.texts().c_str());
    ck_assert_msg(kept(bench, "a.example") == static_cast<std::size_t>(issued),
                  "step %zu: %zu of %d kept", nth, kept(bench, "a.example"), issued);
    int orders = orders_made(bench) - orders_before;
    ck_assert_msg(orders <= most_orders, "step %zu: %d orders\n%s", nth, orders,
                  bench.log.texts().c_str());
    ck_assert_int_le(bench.ca.count("accounts"), 1);
    // Nothing is left of challenges.
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             bench.store_path() + "/" + store::challenges_directory)) {
      ck_assert_msg(!entry.is_regular_file(), "step %zu: %s", nth, entry.path().c_str());
    }
  }
  ck_assert_int_gt(deaths, 15);
}

// An order whose URL had not reached the disk is made again; no other is.
START_TEST(an_order_goes_on_after_death_at_any_step) {
  dies_at_every_step([](const RenewalBench& bench) { return bench.settings(); }, 1, 2, false,
                     Fault::die);
}
END_TEST

START_TEST(so_it_does_when_a_write_was_cut_in_half) {
  dies_at_every_step([](const RenewalBench& bench) { return bench.settings(); }, 1, 2, false,
                     Fault::die_half);
}
END_TEST

START_TEST(so_do_orders_of_two_key_types) { dies_at_every_step(two_keys, 2, 3, false, Fault::die); }
END_TEST

START_TEST(so_does_a_renewal) {
  dies_at_every_step([](const RenewalBench& bench) { return bench.settings(); }, 1, 2, true,
                     Fault::die);
}
END_TEST

START_TEST(the_internal_ca_survives_death_at_any_step) {
  for (std::size_t nth = 1;; ++nth) {
    RenewalBench bench;
    DomainSettings settings;
    settings.cas = {{"internal", ""}};
    prepare(bench, settings);
    ToldAcrossDeath told(bench);
    bool died = dies_in_call(nth, Fault::die, [&] {
      bench.start();
      bench.work();
      bench.stop();
    });
    if (!died) {
      ck_assert_uint_gt(nth, 15);
      break;
    }
    bench.start();
    bench.work();
    bench.run_for(120);
    bench.live_version("a.example");
    ck_assert_msg(told.of(Event::activated) >= 1, "step %zu: activation not told", nth);
    ck_assert_msg(bench.live.of("a.example").errors == 0, "step %zu: %s", nth,
                  bench.log.texts().c_str());
  }
}
END_TEST

// A disk that is full for a while: each call fails from the nth on, and then no longer.
START_TEST(a_full_disk_at_any_step_is_survived) {
  for (std::size_t nth = 1;; ++nth) {
    RenewalBench bench;
    prepare(bench, bench.settings());
    bench.start();
    watch_calls(Fault::fail, nth, ENOSPC, /*lasting=*/true);
    bench.work();
    bool failed = calls_seen() >= nth;
    stop_watching();
    if (!failed) {
      ck_assert_uint_gt(nth, 10);
      break;
    }
    bench.run_for(4 * 3600);
    bench.live_version("a.example");
    ck_assert_int_eq(bench.ca.count("certificates"), 1);
    ck_assert_msg(bench.live.of("a.example").errors == 0, "step %zu: %s", nth,
                  bench.log.texts().c_str());
  }
}
END_TEST

}  // namespace

Suite* killed_order_suite() {
  Suite* suite = suite_create("killed order");
  TCase* tests = tcase_create("killed order");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, an_order_goes_on_after_death_at_any_step);
  tcase_add_test(tests, so_it_does_when_a_write_was_cut_in_half);
  tcase_add_test(tests, so_do_orders_of_two_key_types);
  tcase_add_test(tests, so_does_a_renewal);
  tcase_add_test(tests, the_internal_ca_survives_death_at_any_step);
  tcase_add_test(tests, a_full_disk_at_any_step_is_survived);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
