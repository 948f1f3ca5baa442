// SPDX-License-Identifier: Apache-2.0
// The status page's forms: HTML, JSON, metrics, and the section in mod_status.
#include "suites.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "expect.h"
#include "renew/ca_counts.h"
#include "status/html.h"
#include "status/json.h"
#include "status/open_metrics.h"
#include "status/section.h"
#include "status_samples.h"

namespace tlsguard::test {
namespace {

using live::Judge;
using nlohmann::json;
using renew::Phase;
using status::Dialect;
using status::Domain;
using status::Model;

live::VirtualHostCounts counted_host(const std::string& key) {
  live::VirtualHostCounts host;
  host.key = key;
  host.configured = true;
  host.began = status_now - 30 * status_day;
  host.traffic.versions[3] = {900, status_now};
  host.traffic.versions[2] = {100, status_now};
  host.traffic.full = {600, status_now};
  host.traffic.resumed = {400, status_now};
  host.traffic.ciphers = {{0x1302, {900, status_now}}, {0xc02f, {100, status_now}}};
  host.traffic.groups = {{0x001d, {1000, status_now}}};
  live::Judged& modern = host.by(Judge::modern);
  modern.policy = "mozilla-modern@6.0";
  modern.verdicts[0] = {900, status_now};
  modern.verdicts[1] = {100, status_now};
  host.by(Judge::in_force).policy = "baseline@1";
  host.by(Judge::in_force).verdicts[0] = {1000, status_now};
  host.by(Judge::in_force).verdicts[2] = {4, status_now};
  live::Offer offer;
  offer.facts = live::OfferFacts{};
  offer.facts->highest_version = 0x0303;
  offer.count = 100;
  offer.verdicts.set(Judge::modern, hello::Verdict::protocol);
  host.offers.push_back(offer);
  return host;
}

// Everything a page can have, with names and texts that want out of their place.
Model hostile_model() {
  const std::string evil = "\"'><script>alert(1)</script>\\\n\xff&{}";
  Model model = empty_model();
  model.server_name = evil;
  model.httpd = evil;
  model.managing = true;
  model.query = status::parse_query("q=%22%3E%3Cscript%3E&state=%22%3E%3Cb%3E");
  Domain domain = good_domain("x");
  domain.identity = evil;
  domain.names = {evil, evil};
  domain.phase = Phase::ca_error;
  domain.errors = 3;
  domain.facts = facts_of(evil);
  domain.facts->error = evil;
  domain.facts->ca = evil;
  domain.facts->profile = evil;
  domain.facts->ari = {status_now, status_now + 5, status_now + 1, evil};
  domain.facts->certificates[0].serial = evil;
  domain.facts->certificates[0].issuer = evil;
  domain.facts->certificates[0].key_type = evil;
  domain.facts->served[0].serials = {evil};
  domain.facts->history[0] = {status_now, evil, evil};
  domain.copies = {{{17, false}, 3, false}, {{18, true}, 2, true}, {{19, false}, 0, false}};
  Domain torn = good_domain("torn.example");
  torn.trouble = evil;
  model.domains = {domain, torn};
  model.domain_page = status::page_of(50, 200, 2);
  model.workers = {{17, false}, {18, true}};
  model.cas.emplace();
  model.cas->of(evil).add(30, true, status_now);
  renew::CaCounts::count(model.cas->errors, evil);
  renew::CaCounts::count(model.cas->attempts, "first");
  model.troubles.emplace();
  model.troubles->counts = {{"failing", 7}, {evil, 1}};
  model.troubles->alerts = {{"failing", evil, status_now - status_day, evil, status_now - 7200},
                            {"ca-silent", "ca=" + evil, status_now, evil},
                            {"expiring", "file=" + evil, status_now, evil},
                            {evil, evil, 0, evil}};
  model.troubles->dead_letters.assign(12, {status_now, status_now, evil, evil, evil, evil, 4});
  model.troubles->waiting = 3;
  model.troubles->waiting_since = status_now - 60;
  status::CertificateFile file{evil,
                               {evil, evil},
                               evil,
                               evil,
                               status_now - status_day,
                               status_now,
                               {evil, evil, evil, evil}};
  file.newer_since = status_now - 60;
  file.newer_until = status_now + 90 * status_day;
  model.files = {file};
  model.files_matched = 70;
  model.census.virtual_hosts = {counted_host(evil)};
  model.census.virtual_hosts[0].by(Judge::in_force).policy = evil;
  status::Host host;
  host.name = host.addresses = host.policy = host.report_policy = host.floor = host.hsts = evil;
  host.engine = "on";
  host.ramp = status::HstsRamp{Seconds{604800}, {Seconds{300}, Seconds{604800}, Seconds{63072000}}};
  host.counts = model.census.virtual_hosts.data();
  model.hosts = {host};
  model.advice = {{evil, 7, "Header", evil}};
  model.query.search = "";
  return model;
}

// Every tag is closed, and attributes are quoted: what is escaped cannot leave its place.
void expect_well_formed(const std::string& html) {
  static const std::regex tag(R"(<(/?)([a-z0-9]+)((?: [a-zA-Z-]+="[^"<>]*")*)(/?)>)");
  static const std::set<std::string> empty{"meta", "input", "br"};
  std::vector<std::string> open;
  std::size_t at = html.find('>') + 1;  // the doctype
  while ((at = html.find('<', at)) != std::string::npos) {
    std::smatch match;
    bool matched = std::regex_search(html.cbegin() + static_cast<std::ptrdiff_t>(at), html.cend(),
                                     match, tag, std::regex_constants::match_continuous);
    ck_assert_msg(matched, "no tag: %s", html.substr(at, 60).c_str());
    std::string name = match[2];
    if (match[1] == "/") {
      ck_assert_msg(!open.empty() && open.back() == name, "closed: %s", name.c_str());
      open.pop_back();
    } else if (match[4] != "/" && !empty.contains(name)) {
      open.push_back(name);
    }
    at += static_cast<std::size_t>(match.length());
    if (name == "style" && match[1] != "/") at = html.find("</style>", at);
  }
  ck_assert(open.empty());
}

START_TEST(a_page_of_nothing) {
  Model model = empty_model();
  std::string html = status::to_html(model);
  expect_well_formed(html);
  expect_contains(html, "No virtual host speaks TLS.");
  for (const char* never : {"id=\"domains\"", "id=\"wrong\"", "id=\"undelivered\"", "id=\"files\"",
                            "id=\"advice\"", "class=\"note\""}) {
    ck_assert_msg(html.find(never) == std::string::npos, "%s", never);
  }
  model.managing = true;
  html = status::to_html(model);
  expect_well_formed(html);
  expect_contains(html, "No domain is managed yet.");
  expect_contains(status::to_metrics(model, Dialect::open_metrics), "# EOF\n");
  json parsed = json::parse(status::to_json(model));
  ck_assert(parsed["domains"].empty() && parsed["virtual_hosts"].empty());
  ck_assert(parsed["cas"].is_null());
  ck_assert(parsed["advice"].empty());
}
END_TEST

START_TEST(hostile_texts_stay_texts) {
  Model model = hostile_model();
  std::string html = status::to_html(model);
  expect_well_formed(html);
  ck_assert(html.find("<script") == std::string::npos);
  ck_assert(html.find("<b>alert") == std::string::npos);
  expect_contains(html, "&lt;script&gt;");
  // Nothing is loaded from anywhere.
  for (const char* never : {"src=", "url(", "@import", "http://", "https://", "javascript:"}) {
    ck_assert_msg(html.find(never) == std::string::npos, "%s", never);
  }
  json parsed = json::parse(status::to_json(model));
  ck_assert_uint_eq(parsed["domains"].size(), 2);
  ck_assert_uint_eq(parsed["advice"][0]["line"].get<unsigned>(), 7);
  expect_text(parsed["advice"][0]["about"].get<std::string>(), "Header");
}
END_TEST

START_TEST(a_page_says_what_there_is) {
  Model model = hostile_model();
  model.query.state.clear();
  std::string html = status::to_html(model);
  for (const char* wanted : {"CA error",
                             "Next attempt",
                             "tlsguardctl renew",
                             "could not load what is live",
                             "draining",
                             "not asked for it yet",
                             "<svg class=\"life\"",
                             "<svg class=\"stack\"",
                             "TLSv1.3",
                             "TLS_AES_256_GCM_SHA384",
                             "X25519",
                             "Clients that modern turns away",
                             "at most TLSv1.2",
                             "Wrong now",
                             "id=\"advice\"",
                             "and 6 more",
                             "CA silent",
                             "as said <time",
                             "Not delivered",
                             "tried 4 times",
                             "and 7 more",
                             "3 events on the way",
                             "Certificate files",
                             "and others",
                             "not watched: no TLSGuardEvent",
                             "A newer certificate is in the file",
                             "the first 1 of 70 files",
                             "rel=\"next\"",
                             "class=\"now\">1w",
                             "prefers-color-scheme:dark",
                             "51 to 100 of 200"}) {
    expect_contains(html, wanted);
  }
}
END_TEST

START_TEST(troubles_that_are_not_known_are_said_to_be_so) {
  Model model = empty_model();
  model.no_troubles = "it is <torn>";
  std::string html = status::to_html(model);
  expect_well_formed(html);
  expect_contains(html, "no report of the agent: it is &lt;torn&gt;");
  json parsed = json::parse(status::to_json(model));
  expect_text(parsed["troubles_report"].get<std::string>(), "it is <torn>");
  ck_assert(parsed["alerts"].empty() && parsed["dead_letters"].empty());
  // Nor are they zero.
  std::string metrics = status::to_metrics(model, Dialect::open_metrics);
  ck_assert(metrics.find("tlsguard_alerts") == std::string::npos);
}
END_TEST

START_TEST(an_alert_needs_attention_where_all_domains_do_well) {
  Model model = empty_model();
  model.managing = true;
  model.troubles.emplace();
  expect_contains(status::to_html(model), "all domains do well");
  model.troubles->counts = {{"expiring", 2}};
  std::string html = status::to_html(model);
  expect_contains(html, "<a href=\"#wrong\">2</a>");
  ck_assert(html.find("all domains do well") == std::string::npos);
  model.managing = false;
  expect_contains(status::to_html(model), "<a href=\"#wrong\">2</a>");
}
END_TEST

START_TEST(json_has_the_census_and_more) {
  Model model = empty_model();
  model.managing = true;
  Domain domain = good_domain("a.example");
  domain.facts = facts_of("a.example");
  domain.copies = {{{17, false}, 3, false}, {{18, true}, 2, false}};
  choose_domains(model, {domain});
  model.census.virtual_hosts = {counted_host("www.example.org|*:443")};
  status::Host host;
  host.name = "www.example.org";
  host.engine = "report";
  host.hsts = "max-age=300";
  host.counts = model.census.virtual_hosts.data();
  model.hosts = {host};
  json parsed = json::parse(status::to_json(model));
  const json& one = parsed["domains"][0];
  expect_text(one["state"].get<std::string>(), "waiting");
  expect_text(one["health"].get<std::string>(), "good");
  expect_text(one["workers"][0]["serial"].get<std::string>(), "0a0b0c");
  expect_text(one["workers"][1]["serial"].get<std::string>(), "010203");
  expect_text(one["not_after"].get<std::string>(), "2027-01-20T00:00:00Z");
  expect_text(one["renewal"]["cause"].get<std::string>(), "window");
  const json& vhost = parsed["virtual_hosts"][0];
  expect_text(vhost["engine"].get<std::string>(), "report");
  ck_assert_uint_eq(vhost["full"]["count"].get<unsigned>(), 600);
  ck_assert_uint_eq(parsed["tally"]["total"].get<unsigned>(), 1);
  ck_assert_uint_eq(parsed["page"]["pages"].get<unsigned>(), 1);
}
END_TEST

// Each sample belongs to the family before it, and no family comes twice.
void expect_metrics(const std::string& text, Dialect dialect) {
  static const std::regex comment(R"(# (TYPE|HELP) ([a-z_]+) (.+))");
  static const std::regex sample(
      R"re(([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?[0-9.]+))re");
  std::istringstream lines(text);
  std::set<std::string> seen;
  std::set<std::string> samples;
  std::string family;
  bool ended = false;
  for (std::string line; std::getline(lines, line);) {
    ck_assert_msg(!ended, "after the end: %s", line.c_str());
    std::smatch match;
    if (line == "# EOF") {
      ended = true;
    } else if (std::regex_match(line, match, comment)) {
      if (match[2] == family) continue;
      family = match[2];
      ck_assert_msg(seen.insert(family).second, "twice: %s", family.c_str());
    } else {
      ck_assert_msg(std::regex_match(line, match, sample), "no sample: %s", line.c_str());
      std::string name = match[1];
      ck_assert_msg(name.starts_with(family), "%s in %s", name.c_str(), family.c_str());
      ck_assert_msg(samples.insert(name + match[2].str()).second, "twice: %s", line.c_str());
    }
  }
  ck_assert(ended == (dialect != Dialect::text));
}

START_TEST(metrics_keep_their_syntax) {
  for (Dialect dialect : {Dialect::open_metrics, Dialect::both, Dialect::text}) {
    expect_metrics(status::to_metrics(hostile_model(), dialect), dialect);
  }
  std::string strict = status::to_metrics(hostile_model(), Dialect::open_metrics);
  expect_contains(strict, "# TYPE tlsguard_handshakes counter\n");
  expect_contains(strict, "kind=\"full\"} 600\n");
  expect_contains(strict, "le=\"+Inf\"} 1\n");
  expect_contains(strict, "le=\"1.0\"} 1\n");
  expect_contains(strict, "tlsguard_alerts{kind=\"failing\"} 7\n");
  expect_contains(strict, "tlsguard_dead_letters 12\n");
  expect_contains(strict, "tlsguard_events_waiting 3\n");
  expect_contains(strict, "tlsguard_certificate_file_not_after_timestamp_seconds{file=");
  std::string old = status::to_metrics(hostile_model(), Dialect::text);
  expect_contains(old, "# TYPE tlsguard_handshakes_total counter\n");
  std::string both = status::to_metrics(hostile_model(), Dialect::both);
  expect_contains(both, "# HELP tlsguard_handshakes_total ");
  ck_assert(both.find("counter") == std::string::npos);
}
END_TEST

START_TEST(virtual_hosts_of_one_name_are_counted_as_one) {
  Model model = empty_model();
  for (const char* key : {"first|*:443", "same|*:443", "last|*:443"}) {
    model.census.virtual_hosts.emplace_back().key = key;
  }
  auto add = [&](const char* name, std::size_t counts, const char* policy, bool before) {
    status::Host host;
    host.name = name;
    host.policy = policy;
    host.counts = &model.census.virtual_hosts.at(counts);
    host.counted_before = before;
    host.ramp = status::HstsRamp{Seconds(300), {Seconds(300)}};
    model.hosts.push_back(host);
  };
  add("last", 2, "modern", false);
  add("same", 1, "old", false);
  add("same", 1, "intermediate", true);
  add("first", 0, "baseline", false);
  auto hosts = nlohmann::json::parse(status::to_json(model))["virtual_hosts"];
  ck_assert_uint_eq(hosts.size(), 3);
  for (const auto& host : hosts) {
    ck_assert(host["virtual_host"] == host["name"].get<std::string>() + "|*:443");
  }
  ck_assert(hosts[1]["policy"] == "old");
  expect_metrics(status::to_metrics(model, Dialect::open_metrics), Dialect::open_metrics);
  expect_contains(status::to_html(model), "counted with the other virtual host");
}
END_TEST

START_TEST(very_many_copies_are_summed_up) {
  ck_assert(status::lists_all_copies(1000, 10));
  ck_assert(!status::lists_all_copies(10000, 4));
  Model model = empty_model();
  model.managing = true;
  model.worker_tallies = {{{4711, false}, 9998, 1, 1}, {{4712, true}, 3, 0, 0}};
  std::string text = status::to_metrics(model, Dialect::open_metrics);
  expect_metrics(text, Dialect::open_metrics);
  expect_contains(text, "tlsguard_worker_domains{worker=\"4711\",state=\"current\"} 9998\n");
  expect_contains(text, "tlsguard_worker_domains{worker=\"4711\",state=\"behind\"} 1\n");
  expect_contains(text, "tlsguard_worker_domains{worker=\"4711\",state=\"failed\"} 1\n");
}
END_TEST

START_TEST(the_dialect_is_the_one_that_is_understood) {
  ck_assert(status::dialect_of("") == Dialect::both);
  ck_assert(status::dialect_of("*/*") == Dialect::both);
  ck_assert(status::dialect_of("application/openmetrics-text;version=1.0.0,text/plain;q=0.5") ==
            Dialect::open_metrics);
  ck_assert(status::dialect_of("text/plain;version=0.0.4") == Dialect::text);
}
END_TEST

START_TEST(a_section_for_mod_status) {
  Model model = hostile_model();
  model.tally.total = 3;
  model.tally.by_health = {1, 1, 0, 0, 0, 1};
  std::string html = status::section_html(model);
  expect_contains(html, "Managed domains: 3, 1 expired, 1 failing, 1 good");
  expect_contains(html, "600 full, 400 resumed; 4 did not fit");
  std::string text = status::section_text(model);
  expect_contains(text, "TLSGuardDomainsExpired: 1\n");
  expect_contains(text, "TLSGuardHandshakesFull: 600\n");
}
END_TEST

START_TEST(counts_of_cas_survive_the_file) {
  renew::CaCounts counts;
  counts.since = status_now;
  counts.of("ca.example").add(40, true, status_now);
  counts.of("ca.example").add(700, true, status_now);
  counts.of("ca.example").add(99999, false, status_now);
  renew::CaCounts::count(counts.errors, "rateLimited");
  for (int i = 0; i < 500; ++i) renew::CaCounts::count(counts.errors, fmt::format("kind{}", i));
  ck_assert_uint_le(counts.errors.size(), renew::CaCounts::most + 1);
  ck_assert_uint_eq(counts.of("ca.example").count(), 3);
  std::string text = renew::to_json(counts);
  ck_assert(value_of(renew::ca_counts_from_json(text)) == counts);
  for (std::size_t size = 0; size < text.size(); size += 5) {
    ck_assert(!renew::ca_counts_from_json(text.substr(0, size)));
  }
  ck_assert(!renew::ca_counts_from_json(R"({"since":0,"requests":{"x":{"buckets":[1]}},
    "attempts":{},"successes":{},"errors":{}})"));
  ck_assert(!renew::ca_counts_from_json(R"({"since":0,"requests":{},"attempts":{"x":-1},
    "successes":{},"errors":{}})"));
}
END_TEST

}  // namespace

Suite* status_forms_suite() {
  Suite* suite = suite_create("status forms");
  TCase* tcase = tcase_create("status forms");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, a_page_of_nothing);
  tcase_add_test(tcase, hostile_texts_stay_texts);
  tcase_add_test(tcase, a_page_says_what_there_is);
  tcase_add_test(tcase, troubles_that_are_not_known_are_said_to_be_so);
  tcase_add_test(tcase, an_alert_needs_attention_where_all_domains_do_well);
  tcase_add_test(tcase, json_has_the_census_and_more);
  tcase_add_test(tcase, metrics_keep_their_syntax);
  tcase_add_test(tcase, virtual_hosts_of_one_name_are_counted_as_one);
  tcase_add_test(tcase, very_many_copies_are_summed_up);
  tcase_add_test(tcase, the_dialect_is_the_one_that_is_understood);
  tcase_add_test(tcase, a_section_for_mod_status);
  tcase_add_test(tcase, counts_of_cas_survive_the_file);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
