// SPDX-License-Identifier: Apache-2.0
// Pre-flight against servers on loopback: ours, and those of somebody else.
#include "suites.h"

#include <algorithm>
#include <string>
#include <vector>

#include "expect.h"
#include "loopback.h"
#include "renew/own_addresses.h"
#include "renew/preflight.h"
#include "solver_fixture.h"
#include "web_server.h"

namespace tlsguard::test {
namespace {

using net::DnsType;
using renew::ChallengeType;
using renew::Prospect;
using Http = WebServer::Http;
using Tls = WebServer::Tls;

struct PreflightFixture : SolverFixture {
  PreflightFixture() {
    context.outside = {web.http_port(), web.tls_port()};
    dns.zone("example.org", {"ns.example.org"});
    dns.a("ns.example.org", "127.0.0.1");
    dns.a("example.org", "127.0.0.1");
    directory.caa_identities = {"ca.example"};
  }
  Result<void> fly(const std::vector<std::string>& names = {"example.org"}) {
    return preflight(context, names, directory);
  }
  // Whether any probe was left in the store.
  [[nodiscard]] bool store_is_empty() const {
    namespace fs = std::filesystem;
    return std::none_of(fs::recursive_directory_iterator(challenges_path()), {},
                        [](const auto& entry) { return entry.is_regular_file(); });
  }
  [[nodiscard]] Prospect prospect(ChallengeType type, const std::string& name = "example.org") {
    for (const auto& finding : context.findings) {
      if (finding.name == name && finding.type == type) return finding.prospect;
    }
    ck_abort_msg("no finding");
    return Prospect::unknown;
  }

  WebServer web{challenges_path()};
  acme::Directory directory;
};

std::vector<std::string> fields(const std::string& name, std::uint16_t port) {
  return {name + ":" + std::to_string(port)};
}

void expect_blocked(const Result<void>& result, const std::vector<std::string>& parts) {
  std::string text = error_of(result);
  for (const std::string& part : parts) expect_contains(text, part);
  expect_text(result.error().kind, "preflight");
  ck_assert(result.error().next == Next::back_off);
}

START_TEST(our_own_server_passes_both_ways) {
  PreflightFixture f;
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::tls_alpn_01) == Prospect::good);
  // One good way is enough.
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::unknown);
  ck_assert(f.web.hosts().empty());
  f.settings.challenges = {ChallengeType::http_01, ChallengeType::tls_alpn_01};
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
  ck_assert(f.web.hosts() == fields("example.org", f.web.http_port()));
  ck_assert(f.web.server_names() == std::vector<std::string>{"example.org"});
  ck_assert(f.store_is_empty());
  expect_text(f.log.texts(), "");
}
END_TEST

START_TEST(somebody_else_at_port_80_blocks) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::http_01};
  for (auto [how, text] : std::vector<std::pair<Http, const char*>>{
           {Http::not_found, "the status 404"}, {Http::other_content, "another content"}}) {
    f.web.answer(how);
    expect_blocked(f.fly(), {"example.org: http-01: 127.0.0.1 answers with ", text,
                             "it is an address of this machine"});
    ck_assert(f.prospect(ChallengeType::http_01) == Prospect::hopeless);
  }
  ck_assert(f.store_is_empty());
}
END_TEST

START_TEST(somebody_else_at_port_443_blocks) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::tls_alpn_01};
  for (auto [how, text] : std::vector<std::pair<Tls, const char*>>{
           {Tls::other_certificate, "acme-tls/1 with another certificate"},
           {Tls::without_alpn, "a TLS handshake without acme-tls/1"},
           {Tls::refuses, "alert"},
           {Tls::no_tls, "wrong version number"}}) {
    f.web.answer(how);
    expect_blocked(f.fly(), {"example.org: tls-alpn-01: 127.0.0.1 answers with ", text});
  }
  ck_assert(f.store_is_empty());
}
END_TEST

// A TLS front of somebody else's before us: http-01 goes through it, tls-alpn-01 cannot.
START_TEST(one_way_that_works_is_enough) {
  PreflightFixture f;
  f.web.answer(Tls::other_certificate);
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::tls_alpn_01) == Prospect::hopeless);
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
  expect_contains(f.log.texts("TG0157"), "domain=example.org: tls-alpn-01: 127.0.0.1 answers");
  std::vector<acme::Challenge> offered(2);
  offered[0].type = "tls-alpn-01";
  offered[1].type = "http-01";
  ck_assert(usable_challenges(f.context, acme::identifier_of("example.org"), offered) ==
            std::vector<ChallengeType>{ChallengeType::http_01});
}
END_TEST

START_TEST(nobody_there_cannot_be_known) {
  PreflightFixture f;
  f.web.answer(Http::closes);
  f.web.answer(Tls::closes);
  ck_assert(f.fly().has_value());
  int unused = listen_on(SOCK_STREAM, "127.0.0.1", 0);
  f.context.outside.http = f.context.outside.https = port_of(unused);
  close(unused);
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::unknown);
  ck_assert(f.prospect(ChallengeType::tls_alpn_01) == Prospect::unknown);
  expect_contains(f.log.texts("TG0156"), "http-01 could not be tried at 127.0.0.1: ");
  ck_assert(f.store_is_empty());
}
END_TEST

START_TEST(redirects_are_followed_as_a_ca_would) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::http_01};
  f.web.answer(Http::redirect_to_ours);
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
  f.web.answer(Http::redirect_to_nothing);
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::unknown);
  expect_contains(f.log.texts("TG0156"), "a redirect to https://127.0.0.1:1/nothing");
}
END_TEST

START_TEST(one_wrong_address_of_several_blocks) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::http_01};
  WebServer other(f.challenges_path(), "127.0.0.2", f.web.http_port(), f.web.tls_port());
  f.dns.a("example.org", "127.0.0.2");
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
  other.answer(Http::not_found);
  expect_blocked(f.fly(), {"127.0.0.2 answers with the status 404"});
}
END_TEST

START_TEST(a_name_without_an_address_blocks) {
  PreflightFixture f;
  expect_blocked(f.fly({"www.example.org"}),
                 {"www.example.org: tls-alpn-01: there is no such name in DNS",
                  "http-01: there is no such name in DNS"});
  f.dns.txt("mail.example.org", {"x"});
  expect_blocked(f.fly({"mail.example.org"}), {"neither an A nor an AAAA record"});
  // It need not have one where DNS itself proves it.
  f.record_dns_command();
  ck_assert(f.fly({"www.example.org"}).has_value());
  f.settings.challenges = {ChallengeType::dns_01};
  ck_assert(f.fly({"www.example.org", "*.example.org"}).has_value());
}
END_TEST

START_TEST(dns_that_fails_does_not_block) {
  PreflightFixture f;
  f.dns.play("", DnsServer::Trick::servfail);
  ck_assert(f.fly().has_value());
  expect_contains(f.log.texts("TG0156"), "domain=example.org: its addresses cannot be known");
  expect_contains(f.log.texts("TG0156"), "whether CAA allows this CA cannot be known");
}
END_TEST

// A name that was added a moment ago.
START_TEST(a_resolver_that_remembers_nothing_is_not_believed) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::http_01};
  DnsServer primary("127.0.0.2", f.dns.port());
  f.dns.remove("ns.example.org", DnsType::a);
  f.dns.a("ns.example.org", "127.0.0.2");
  primary.zone("example.org", {"ns.example.org"});
  expect_blocked(f.fly({"new.example.org"}), {"no such name"});
  primary.a("new.example.org", "127.0.0.1");
  ck_assert(f.fly({"new.example.org"}).has_value());
  ck_assert(f.prospect(ChallengeType::http_01, "new.example.org") == Prospect::good);
}
END_TEST

START_TEST(caa_that_forbids_blocks) {
  PreflightFixture f;
  f.dns.caa("example.org", "issue", "other.example");
  f.dns.a("a.b.example.org", "127.0.0.1");
  expect_blocked(f.fly({"a.b.example.org"}),
                 {"a.b.example.org: CAA does not allow this CA (ca.example): \"other.example\" "
                  "(at example.org)"});
  ck_assert(f.web.server_names().empty());
  f.dns.caa("a.b.example.org", "issue", "ca.example; accounturi=https://ca.example/acct/1");
  ck_assert(f.fly({"a.b.example.org"}).has_value());
  f.context.account_url = "https://ca.example/acct/2";
  expect_blocked(f.fly({"a.b.example.org"}), {"another account", "https://ca.example/acct/2"});
}
END_TEST

START_TEST(caa_may_leave_some_ways_only) {
  PreflightFixture f;
  f.dns.caa("example.org", "issue", "ca.example; validationmethods=http-01");
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::tls_alpn_01) == Prospect::hopeless);
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
  f.settings.challenges = {ChallengeType::tls_alpn_01};
  expect_blocked(f.fly(), {"example.org: CAA at example.org allows http-01 only"});
}
END_TEST

START_TEST(caa_of_wildcards) {
  PreflightFixture f;
  f.record_dns_command();
  f.dns.caa("example.org", "issue", "ca.example");
  f.dns.caa("example.org", "issuewild", ";");
  ck_assert(f.fly({"example.org"}).has_value());
  expect_blocked(f.fly({"example.org", "*.example.org"}), {"*.example.org: CAA does not allow"});
}
END_TEST

START_TEST(caa_is_asked_once_for_a_parent) {
  PreflightFixture f;
  f.record_dns_command();
  f.settings.challenges = {ChallengeType::dns_01};
  ck_assert(f.fly({"a.example.org", "b.example.org", "c.example.org"}).has_value());
  ck_assert_int_eq(f.dns.asked("example.org", DnsType::caa), 1);
  ck_assert_int_eq(f.dns.asked("b.example.org", DnsType::caa), 1);
}
END_TEST

START_TEST(a_wildcard_without_a_dns_challenge_blocks) {
  PreflightFixture f;
  expect_blocked(f.fly({"*.example.org"}), {"*.example.org: a wildcard needs a DNS challenge"});
  f.reach.http.reset();
  f.reach.https.reset();
  expect_blocked(f.fly(), {"TLSGuardPortMap"});
}
END_TEST

START_TEST(an_address_is_checked_at_itself) {
  PreflightFixture f;
  ck_assert(f.fly({"127.0.0.1"}).has_value());
  ck_assert(f.web.server_names() == std::vector<std::string>{"1.0.0.127.in-addr.arpa"});
  ck_assert(f.prospect(ChallengeType::tls_alpn_01, "127.0.0.1") == Prospect::good);
  ck_assert_int_eq(f.dns.asked("127.0.0.1", DnsType::caa), 0);
  f.settings.challenges = {ChallengeType::http_01};
  ck_assert(f.fly({"127.0.0.1"}).has_value());
  ck_assert(f.web.hosts() == fields("127.0.0.1", f.web.http_port()));
}
END_TEST

START_TEST(a_missing_persistent_record_is_found_before_an_order) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::dns_persist_01};
  auto result = f.fly({"*.example.org"});
  expect_contains(error_of(result), "publish this record: _validation-persist.example.org. IN TXT");
  expect_text(result.error().kind, "actionNeeded");
  ck_assert(result.error().next == Next::wait);
  // Before there is an account nobody knows what to publish.
  f.context.account_url.clear();
  ck_assert(f.fly({"*.example.org"}).has_value());
  f.context.account_url = "https://ca.example/acct/1";
  // The CA may answer to other issuers than its directory says.
  f.dns.txt("_validation-persist.example.org",
            {"other.example; policy=wildcard; accounturi=https://ca.example/acct/1"});
  ck_assert(f.fly({"*.example.org"}).has_value());
  f.dns.remove("_validation-persist.example.org", DnsType::txt);
  // With another way there is no need to wait for it.
  f.settings.challenges = {ChallengeType::dns_persist_01, ChallengeType::http_01};
  ck_assert(f.fly().has_value());
  ck_assert(f.prospect(ChallengeType::dns_persist_01) == Prospect::hopeless);
  ck_assert(f.prospect(ChallengeType::http_01) == Prospect::good);
}
END_TEST

START_TEST(all_names_with_problems_are_told) {
  PreflightFixture f;
  std::vector<std::string> names{"example.org"};
  for (int i = 0; i < 8; ++i) names.push_back("x" + std::to_string(i) + ".example.org");
  expect_blocked(f.fly(names), {"x0.example.org: ", "x4.example.org: ", "and 3 more names"});
}
END_TEST

START_TEST(a_store_that_cannot_be_written_is_an_error) {
  PreflightFixture f;
  f.settings.challenges = {ChallengeType::http_01};
  std::filesystem::remove_all(f.challenges_path());
  auto result = f.fly();
  ck_assert(!result);
  expect_text(result.error().kind, "store");
}
END_TEST

START_TEST(to_stop_ends_pre_flight) {
  PreflightFixture f;
  f.context.stopping = [] { return true; };
  ck_assert(!f.fly());
}
END_TEST

START_TEST(public_and_other_addresses) {
  for (const char* address :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "2001:db9::1"}) {
    ck_assert_msg(renew::is_public_address(address), "%s", address);
  }
  for (const char* address :
       {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1",
        "169.254.1.1", "192.0.2.1", "198.19.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1",
        "fe80::1", "fd00::1", "2001:db8::1", "::ffff:8.8.8.8", "example.org", ""}) {
    ck_assert_msg(!renew::is_public_address(address), "%s", address);
  }
}
END_TEST

// Behind NAT the router may answer at the public address in our stead, to us alone.
START_TEST(when_a_router_may_answer) {
  renew::OwnAddresses behind_nat({"192.168.1.10", "fe80::1%eth0", "2a00:1450::5"});
  ck_assert(behind_nat.has("192.168.1.10"));
  ck_assert(behind_nat.has("fe80::1"));
  ck_assert(behind_nat.has("127.8.9.10"));
  ck_assert(behind_nat.may_meet_router("8.8.8.8"));
  ck_assert(!behind_nat.may_meet_router("192.168.1.10"));
  ck_assert(!behind_nat.may_meet_router("10.0.0.1"));
  ck_assert(!behind_nat.may_meet_router("2a00:1450::6"));
  renew::OwnAddresses exposed({"8.8.4.4"});
  ck_assert(!exposed.may_meet_router("8.8.8.8"));
  ck_assert(exposed.may_meet_router("2a00:1450::6"));
  ck_assert(renew::OwnAddresses::of_this_machine().has("127.0.0.1"));
}
END_TEST

}  // namespace

Suite* preflight_suite() {
  Suite* suite = suite_create("preflight");
  TCase* tcase = tcase_create("preflight");
  tcase_set_timeout(tcase, 90);
  tcase_add_test(tcase, our_own_server_passes_both_ways);
  tcase_add_test(tcase, somebody_else_at_port_80_blocks);
  tcase_add_test(tcase, somebody_else_at_port_443_blocks);
  tcase_add_test(tcase, one_way_that_works_is_enough);
  tcase_add_test(tcase, nobody_there_cannot_be_known);
  tcase_add_test(tcase, redirects_are_followed_as_a_ca_would);
  tcase_add_test(tcase, one_wrong_address_of_several_blocks);
  tcase_add_test(tcase, a_name_without_an_address_blocks);
  tcase_add_test(tcase, dns_that_fails_does_not_block);
  tcase_add_test(tcase, a_resolver_that_remembers_nothing_is_not_believed);
  tcase_add_test(tcase, caa_that_forbids_blocks);
  tcase_add_test(tcase, caa_may_leave_some_ways_only);
  tcase_add_test(tcase, caa_of_wildcards);
  tcase_add_test(tcase, caa_is_asked_once_for_a_parent);
  tcase_add_test(tcase, a_wildcard_without_a_dns_challenge_blocks);
  tcase_add_test(tcase, an_address_is_checked_at_itself);
  tcase_add_test(tcase, a_missing_persistent_record_is_found_before_an_order);
  tcase_add_test(tcase, all_names_with_problems_are_told);
  tcase_add_test(tcase, a_store_that_cannot_be_written_is_an_error);
  tcase_add_test(tcase, to_stop_ends_pre_flight);
  tcase_add_test(tcase, public_and_other_addresses);
  tcase_add_test(tcase, when_a_router_may_answer);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
