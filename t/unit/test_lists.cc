// SPDX-License-Identifier: Apache-2.0
// TLSGuardDomainList: files that change under a running agent.
#include "expect.h"

#include <filesystem>
#include <thread>

#include "agent/list_watch.h"
#include "renew/list_keeper.h"
#include "renewal_bench.h"

namespace tlsguard::test {
namespace {

using namespace renew;

struct Lists {
  RenewalBench bench;
  std::string path = bench.directory / "names";
  Lists() {
    DomainSettings settings;
    settings.cas = {{"internal", ""}};
    bench.spec.lists.push_back({path, 7, std::make_shared<const DomainSettings>(settings)});
  }
  // As an editor does.
  void write(const std::string& content) const {
    write_file(path + ".new", content);
    std::filesystem::rename(path + ".new", path);
  }
  void change(const std::string& content) {
    write(content);
    bench.manager().look_at_lists();
    bench.work();
  }
};

START_TEST(lines_are_domains) {
  Lists lists;
  lists.write("a.example www.a.example # ours\n\n# comment\n*.b.example\n");
  lists.bench.start();
  lists.bench.work();
  ck_assert_uint_eq(lists.bench.live_version("a.example").meta.names.size(), 2);
  lists.bench.live_version("*.b.example");
  expect_text(lists.bench.live.domain_of("www.a.example"), "a.example@7");
  expect_text(lists.bench.live.domain_of("*.b.example"), "*.b.example@7");
  ck_assert_uint_eq(lists.bench.manager().status().size(), 2);
}
END_TEST

START_TEST(added_lines_take_effect_and_removed_ones_are_served_on) {
  Lists lists;
  lists.write("a.example\nb.example\n");
  lists.bench.start();
  lists.bench.work();
  lists.change("b.example\nc.example\n");
  lists.bench.live_version("c.example");
  auto gone = lists.bench.live.of("a.example");
  ck_assert(gone.phase == Phase::undeclared);
  ck_assert_uint_eq(gone.generation, 1);
  ck_assert_int_gt(gone.not_after, lists.bench.now);
  ck_assert_int_eq(gone.next_run, 0);
  lists.bench.run_for(20 * one_day);
  ck_assert_uint_eq(lists.bench.live_version("a.example").number, 1);  // not renewed
  ck_assert_uint_gt(lists.bench.live_version("b.example").number, 1);
  // Back again: it goes on.
  lists.change("a.example\nb.example\nc.example\n");
  ck_assert_uint_eq(lists.bench.live_version("a.example").number, 2);
  ck_assert(lists.bench.live.of("a.example").phase == Phase::waiting);
}
END_TEST

START_TEST(more_names_on_a_line_are_a_new_certificate) {
  Lists lists;
  lists.write("a.example\n");
  lists.bench.start();
  lists.bench.work();
  lists.change("a.example www.a.example\n");
  ck_assert_uint_eq(lists.bench.live_version("a.example").number, 2);
  expect_text(lists.bench.live.domain_of("www.a.example"), "a.example@7");
  lists.change("a.example\n");
  ck_assert_uint_eq(lists.bench.live_version("a.example").number, 2);
}
END_TEST

START_TEST(bad_lines_are_skipped_and_reported) {
  Lists lists;
  lists.bench.add({"taken.example"}, *lists.bench.spec.lists[0].settings);
  lists.write(
      "a.example\n"
      "b..example\n"
      "taken.example\n"
      "c.example a.example\n"
      "d.example\n");
  lists.bench.start();
  lists.bench.work();
  ck_assert_uint_eq(lists.bench.manager().status().size(), 3);
  lists.bench.live_version("d.example");
  ck_assert_int_eq(lists.bench.log.count("TG0120"), 3);
  ck_assert(lists.bench.log.has("line 2 is skipped"));
  ck_assert(lists.bench.log.has("'taken.example' is in the configuration, too"));
  ck_assert(lists.bench.log.has("line 4 is skipped"));
}
END_TEST

START_TEST(a_file_that_goes_missing_or_empty_does_no_harm) {
  Lists lists;
  lists.write("a.example\n");
  lists.bench.start();
  lists.bench.work();
  std::filesystem::remove(lists.path);
  lists.bench.manager().look_at_lists();
  lists.bench.run_for(30 * one_day);
  ck_assert_uint_gt(lists.bench.live_version("a.example").number, 3);  // renewed as before
  ck_assert_int_eq(lists.bench.log.count("TG0121"), 1);
  // A new agent has the last good content.
  lists.bench.start();
  lists.bench.run_for(10 * one_day);
  ck_assert(lists.bench.live.of("a.example").phase == Phase::waiting);
  // A truncated file: served until it expires.
  lists.change("");
  ck_assert(lists.bench.live.of("a.example").phase == Phase::undeclared);
  ck_assert_uint_gt(lists.bench.live.of("a.example").generation, 0);
}
END_TEST

START_TEST(a_change_is_seen_without_being_told) {
  Lists lists;
  lists.write("a.example\n");
  lists.bench.start();
  lists.bench.work();
  lists.write("a.example\nb.example\n");
  lists.bench.run_for(61);
  lists.bench.live_version("b.example");
}
END_TEST

START_TEST(thousands_of_lines) {
  Lists lists;
  lists.bench.spec.lists[0].settings = [] {
    DomainSettings manual;
    manual.cas = {{"internal", ""}};
    manual.automatic = false;
    return std::make_shared<const DomainSettings>(manual);
  }();
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "host" + std::to_string(i) + ".example\n";
  lists.write(text);
  lists.bench.start();
  lists.bench.work();
  ck_assert_uint_eq(lists.bench.manager().status().size(), 10000);
  expect_text(lists.bench.live.domain_of("host9999.example"), "host9999.example@7");
}
END_TEST

START_TEST(inotify_tells_of_every_way_to_write) {
  TempDir directory;
  std::string file = directory / "names";
  write_file(file, "a.example\n");
  auto watch = value_of(agent::ListWatch::open({file, directory / "other"}));
  auto told = [&](const std::function<void()>& change) {
    change();
    return watch.wait();
  };
  ck_assert(told([&] { write_file(file, "b.example\n"); }));
  ck_assert(told([&] {
    write_file(file + ".tmp", "c.example\n");
    std::filesystem::rename(file + ".tmp", file);
  }));
  ck_assert(told([&] { std::filesystem::remove(file); }));
  ck_assert(told([&] { write_file(file, "d.example\n"); }));
  ck_assert(!agent::ListWatch::open({"/nowhere/at/all/names"}));
}
END_TEST

}  // namespace

Suite* lists_suite() {
  Suite* suite = suite_create("lists");
  TCase* tests = tcase_create("lists");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, lines_are_domains);
  tcase_add_test(tests, added_lines_take_effect_and_removed_ones_are_served_on);
  tcase_add_test(tests, more_names_on_a_line_are_a_new_certificate);
  tcase_add_test(tests, bad_lines_are_skipped_and_reported);
  tcase_add_test(tests, a_file_that_goes_missing_or_empty_does_no_harm);
  tcase_add_test(tests, a_change_is_seen_without_being_told);
  tcase_add_test(tests, thousands_of_lines);
  tcase_add_test(tests, inotify_tells_of_every_way_to_write);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
