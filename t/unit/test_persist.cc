// SPDX-License-Identifier: Apache-2.0
// Records that prove a name in DNS: their names, and what dns-persist-01 wants to find.
#include "suites.h"

#include <string>
#include <vector>

#include "expect.h"
#include "renew/challenge_records.h"
#include "renew/challenge_type.h"
#include "renew/persist.h"

namespace tlsguard::test {
namespace {

using renew::ChallengeType;
using renew::match_persist;
using renew::PersistClaim;
using renew::record_name;

constexpr UnixSeconds now = 1'800'000'000;
constexpr char account[] = "https://ca.example/acct/123";

PersistClaim claim_for(const std::string& name) {
  return {name, {"authority.example", "ca.example.net"}, account};
}

renew::PersistMatch match(const std::vector<std::string>& records,
                          const std::string& name = "example.com") {
  return match_persist(claim_for(name), records, now);
}

START_TEST(names_of_records) {
  expect_text(value_of(record_name(ChallengeType::dns_01, "example.org", "")),
              "_acme-challenge.example.org");
  expect_text(value_of(record_name(ChallengeType::dns_01, "*.example.org", "")),
              "_acme-challenge.example.org");
  expect_text(value_of(record_name(ChallengeType::dns_persist_01, "*.example.org", "")),
              "_validation-persist.example.org");
  ck_assert(!record_name(ChallengeType::http_01, "example.org", ""));
  ck_assert(!record_name(ChallengeType::tls_alpn_01, "example.org", ""));
}
END_TEST

// The example of draft-ietf-acme-dns-account-label 3.1 for this account URL; as a check, the same
// with coreutils: printf %s URL | sha256sum | cut -c 1-20 | xxd -r -p | base32.
START_TEST(the_label_of_an_account) {
  expect_text(value_of(record_name(ChallengeType::dns_account_01, "*.example.org",
                                   "https://example.com/acme/acct/ExampleAccount")),
              "_ujmmovf2vn55tgye._acme-challenge.example.org");
  expect_contains(error_of(record_name(ChallengeType::dns_account_01, "example.org", "")),
                  "needs an account");
}
END_TEST

// RFC 8555 8.4; checked with sha256sum, xxd and base64.
START_TEST(the_value_of_a_record) {
  expect_text(renew::record_value("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA."
                                  "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"),
              "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM");
}
END_TEST

START_TEST(server_names_for_alpn) {
  expect_text(renew::alpn_server_name("www.example.org"), "www.example.org");
  expect_text(renew::alpn_server_name("192.0.2.17"), "17.2.0.192.in-addr.arpa");
  expect_text(renew::alpn_server_name("2001:db8::567:89ab"),
              "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}
END_TEST

START_TEST(names_of_challenge_types) {
  for (auto type : {ChallengeType::http_01, ChallengeType::tls_alpn_01, ChallengeType::dns_01,
                    ChallengeType::dns_account_01, ChallengeType::dns_persist_01}) {
    ck_assert(renew::challenge_type_of(renew::challenge_type_name(type)) == type);
  }
  ck_assert(!renew::challenge_type_of("http-02"));
  ck_assert(!renew::challenge_type_of(""));
}
END_TEST

START_TEST(the_record_to_publish) {
  expect_text(persist_value(claim_for("example.com")),
              "authority.example; accounturi=https://ca.example/acct/123");
  expect_text(persist_zone_line(claim_for("*.example.com")),
              "_validation-persist.example.com. IN TXT "
              "\"authority.example; accounturi=https://ca.example/acct/123; policy=wildcard\"");
  PersistClaim both = claim_for("example.com");
  both.wildcard_too = true;
  expect_text(persist_value(both), persist_value(claim_for("*.example.com")));
  ck_assert(renew::match_persist(both, {persist_value(claim_for("example.com"))}, 0).found);
  PersistClaim far = claim_for("example.com");
  far.account_url = "https://ca.example/" + std::string(300, 'a');
  std::string line = persist_zone_line(far);
  auto middle = line.find("\" \"");
  ck_assert(middle != std::string::npos);
  ck_assert_uint_eq(middle - line.find('"') - 1, 255);
}
END_TEST

// What we say to publish is found.
START_TEST(our_own_proposal_will_do) {
  for (const char* name : {"example.com", "*.example.com"}) {
    auto found = match({persist_value(claim_for(name))}, name);
    ck_assert(found.found);
    ck_assert(!found.until);
    ck_assert(found.rejected.empty());
  }
}
END_TEST

START_TEST(spelling_that_will_do) {
  for (const char* record :
       {"authority.example; accounturi=https://ca.example/acct/123",
        "authority.example;accounturi=https://ca.example/acct/123",
        "  Authority.Example. ;\tAccountURI\t= https://ca.example/acct/123 ",
        "ca.example.net; accounturi=https://ca.example/acct/123",
        "authority.example; accounturi=https://ca.example/acct/123; policy=nonsense",
        "authority.example; future=1; accounturi=https://ca.example/acct/123; future=2",
        "authority.example; policy=WildCard; accounturi=https://ca.example/acct/123"}) {
    ck_assert_msg(match({record}).found, "%s", record);
  }
  ck_assert(match({"authority.example; policy=WildCard; accounturi=https://ca.example/acct/123"},
                  "*.example.com")
                .found);
}
END_TEST

START_TEST(what_will_not_do_is_explained) {
  struct Case {
    const char* record;
    const char* name;
    const char* reason;
  };
  for (const Case& c : std::vector<Case>{
           {"authority.example; accounturi=https://ca.example/acct/124", "example.com",
            "another account"},
           {"authority.example", "example.com", "lacks accounturi"},
           {"authority.example; accounturi=https://ca.example/acct/123", "*.example.com",
            "lacks policy=wildcard"},
           {"authority.example; accounturi=https://ca.example/acct/123; policy=nonsense",
            "*.example.com", "lacks policy=wildcard"},
           {"authority.example; accounturi=https://ca.example/acct/123;", "example.com",
            "not tag=value"},
           {"authority.example; accounturi=https://ca.example/acct/123; accounturi=x",
            "example.com", "more than once"},
           {"authority.example; accounturi=https://ca.example/acct/123; persistUntil=soon",
            "example.com", "no number"},
           {"authority.example; accounturi=https://ca.example/acct/123; persistUntil=1799999999",
            "example.com", "it ended at 2027-01-15T07:59:59Z"},
           {"other.example; accounturi=https://ca.example/acct/123", "example.com",
            "names the issuer 'other.example'"}}) {
    auto got = match({c.record}, c.name);
    ck_assert_msg(!got.found, "%s", c.record);
    ck_assert_uint_eq(got.rejected.size(), 1);
    expect_contains(got.rejected[0], c.reason);
  }
}
END_TEST

START_TEST(records_of_others_are_nobodys_business) {
  auto got = match({"other.example; accounturi=https://other.example/1", "v=spf1 -all", "",
                    std::string(1000, 'x')});
  ck_assert(!got.found && got.rejected.empty() && !got.other_issuer);
  ck_assert(match({"other.example; accounturi=https://ca.example/acct/123"}).other_issuer);
}
END_TEST

START_TEST(of_several_the_one_that_lasts_longest_counts) {
  std::string base = "authority.example; accounturi=https://ca.example/acct/123";
  auto two = match({base + "; persistUntil=1800000000", "v=spf1 -all",
                    base + "; persistUntil=1900000000", base + "; persistUntil=5"});
  ck_assert(two.found);
  ck_assert_int_eq(*two.until, 1'900'000'000);
  ck_assert_uint_eq(two.rejected.size(), 1);
  auto endless = match({base + "; persistUntil=1900000000", base});
  ck_assert(endless.found && !endless.until);
}
END_TEST

START_TEST(a_challenge_offers_one_to_ten_issuers) {
  ck_assert(renew::check_issuers({"authority.example"}).has_value());
  ck_assert(renew::check_issuers(std::vector<std::string>(10, "a.example")).has_value());
  ck_assert(!renew::check_issuers({}));
  ck_assert(!renew::check_issuers(std::vector<std::string>(11, "a.example")));
  for (const char* issuer : {"", "Upper.example", "dot.example.", "a.example; b=c", "a b", "*.a"}) {
    ck_assert_msg(!renew::check_issuers({"a.example", issuer}), "%s", issuer);
  }
  ck_assert(!renew::check_issuers({std::string(260, 'a')}));
}
END_TEST

}  // namespace

Suite* persist_suite() {
  Suite* suite = suite_create("persist");
  TCase* tcase = tcase_create("persist");
  tcase_add_test(tcase, names_of_records);
  tcase_add_test(tcase, the_label_of_an_account);
  tcase_add_test(tcase, the_value_of_a_record);
  tcase_add_test(tcase, server_names_for_alpn);
  tcase_add_test(tcase, names_of_challenge_types);
  tcase_add_test(tcase, the_record_to_publish);
  tcase_add_test(tcase, our_own_proposal_will_do);
  tcase_add_test(tcase, spelling_that_will_do);
  tcase_add_test(tcase, what_will_not_do_is_explained);
  tcase_add_test(tcase, records_of_others_are_nobodys_business);
  tcase_add_test(tcase, of_several_the_one_that_lasts_longest_counts);
  tcase_add_test(tcase, a_challenge_offers_one_to_ten_issuers);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
