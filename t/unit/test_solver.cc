// SPDX-License-Identifier: Apache-2.0
// Challenges chosen, put in place, and taken away again.
#include "suites.h"

#include <openssl/x509v3.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/self_signed.h"
#include "expect.h"
#include "renew/challenge_records.h"
#include "solver_fixture.h"

namespace tlsguard::test {
namespace {

using acme::Authorization;
using acme::Challenge;
using acme::Identifier;
using renew::ChallengeType;
using renew::Prospect;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Types = std::vector<ChallengeType>;

constexpr char key_authorization[] = "token.thumbprint";

std::vector<Challenge> offer(const std::vector<std::string>& types) {
  std::vector<Challenge> offered;
  for (const std::string& type : types) {
    Challenge challenge;
    challenge.type = type;
    challenge.token = "token";
    offered.push_back(challenge);
  }
  return offered;
}

std::vector<Challenge> everything() {
  return offer({"dns-persist-01", "dns-account-01", "dns-01", "tls-alpn-01", "http-01", "new-01"});
}

Challenge challenge_of(const std::string& type) { return offer({type}).front(); }

Authorization authorization_for(const std::string& name) {
  Authorization authorization;
  authorization.wildcard = name.starts_with("*.");
  authorization.identifier = acme::identifier_of(renew::without_wildcard(name));
  return authorization;
}

// Waits until the hook has been called, then does what a DNS provider would.
class Provider {
 public:
  Provider(const SolverFixture& fixture, std::function<void()> publish)
      : thread_([&fixture, publish = std::move(publish)] {
          net::Patience patience(seconds(60));
          while (fixture.calls().empty() && patience.sleep(milliseconds(20))) {
          }
          (void)patience.sleep(milliseconds(100));
          publish();
        }) {}
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  ~Provider() { thread_.join(); }

 private:
  std::thread thread_;
};

std::string value() { return renew::record_value(key_authorization); }

void serve_zone(SolverFixture& f, const std::string& apex) {
  f.dns.zone(apex, {"ns." + apex});
  f.dns.a("ns." + apex, "127.0.0.1");
}

START_TEST(challenges_are_chosen_as_reachable) {
  renew::DomainSettings settings;
  renew::Reachability reach;
  Identifier host = acme::identifier_of("example.org");
  auto usable = [&] { return usable_challenges(settings, reach, host, everything()); };
  ck_assert(usable().empty());
  reach.http = 80;
  ck_assert(usable() == Types{ChallengeType::http_01});
  reach.https = 443;
  ck_assert(usable() == Types({ChallengeType::tls_alpn_01, ChallengeType::http_01}));
  settings.dns_command = {"/hook"};
  ck_assert(usable() ==
            Types({ChallengeType::tls_alpn_01, ChallengeType::http_01, ChallengeType::dns_01}));
  ck_assert(usable_challenges(settings, reach, host, offer({"http-01", "dns-persist-01"})) ==
            Types{ChallengeType::http_01});
}
END_TEST

START_TEST(an_order_that_is_written_holds) {
  renew::DomainSettings settings;
  settings.challenges = {ChallengeType::dns_persist_01, ChallengeType::http_01,
                         ChallengeType::dns_01};
  renew::Reachability reach;  // the port map does not count: it is said that it can be done
  Identifier host = acme::identifier_of("example.org");
  ck_assert(usable_challenges(settings, reach, host, everything()) ==
            Types({ChallengeType::dns_persist_01, ChallengeType::http_01}));
  settings.dns_command = {"/hook"};
  ck_assert(usable_challenges(settings, reach, host, everything()) == settings.challenges);
}
END_TEST

START_TEST(wildcards_and_addresses) {
  renew::DomainSettings settings;
  renew::Reachability reach{80, 443, {}};
  Identifier wildcard{Identifier::Type::dns, "*.example.org"};
  Identifier address{Identifier::Type::ip, "2001:db8::1"};
  ck_assert(usable_challenges(settings, reach, wildcard, everything()).empty());
  settings.dns_command = {"/hook"};
  ck_assert(usable_challenges(settings, reach, wildcard, everything()) ==
            Types{ChallengeType::dns_01});
  ck_assert(usable_challenges(settings, reach, address, everything()) ==
            Types({ChallengeType::tls_alpn_01, ChallengeType::http_01}));
  settings.challenges = {ChallengeType::dns_persist_01, ChallengeType::http_01};
  ck_assert(usable_challenges(settings, reach, wildcard, everything()) ==
            Types{ChallengeType::dns_persist_01});
  ck_assert(usable_challenges(settings, reach, address, everything()) ==
            Types{ChallengeType::http_01});
}
END_TEST

START_TEST(what_pre_flight_found_counts) {
  SolverFixture f;
  f.settings.dns_command = {"/hook"};
  Identifier host = acme::identifier_of("example.org");
  auto usable = [&] { return usable_challenges(f.context, host, everything()); };
  Types by_default{ChallengeType::tls_alpn_01, ChallengeType::http_01, ChallengeType::dns_01};
  ck_assert(usable() == by_default);
  f.context.findings = {{"www.example.org", ChallengeType::tls_alpn_01, Prospect::hopeless}};
  ck_assert(usable() == by_default);
  f.context.findings = {{"example.org", ChallengeType::tls_alpn_01, Prospect::hopeless}};
  ck_assert(usable() == Types({ChallengeType::http_01, ChallengeType::dns_01}));
  f.context.findings = {{"example.org", ChallengeType::tls_alpn_01, Prospect::doubtful},
                        {"example.org", ChallengeType::http_01, Prospect::unknown}};
  ck_assert(usable() ==
            Types({ChallengeType::http_01, ChallengeType::dns_01, ChallengeType::tls_alpn_01}));
  f.context.findings = {{"example.org", ChallengeType::tls_alpn_01, Prospect::unknown},
                        {"example.org", ChallengeType::http_01, Prospect::good}};
  ck_assert(usable() ==
            Types({ChallengeType::http_01, ChallengeType::tls_alpn_01, ChallengeType::dns_01}));
}
END_TEST

START_TEST(http_goes_through_the_store) {
  SolverFixture f;
  auto authorization = authorization_for("example.org");
  auto challenge = challenge_of("http-01");
  for (int again = 0; again < 2; ++again) {
    ck_assert(provision(f.context, authorization, challenge, key_authorization).has_value());
    auto stored = value_of(f.challenges.http("token"));
    ck_assert(stored.has_value());
    expect_text(stored->name, "example.org");
    expect_text(stored->key_authorization, key_authorization);
  }
  for (int again = 0; again < 2; ++again) {
    clean_up(f.context, authorization, challenge, key_authorization);
    ck_assert(!value_of(f.challenges.http("token")));
  }
  expect_text(f.log.texts(), "");
}
END_TEST

START_TEST(a_token_that_is_none_is_an_error) {
  SolverFixture f;
  auto challenge = challenge_of("http-01");
  challenge.token = "../../certs/x";
  ck_assert(!provision(f.context, authorization_for("example.org"), challenge, key_authorization));
}
END_TEST

START_TEST(alpn_goes_through_the_store) {
  SolverFixture f;
  for (auto [name, server_name] : std::vector<std::pair<std::string, std::string>>{
           {"example.org", "example.org"}, {"192.0.2.7", "7.2.0.192.in-addr.arpa"}}) {
    auto authorization = authorization_for(name);
    auto challenge = challenge_of("tls-alpn-01");
    ck_assert(provision(f.context, authorization, challenge, key_authorization).has_value());
    ck_assert(provision(f.context, authorization, challenge, key_authorization).has_value());
    auto pem = value_of(f.challenges.alpn(server_name));
    ck_assert(pem.has_value());
    auto pair = value_of(crypto::key_and_certificate_from_pem(*pem));
    bool covers = name == server_name
                      ? X509_check_host(pair.certificate.get(), name.c_str(), 0, 0, nullptr) == 1
                      : X509_check_ip_asc(pair.certificate.get(), name.c_str(), 0) == 1;
    ck_assert(covers);
    clean_up(f.context, authorization, challenge, key_authorization);
    clean_up(f.context, authorization, challenge, key_authorization);
    ck_assert(!value_of(f.challenges.alpn(server_name)));
  }
}
END_TEST

START_TEST(a_record_is_set_up_and_waited_for) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.record_dns_command();
  Provider provider(f, [&] { f.dns.txt("_acme-challenge.www.example.org", {value()}); });
  auto done = provision(f.context, authorization_for("*.www.example.org"), challenge_of("dns-01"),
                        key_authorization);
  ck_assert_msg(done.has_value(), "%s", done ? "" : done.error().text.c_str());
  expect_text(f.calls(), "setup _acme-challenge.www.example.org " + value() + "\n");
  ck_assert_int_ge(f.dns.asked("_acme-challenge.www.example.org", net::DnsType::txt), 2);
}
END_TEST

// As after a crash: the record is there, and several values may stand at one name.
START_TEST(a_record_that_is_there_is_not_set_up_again) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.record_dns_command();
  f.dns.txt("_acme-challenge.example.org", {"of another order"});
  f.dns.txt("_acme-challenge.example.org", {value()});
  ck_assert(provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                      key_authorization)
                .has_value());
  expect_text(f.calls(), "");
}
END_TEST

START_TEST(an_alias_is_followed_to_its_zone) {
  SolverFixture f;
  serve_zone(f, "example.org");
  serve_zone(f, "acme.test");
  f.dns.cname("_acme-challenge.example.org", "x1.acme.test");
  f.record_dns_command();
  {
    Provider provider(f, [&] { f.dns.txt("x1.acme.test", {value()}); });
    ck_assert(provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                        key_authorization)
                  .has_value());
  }
  clean_up(f.context, authorization_for("example.org"), challenge_of("dns-01"), key_authorization);
  expect_text(f.calls(),
              "setup x1.acme.test " + value() + "\nteardown x1.acme.test " + value() + "\n");
  ck_assert_int_ge(f.dns.asked("acme.test", net::DnsType::soa), 1);
}
END_TEST

START_TEST(the_account_has_a_label_of_its_own) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.record_dns_command();
  f.context.account_url = "https://example.com/acme/acct/ExampleAccount";
  std::string record = "_ujmmovf2vn55tgye._acme-challenge.example.org";
  f.dns.txt(record, {value()});
  ck_assert(provision(f.context, authorization_for("example.org"), challenge_of("dns-account-01"),
                      key_authorization)
                .has_value());
  clean_up(f.context, authorization_for("example.org"), challenge_of("dns-account-01"),
           key_authorization);
  expect_text(f.calls(), "teardown " + record + " " + value() + "\n");
  f.context.account_url.clear();
  ck_assert(!provision(f.context, authorization_for("example.org"), challenge_of("dns-account-01"),
                       key_authorization));
}
END_TEST

START_TEST(after_the_limit_it_goes_on_and_says_so) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.record_dns_command();
  f.context.propagation.limit = milliseconds(300);
  ck_assert(provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                      key_authorization)
                .has_value());
  expect_contains(f.log.texts("TG0153"), "not at ns.example.org");
  expect_contains(f.log.texts("TG0153"), "the CA is asked nevertheless");
}
END_TEST

START_TEST(a_command_that_fails_is_an_error) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.set_dns_command("echo 'no such zone'; exit 1");
  auto done = provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                        key_authorization);
  expect_contains(error_of(done), "no such zone");
  ck_assert(done.error().next == Next::back_off);
  f.context.propagation.command_limit = milliseconds(300);
  f.set_dns_command("sleep 1000");
  done = provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                   key_authorization);
  expect_contains(error_of(done), "took too long");
  f.settings.dns_command.clear();
  done = provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                   key_authorization);
  expect_contains(error_of(done), "TLSGuardDNSCommand");
  clean_up(f.context, authorization_for("example.org"), challenge_of("dns-01"), key_authorization);
}
END_TEST

START_TEST(dns_that_is_down_does_not_block) {
  SolverFixture f;
  f.dns.play("", DnsServer::Trick::servfail);
  f.record_dns_command();
  f.context.propagation.limit = milliseconds(300);
  ck_assert(provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                      key_authorization)
                .has_value());
  expect_text(f.calls(), "setup _acme-challenge.example.org " + value() + "\n");
  expect_contains(f.log.texts("TG0153"), "SERVFAIL");
}
END_TEST

START_TEST(to_stop_ends_it_within_a_second) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.set_dns_command("sleep 1000");
  std::atomic<bool> stop{false};
  f.context.stopping = [&] { return stop.load(); };
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop = true;
  });
  auto done = provision(f.context, authorization_for("example.org"), challenge_of("dns-01"),
                        key_authorization);
  stopper.join();
  ck_assert(!done);
  // The next agent cleans up.
  f.record_dns_command();
  clean_up(f.context, authorization_for("example.org"), challenge_of("dns-01"), key_authorization);
  expect_text(f.calls(), "");
}
END_TEST

START_TEST(a_challenge_nobody_knows_is_an_error) {
  SolverFixture f;
  ck_assert(!provision(f.context, authorization_for("example.org"), challenge_of("new-01"),
                       key_authorization));
  clean_up(f.context, authorization_for("example.org"), challenge_of("new-01"), key_authorization);
}
END_TEST

Challenge persist_challenge() {
  Challenge challenge;
  challenge.type = "dns-persist-01";
  challenge.issuer_domain_names = {"authority.example"};
  return challenge;
}

Result<void> provision_persist(SolverFixture& f, const std::string& name) {
  return provision(f.context, authorization_for(name), persist_challenge(), "");
}

constexpr char persist_record[] = "_validation-persist.example.org";

START_TEST(a_missing_persistent_record_asks_for_action) {
  SolverFixture f;
  serve_zone(f, "example.org");
  auto done = provision_persist(f, "*.example.org");
  ck_assert(!done);
  ck_assert(done.error().next == Next::wait);
  ck_assert_int_ge(done.error().after.count(), 60);
  expect_text(done.error().kind, "actionNeeded");
  expect_text(done.error().text,
              "publish this record: _validation-persist.example.org. IN TXT \"authority.example; "
              "accounturi=https://ca.example/acct/1; policy=wildcard\"");
  f.dns.txt(persist_record, {"authority.example; accounturi=https://ca.example/acct/1"});
  done = provision_persist(f, "*.example.org");
  expect_contains(error_of(done), "it lacks policy=wildcard");
  ck_assert(provision_persist(f, "example.org").has_value());
}
END_TEST

START_TEST(a_persistent_record_is_found) {
  SolverFixture f;
  serve_zone(f, "example.org");
  f.dns.txt(persist_record, {"v=spf1 -all"});
  f.dns.txt(persist_record,
            {"Authority.example ; policy=wildcard;", " accounturi=https://ca.", "example/acct/1"});
  ck_assert(provision_persist(f, "*.example.org").has_value());
  ck_assert(provision_persist(f, "example.org").has_value());
  clean_up(f.context, authorization_for("example.org"), persist_challenge(), "");
  ck_assert(f.actions.empty());
  expect_text(f.log.texts(), "");
}
END_TEST

START_TEST(the_end_of_a_persistent_record_is_warned_of) {
  SolverFixture f;
  serve_zone(f, "example.org");
  std::string base = "authority.example; accounturi=https://ca.example/acct/1; persistUntil=";
  f.dns.txt(persist_record, {base + std::to_string(f.now + 86400L * 40)});
  f.context.next_order_within = 86400L * 6;
  ck_assert(provision_persist(f, "example.org").has_value());
  ck_assert(f.actions.empty());
  // The next order of a certificate of 45 days may come after its end.
  f.context.next_order_within = 86400L * 45;
  ck_assert(provision_persist(f, "example.org").has_value());
  ck_assert_uint_eq(f.actions.size(), 1);
  f.actions.clear();
  f.context.next_order_within = 86400L * 6;
  f.now += 86400L * 20;
  ck_assert(provision_persist(f, "example.org").has_value());
  ck_assert_uint_eq(f.actions.size(), 1);
  expect_contains(f.actions[0], "ends at 2027-02-24T08:00:00Z");
  expect_contains(f.log.texts("TG0154"), "domain=example.org: ");
  f.now += 86400L * 21;
  expect_contains(error_of(provision_persist(f, "example.org")), "it ended at");
}
END_TEST

START_TEST(a_persistent_record_that_cannot_be_looked_at_does_not_block) {
  SolverFixture f;
  f.dns.play("", DnsServer::Trick::servfail);
  ck_assert(provision_persist(f, "example.org").has_value());
  expect_contains(f.log.texts("TG0152"), "cannot be known");
}
END_TEST

START_TEST(a_malformed_persist_challenge_is_an_error) {
  SolverFixture f;
  auto challenge = persist_challenge();
  challenge.issuer_domain_names.clear();
  expect_contains(error_of(provision(f.context, authorization_for("example.org"), challenge, "")),
                  "0 issuers");
}
END_TEST

}  // namespace

Suite* solver_suite() {
  Suite* suite = suite_create("solver");
  TCase* tcase = tcase_create("solver");
  tcase_set_timeout(tcase, 90);
  tcase_add_test(tcase, challenges_are_chosen_as_reachable);
  tcase_add_test(tcase, an_order_that_is_written_holds);
  tcase_add_test(tcase, wildcards_and_addresses);
  tcase_add_test(tcase, what_pre_flight_found_counts);
  tcase_add_test(tcase, http_goes_through_the_store);
  tcase_add_test(tcase, a_token_that_is_none_is_an_error);
  tcase_add_test(tcase, alpn_goes_through_the_store);
  tcase_add_test(tcase, a_record_is_set_up_and_waited_for);
  tcase_add_test(tcase, a_record_that_is_there_is_not_set_up_again);
  tcase_add_test(tcase, an_alias_is_followed_to_its_zone);
  tcase_add_test(tcase, the_account_has_a_label_of_its_own);
  tcase_add_test(tcase, after_the_limit_it_goes_on_and_says_so);
  tcase_add_test(tcase, a_command_that_fails_is_an_error);
  tcase_add_test(tcase, dns_that_is_down_does_not_block);
  tcase_add_test(tcase, to_stop_ends_it_within_a_second);
  tcase_add_test(tcase, a_challenge_nobody_knows_is_an_error);
  tcase_add_test(tcase, a_missing_persistent_record_asks_for_action);
  tcase_add_test(tcase, a_persistent_record_is_found);
  tcase_add_test(tcase, the_end_of_a_persistent_record_is_warned_of);
  tcase_add_test(tcase, a_persistent_record_that_cannot_be_looked_at_does_not_block);
  tcase_add_test(tcase, a_malformed_persist_challenge_is_an_error);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
