// SPDX-License-Identifier: Apache-2.0
// Reloads, and stores that are torn, full, or somebody else's.
#include "expect.h"

#include <filesystem>

#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;
using nlohmann::json;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;

START_TEST(a_reload_orders_what_the_contract_says) {
  RenewalBench bench;
  bench.add({"a.example", "b.example"});
  bench.start();
  bench.work();
  auto reload = [&](const std::vector<std::string>& names, const DomainSettings& settings) {
    bench.spec.domains.clear();
    bench.add(names, settings);
    bench.start();
    bench.run_for(hour);
    return bench.ca.count("certificates") + bench.second_ca.count("certificates");
  };
  auto settings = bench.settings();
  ck_assert_int_eq(reload({"a.example", "b.example"}, settings), 1);
  ck_assert_int_eq(reload({"a.example"}, settings), 1);  // removed: at the next renewal
  settings.key_types = {crypto::KeyType::p384};
  ck_assert_int_eq(reload({"a.example"}, settings), 1);
  settings.preferred_chain = "Other Root";
  settings.profile = "x";
  ck_assert_int_eq(reload({"a.example"}, settings), 1);
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 2);  // added: at once
  ck_assert(bench.live_version("a.example").pairs[0].type == crypto::KeyType::p384);
  settings.cas.push_back({"second", bench.second_ca.directory_url()});
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 2);
  settings.cas.erase(settings.cas.begin());  // no longer listed: at once
  ck_assert_int_eq(reload({"a.example", "c.example"}, settings), 3);
  expect_text(bench.live_version("a.example").meta.ca, "second");
}
END_TEST

START_TEST(another_first_name_is_the_same_domain) {
  RenewalBench bench;
  bench.add({"a.example", "b.example", "c.example"});
  bench.start();
  bench.work();
  bench.ask(R"({"command":"hold","domain":"a.example"})");
  bench.spec.domains.clear();
  bench.add({"b.example", "a.example", "c.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
  ck_assert(bench.live.of("b.example").phase == Phase::held);
  ck_assert_uint_gt(bench.live.of("b.example").generation, 0);
  ck_assert_uint_eq(bench.live_version("b.example").meta.names.size(), 3);
  // Few names in common: another domain.
  bench.spec.domains.clear();
  bench.add({"d.example", "a.example"});
  bench.start();
  bench.run_for(hour);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
}
END_TEST

START_TEST(a_torn_state_file_is_set_aside_and_healed) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.stop();
  std::string job = bench.store_path() + "/agent/domains/a.example/job.json";
  std::string whole = content_of(job);
  for (const std::string& torn : {whole.substr(0, whole.size() / 2), std::string(),
                                  std::string(300000, ' '), std::string("{\"version\":9}")}) {
    write_file(job, torn);
    bench.start();
    bench.run_for(hour);
    ck_assert_int_eq(bench.ca.count("certificates"), 1);
    auto live = bench.job("a.example").live;
    ck_assert_uint_eq(live->version, 1);
    expect_text(live->ca_url, bench.ca.directory_url());
    ck_assert_uint_eq(bench.live.of("a.example").generation, 1);
    bench.stop();
  }
  expect_text(content_of(job + ".bad"), "{\"version\":9}");
}
END_TEST

// What is left of a file whose blocks never reached the disk.
void tear(const std::string& path) {
  std::string whole = content_of(path);
  write_file(path, whole.substr(0, whole.size() / 2));
}

START_TEST(a_torn_certificate_gives_way_to_the_one_before) {
  for (const char* file : {"2/P-256.pem", "2/P-256.key", "2/meta.json", "current"}) {
    RenewalBench bench;
    bench.add({"a.example"});
    bench.start();
    bench.work();
    bench.ask(R"({"command":"renew","domain":"a.example"})");
    bench.work();
    auto generation = bench.live.of("a.example").generation;
    bench.stop();
    tear(bench.store_path() + "/certs/a.example/" + file);
    bench.start();
    bench.work();
    // `current` alone is torn: the newest version is as good as it was.
    std::uint32_t left = file == std::string("current") ? 2 : 1;
    ck_assert_uint_eq(bench.live_version("a.example").number, left);
    ck_assert_uint_gt(bench.live.of("a.example").generation, generation);
    ck_assert_int_eq(bench.ca.count("certificates"), 2);
    ck_assert_int_eq(bench.log.count("TG0118"), 1);
    // It is said once, and nothing is wrong any more.
    bench.start();
    bench.work();
    ck_assert_int_eq(bench.log.count("TG0118"), 1);
    ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
  }
}
END_TEST

START_TEST(where_none_is_left_a_new_one_is_ordered) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.stop();
  tear(bench.store_path() + "/certs/a.example/1/P-256.key");
  bench.start();
  bench.work();
  ck_assert_uint_eq(bench.live_version("a.example").number, 2);
  ck_assert_uint_eq(bench.live.of("a.example").generation, 2);
  ck_assert_int_eq(bench.ca.count("certificates"), 2);
  // So it is where the sealing key is lost: no key opens any more, that of the account neither.
  bench.stop();
  bench.sealing = value_of(crypto::SealingKey::generate());
  bench.start();
  bench.work();
  ck_assert_uint_eq(bench.live_version("a.example").number, 3);
  ck_assert_int_eq(bench.ca.count("accounts"), 2);
}
END_TEST

// Neither job.json nor order.json can be read for a while: nothing is ordered, what is live stays.
START_TEST(what_cannot_be_read_is_waited_for) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  bench.stop();
  std::string path = bench.store_path() + "/agent/domains/a.example";
  std::filesystem::rename(path, path + ".away");
  write_file(path, "");  // no directory, and not to be removed
  bench.start();
  bench.run_for(one_day);
  ck_assert(bench.live.of("a.example").phase == Phase::own_error);
  ck_assert_uint_eq(bench.live.of("a.example").generation, 1);
  ck_assert_uint_gt(bench.live.of("a.example").errors, 5);
  ck_assert_uint_lt(bench.live.of("a.example").errors, 60);
  std::filesystem::remove(path);
  std::filesystem::rename(path + ".away", path);
  bench.run_for(one_day);
  ck_assert(bench.live.of("a.example").phase == Phase::waiting);
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
  ck_assert_int_eq(bench.ca.count("certificates"), 1);
}
END_TEST

START_TEST(a_store_has_one_agent) {
  RenewalBench bench;
  bench.add({"a.example"});
  bench.start();
  bench.work();
  // A second server with the same store, while the first one lives.
  LiveList other_live;
  AgentSpec spec = bench.spec;
  spec.domains.push_back({"b.example", {"b.example"}, spec.domains[0].settings});
  auto second = value_of(Manager::open({.spec = spec,
                                        .sealing = bench.sealing,
                                        .live = other_live,
                                        .events = bench.events,
                                        .log = bench.log,
                                        .http = bench.manager().http(),
                                        .world = bench.world()}));
  second->tick();
  second->settle();
  ck_assert(!second->owns_store());
  ck_assert_uint_eq(other_live.of("a.example").generation, 1);
  ck_assert_uint_eq(other_live.of("b.example").generation, 0);
  ck_assert_int_eq(bench.ca.count("new-order"), 1);
  ck_assert(bench.log.has("another server"));
  // What the first one renews, the second one serves.
  bench.ask(R"({"command":"renew","domain":"a.example"})");
  bench.work();
  bench.now += 61;
  second->tick();
  ck_assert_uint_eq(other_live.of("a.example").generation, 2);
  // The first one goes: the second takes over.
  bench.stop();
  second->tick();
  second->settle();
  ck_assert(second->owns_store());
  ck_assert_uint_eq(other_live.of("b.example").generation, 1);
}
END_TEST

START_TEST(a_full_disk_is_a_clear_state_and_passes) {
  RenewalBench bench;
  bench.add({"a.example"});
  std::filesystem::create_directories(bench.store_path() + "/agent");
  bench.start();
  // A file where the domain's directory should be: nothing can be written there.
  std::string path = bench.store_path() + "/agent/domains/a.example";
  write_file(path, "");
  bench.work();
  ck_assert(bench.live.of("a.example").phase == Phase::own_error);
  ck_assert_int_eq(bench.ca.count("certificates"), 0);
  expect_contains(bench.manager().status().front().reason, path);  // it cannot be written there
  std::filesystem::remove(path);
  bench.run_for(2 * minute);
  bench.live_version("a.example");
  ck_assert_uint_eq(bench.live.of("a.example").errors, 0);
}
END_TEST

}  // namespace

Suite* manager_store_suite() {
  Suite* suite = suite_create("manager store");
  TCase* tests = tcase_create("manager store");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, a_reload_orders_what_the_contract_says);
  tcase_add_test(tests, another_first_name_is_the_same_domain);
  tcase_add_test(tests, a_torn_state_file_is_set_aside_and_healed);
  tcase_add_test(tests, a_torn_certificate_gives_way_to_the_one_before);
  tcase_add_test(tests, where_none_is_left_a_new_one_is_ordered);
  tcase_add_test(tests, what_cannot_be_read_is_waited_for);
  tcase_add_test(tests, a_store_has_one_agent);
  tcase_add_test(tests, a_full_disk_is_a_clear_state_and_passes);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
