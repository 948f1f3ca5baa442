// SPDX-License-Identifier: Apache-2.0
// The status page's query, choice of domains, and the files it reads.
#include "suites.h"

#include <fmt/format.h>

#include "expect.h"
#include "status/domain_facts.h"
#include "status/html.h"
#include "status/markup.h"
#include "status/open_metrics.h"
#include "status/section.h"
#include "status/words.h"
#include "status_samples.h"

namespace tlsguard::test {
namespace {

using renew::Phase;
using status::Domain;
using status::Form;
using status::Health;
using status::Model;

START_TEST(a_query_is_read_with_bounds) {
  auto query = status::parse_query("q=Www%2Eex+&state=failing&page=3&hosts=2&policy=modern");
  expect_text(query.search, "www.ex");
  expect_text(query.state, "failing");
  ck_assert_uint_eq(query.page, 3);
  ck_assert_uint_eq(query.host_page, 2);
  ck_assert(query.judge == live::Judge::modern);
  expect_text(status::address_of(query), "?q=www.ex&state=failing&policy=modern&page=3&hosts=2");
  for (const char* page :
       {"page=0", "page=-1", "page=x", "page=", "page=2x", "page", "page=99999999999999999999"}) {
    ck_assert_uint_eq(status::parse_query(page).page, 1);
  }
  ck_assert_uint_eq(status::parse_query("page=9999999999").page, status::Query::max_page);
  ck_assert_uint_eq(status::parse_query("q=" + std::string(5000, 'a')).search.size(),
                    status::Query::max_search);
  ck_assert(status::parse_query("policy=nobody").wrong_policy());
  ck_assert(status::parse_query("policy").wrong_policy());
  ck_assert(!status::parse_query("").wrong_policy());
  expect_text(status::parse_query("q=%zz%4").search, "%zz%4");
  expect_text(status::percent_decoded(status::percent_encoded("a&b=\"<\xff%")), "a&b=\"<\xff%");
}
END_TEST

START_TEST(the_form_is_the_querys_or_what_is_accepted) {
  auto form = [](std::string_view query, std::string_view accept) {
    return status::form_of(status::parse_query(query), accept);
  };
  ck_assert(form("", "") == Form::html);
  ck_assert(form("", "*/*") == Form::html);
  ck_assert(form("", "application/json") == Form::json);
  ck_assert(form("", "text/html,application/json;q=0.9") == Form::html);
  ck_assert(form("", "text/plain") == Form::text);
  ck_assert(form("json", "text/html") == Form::json);
  ck_assert(form("a=b&metrics", "text/html") == Form::metrics);
  ck_assert(form("text", "") == Form::text);
  ck_assert(form("nojson&jsonx", "") == Form::html);
}
END_TEST

START_TEST(health_is_the_worst_that_is_known) {
  Domain domain = good_domain("a.example");
  auto health = [&] { return status::health_of(domain, status_now); };
  ck_assert(health() == Health::good);
  domain.phase = Phase::held;
  ck_assert(health() == Health::paused);
  domain.not_after = status_now + 9 * status_day;
  ck_assert(health() == Health::expiring);
  // Of six days a quarter is not two weeks.
  domain.not_before = status_now - 3 * status_day;
  domain.not_after = status_now + 3 * status_day;
  ck_assert(health() == Health::paused);
  // TLSGuardWarnWindow, where the agent says when it begins.
  domain.warn_from = status_now;
  ck_assert(health() == Health::expiring);
  domain.warn_from = status_now + 1;
  ck_assert(health() == Health::paused);
  domain.phase = Phase::vetoed;
  ck_assert(health() == Health::paused);
  domain.phase = Phase::waiting;
  domain.errors = 1;
  ck_assert(health() == Health::failing);
  domain.errors = 0;
  for (Phase phase : {Phase::ca_error, Phase::own_error, Phase::preflight_failed,
                      Phase::action_needed, Phase::terms_not_agreed}) {
    domain.phase = phase;
    ck_assert(health() == Health::failing);
    ck_assert(!status::advice(domain).empty());
  }
  domain.not_after = status_now;
  ck_assert(health() == Health::expired);
  domain = good_domain("b.example");
  domain.generation = 0;
  ck_assert(health() == Health::missing);
  // What a script may have written.
  domain.phase = std::nullopt;
  domain.generation = ~0ULL;
  domain.not_after = INT64_MAX;
  domain.not_before = INT64_MIN;
  ck_assert(health() == Health::good || health() == Health::expiring);
}
END_TEST

START_TEST(an_agent_that_is_gone_is_missed) {
  Model model = empty_model();
  ck_assert(!status::agent_is_missing(model));
  model.managing = true;
  ck_assert(status::agent_is_missing(model));
  model.started = status_now - status::agent_silence;
  ck_assert(!status::agent_is_missing(model));
  model.started -= status_day;
  ck_assert(status::agent_is_missing(model));
  model.agent_seen = status_now - status::agent_silence - 1;
  ck_assert(status::agent_is_missing(model));
  expect_contains(status::to_html(model), "has not been at work since");
  expect_contains(status::section_html(model), "is not at work");
  expect_contains(status::section_text(model), "TLSGuardAgentMissing: 1");
  model.agent_seen = status_now - 20;
  ck_assert(!status::agent_is_missing(model));
  ck_assert(status::to_html(model).find("at work") == std::string::npos);
  model.agent_seen = 0;
  model.managing = false;
  model.watching = true;
  ck_assert(status::agent_is_missing(model));
  expect_contains(status::to_metrics(model, status::Dialect::open_metrics),
                  "tlsguard_agent_last_seen_timestamp_seconds 0\n");
  expect_contains(status::section_text(model), "TLSGuardAgentMissing: 1");
  // Another server's agent is none of this one's.
  model.passive = true;
  ck_assert(!status::agent_is_missing(model));
  expect_contains(status::to_html(model), "Another server uses this store");
  model.passive = false;
  model.agent_seen = INT64_MAX;
  ck_assert(!status::agent_is_missing(model));
}
END_TEST

std::vector<Domain> many(std::size_t count) {
  std::vector<Domain> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(good_domain(fmt::format("host{:04}.example", i)));
  }
  return all;
}

Model chosen(std::string_view query, std::vector<Domain> all) {
  Model model = empty_model();
  model.managing = true;
  model.query = status::parse_query(query);
  choose_domains(model, std::move(all));
  return model;
}

START_TEST(pages_of_fifty_worst_first) {
  auto all = many(123);
  all[99].errors = 2;
  all[77].generation = 0;
  Model model = chosen("", all);
  ck_assert_uint_eq(model.domains.size(), 50);
  ck_assert_uint_eq(model.domain_page.pages(), 3);
  expect_text(model.domains[0].identity, "host0099.example");
  expect_text(model.domains[1].identity, "host0077.example");
  expect_text(model.domains[2].identity, "host0000.example");
  ck_assert_uint_eq(model.tally.total, 123);
  ck_assert_uint_eq(model.tally.attention(), 2);
  Model last = chosen("page=3", all);
  ck_assert_uint_eq(last.domains.size(), 23);
  expect_text(last.domains.back().identity, "host0122.example");
  Model beyond = chosen("page=1000000", all);
  ck_assert_uint_eq(beyond.domain_page.number, 3);
  Model exact = chosen("page=2", many(100));
  ck_assert_uint_eq(exact.domain_page.pages(), 2);
  ck_assert_uint_eq(exact.domains.size(), 50);
}
END_TEST

START_TEST(search_and_states_narrow) {
  auto all = many(60);
  all[5].names.push_back("shop.example");
  all[7].phase = Phase::held;
  all[8].errors = 1;
  ck_assert_uint_eq(chosen("q=host001", all).domain_page.matched, 10);
  ck_assert_uint_eq(chosen("q=HOST0010", all).domain_page.matched, 1);
  expect_text(chosen("q=shop", all).domains.at(0).identity, "host0005.example");
  ck_assert_uint_eq(chosen("q=nobody", all).domain_page.matched, 0);
  ck_assert_uint_eq(chosen("state=attention", all).domain_page.matched, 1);
  ck_assert_uint_eq(chosen("state=paused", all).domain_page.matched, 1);
  ck_assert_uint_eq(chosen("state=held", all).domain_page.matched, 1);
  ck_assert_uint_eq(chosen("state=good", all).domain_page.matched, 58);
  ck_assert_uint_eq(chosen("state=nonsense", all).domain_page.matched, 0);
  // What is counted does not depend on what is looked for.
  ck_assert_uint_eq(chosen("q=nobody", all).tally.total, 60);
  Model none = chosen("", {});
  ck_assert_uint_eq(none.domain_page.pages(), 1);
  ck_assert_uint_eq(none.tally.total, 0);
}
END_TEST

START_TEST(files_that_expire_first_come_first) {
  auto file = [](const std::string& name, UnixSeconds left) {
    status::CertificateFile one;
    one.file = "/etc/" + name + ".pem";
    one.names = {name};
    one.serial = "01";
    one.not_before = status_now - 60 * status_day;
    one.not_after = status_now + left;
    one.hosts = {"host." + name};
    return one;
  };
  std::vector<status::CertificateFile> all{file("c.example", 40 * status_day), file("a.example", 0),
                                           file("b.example", status_day)};
  Model model = empty_model();
  model.troubles.emplace();
  model.troubles->files = {{"/etc/b.example.pem", "01", true, status_now, status_now + 9},
                           {"/etc/a.example.pem", "02", true, status_now, status_now + 9}};
  choose_files(model, all, 2);
  ck_assert_uint_eq(model.files.size(), 2);
  ck_assert_uint_eq(model.files_matched, 3);
  expect_text(model.files[0].file, "/etc/a.example.pem");
  ck_assert_int_eq(model.first_file_expiry, status_now);
  ck_assert(health_of(model.files[0], status_now) == Health::expired);
  ck_assert(health_of(model.files[1], status_now) == Health::expiring);
  ck_assert(health_of(all[0], status_now) == Health::good);
  // What is said of another certificate than the one that is served is not of this one.
  ck_assert_int_eq(model.files[0].newer_since, 0);
  ck_assert_int_eq(model.files[1].newer_until, status_now + 9);
  for (const char* search : {"host.c.ex", "/etc/c", "c.example"}) {
    Model one = empty_model();
    one.query.search = search;
    choose_files(one, all, 50);
    ck_assert_uint_eq(one.files_matched, 1);
    expect_text(one.files[0].file, "/etc/c.example.pem");
  }
}
END_TEST

START_TEST(texts_are_escaped) {
  expect_text(status::escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  expect_text(status::escaped("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x92"),
              "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x92");
  const std::string bad = "\xEF\xBF\xBD";
  for (std::string_view hostile :
       {std::string_view("\x00", 1), std::string_view("\x1b"), std::string_view("\x7f"),
        std::string_view("\xff"), std::string_view("\xc0"), std::string_view("\xe2\x80\xae"),
        std::string_view("\xed\xa0\x80"), std::string_view("\xf4\x90\x80\x80"),
        std::string_view("\xc2\x85")}) {
    std::string text = status::escaped(hostile);
    ck_assert_msg(text.starts_with(bad), "%s", text.c_str());
    ck_assert_uint_eq(text.size() % 3, 0);
  }
  // Cut in the middle of a character.
  expect_text(status::escaped("a\xE2\x82"), "a" + bad + bad);
  expect_text(status::escaped("a\nb\tc"), "a b c");
}
END_TEST

START_TEST(numbers_and_moments_for_people) {
  expect_text(status::grouped(0), "0");
  expect_text(status::grouped(999), "999");
  expect_text(status::grouped(1234567), "1,234,567");
  expect_text(status::brief(9999), "9,999");
  expect_text(status::brief(12345), "12.3k");
  expect_text(status::brief(999999), "1.0M");
  expect_text(status::brief(~0ULL), "18.4E");
  expect_text(status::share(1, 1000000), "&lt;0.01%");
  expect_text(status::share(999999, 1000000), "&gt;99.99%");
  expect_text(status::share(1, 8), "12.5%");
  expect_text(status::share(0, 0), "0%");
  expect_text(status::day(status_now), "21 Nov 2026");
  expect_text(status::day(0), "never");
  expect_text(status::distance(status_now + 3 * status_day, status_now), "in 3 days");
  expect_text(status::distance(status_now - 1, status_now), "1 second ago");
  expect_text(status::length(2 * status_day - 1), "47 hours");
}
END_TEST

START_TEST(why_a_domain_is_renewed_then) {
  Domain domain = good_domain("a.example");
  domain.facts = facts_of("a.example");
  expect_text(status::next_step(domain, status_now), "Renewal in 30 days");
  expect_contains(status::next_reason(domain, status_now), "the renew window begins 20 Dec 2026");
  domain.facts->next.cause = "ari";
  domain.facts->ari = {status_now + 20 * status_day, status_now + 22 * status_day,
                       status_now + 21 * status_day, ""};
  expect_contains(status::next_reason(domain, status_now),
                  "the CA suggests 11 Dec 2026 to 13 Dec 2026 (ARI)");
  domain.errors = 2;
  domain.next_run = status_now + 300;
  domain.facts->failed_at = status_now - 60;
  expect_text(status::next_step(domain, status_now), "Next attempt in 5 minutes");
  expect_contains(status::next_reason(domain, status_now), "2 attempts failed");
  domain.phase = Phase::ordering;
  expect_text(status::next_step(domain, status_now), "Under way");
}
END_TEST

const char* const good_report = R"({"domain":"a.example","names":["a.example"],"phase":"waiting",
 "reason":"","error":"","failed_at":0,"ari":{"start":0,"end":0,"renew_at":0,"explanation":""},
 "next":{"renew_at":10,"cause":"window","floor_at":9,"ask_ari_at":0},
 "live":{"version":2,"generation":3,"since":5,"ca":"internal","profile":"","certificates":[
  {"key_type":"P-256","serial":"0a","issuer":"CN=x","not_before":1,"not_after":2,"sha256":"y"}]},
 "served":[{"generation":3,"serials":["0a"]},{"generation":2,"serials":["09","08"]}],
 "history":[{"at":5,"what":"activated","text":"version 2"}],"more":[1]})";

START_TEST(reports_are_read_with_bounds) {
  auto facts = value_of(status::read_domain_facts(good_report));
  ck_assert_uint_eq(facts.version, 2);
  expect_text(facts.certificates.at(0).serial, "0a");
  expect_text(facts.serial_of(2), "09 08");
  expect_text(facts.serial_of(7), "");
  std::string text = good_report;
  for (std::size_t size = 0; size < text.size(); size += 7) {
    ck_assert(!status::read_domain_facts(text.substr(0, size)));
  }
  for (auto [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"names\":[", "\"names\":[7,"},
                                                        {"\"failed_at\":0", "\"failed_at\":-1"},
                                                        {"\"version\":2", "\"version\":\"2\""},
                                                        {"\"serials\":[\"0a\"]", "\"serials\":{}"},
                                                        {"\"history\":[", "\"history\":[null,"},
                                                        {"\"next\":{", "\"nexus\":{"}}) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    ck_assert_msg(!status::read_domain_facts(changed), "%s", to.c_str());
  }
  ck_assert(!status::read_domain_facts(std::string(status::max_report + 1, ' ')));
  ck_assert(!status::read_domain_facts(std::string(1000, '[')));
}
END_TEST

}  // namespace

Suite* status_model_suite() {
  Suite* suite = suite_create("status model");
  TCase* tcase = tcase_create("status model");
  tcase_add_test(tcase, a_query_is_read_with_bounds);
  tcase_add_test(tcase, the_form_is_the_querys_or_what_is_accepted);
  tcase_add_test(tcase, health_is_the_worst_that_is_known);
  tcase_add_test(tcase, an_agent_that_is_gone_is_missed);
  tcase_add_test(tcase, pages_of_fifty_worst_first);
  tcase_add_test(tcase, search_and_states_narrow);
  tcase_add_test(tcase, files_that_expire_first_come_first);
  tcase_add_test(tcase, texts_are_escaped);
  tcase_add_test(tcase, numbers_and_moments_for_people);
  tcase_add_test(tcase, why_a_domain_is_renewed_then);
  tcase_add_test(tcase, reports_are_read_with_bounds);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
