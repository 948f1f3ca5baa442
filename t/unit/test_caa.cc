// SPDX-License-Identifier: Apache-2.0
// CAA as RFC 8659 and RFC 8657 have it, case by case.
#include "suites.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "expect.h"
#include "renew/caa.h"
#include "renew/issue_value.h"

namespace tlsguard::test {
namespace {

using net::DnsAnswer;
using net::DnsRecord;
using net::DnsType;
using renew::CaaVerdict;
using renew::judge_caa;
using renew::parse_issue_value;

constexpr char account[] = "https://ca.example/acct/1";

DnsRecord caa(const std::string& tag, const std::string& value, bool critical = false) {
  DnsRecord record;
  record.owner = "example.org";
  record.type = DnsType::caa;
  record.tag = tag;
  record.value = value;
  record.critical = critical;
  return record;
}

CaaVerdict judge(const std::vector<DnsRecord>& records, bool wildcard = false) {
  return judge_caa(records, wildcard, {{"ca.example", "ca2.example"}, account});
}

bool forbids(const std::vector<DnsRecord>& records, bool wildcard = false) {
  CaaVerdict verdict = judge(records, wildcard);
  ck_assert(verdict.forbidden != verdict.reason.empty());
  return verdict.forbidden;
}

START_TEST(an_issue_value_is_read) {
  auto value = value_of(parse_issue_value("  CA.Example. ;\taccountURI = https://a/?b=c ; x-1=\t"));
  expect_text(value.issuer, "ca.example");
  ck_assert_uint_eq(value.parameters.size(), 2);
  expect_text(*value.find("accounturi"), "https://a/?b=c");
  expect_text(*value.find("x-1"), "");
  ck_assert(!value.find("policy"));
  ck_assert_uint_eq(value.count("x-1"), 1);
  for (const char* text : {"", ";", "  ", " ; ", "ca.example;", "ca.example; "}) {
    auto empty = value_of(parse_issue_value(text));
    ck_assert(empty.parameters.empty());
  }
}
END_TEST

START_TEST(what_is_no_issue_value_is_an_error) {
  for (const char* text :
       {"ca example", "%%%%%", "-ca.example", "ca..example", "ca.example; a", "ca.example; =b",
        "ca.example; a=b;", "ca.example;; a=b", "ca.example; a=b c", "ca.example; a=\xC3\xA9",
        "ca.example; -a=b", "ca.example; a_b=c", ".", "ca.example; a=b\n"}) {
    ck_assert_msg(!parse_issue_value(text), "%s", text);
  }
  std::string many = "ca.example";
  for (int i = 0; i < 65; ++i) many += ";a=b";
  ck_assert(!parse_issue_value(many));
}
END_TEST

START_TEST(without_a_relevant_record_anybody_issues) {
  ck_assert(!forbids({}));
  ck_assert(!forbids({caa("iodef", "mailto:a@example.org")}));
  // RFC 8659 4.3: issuewild says nothing of names that are no wildcards.
  ck_assert(!forbids({caa("issuewild", ";")}));
  ck_assert(!forbids({caa("tbs", "unknown")}));
}
END_TEST

START_TEST(only_a_named_ca_issues) {
  ck_assert(!forbids({caa("issue", "ca.example")}));
  ck_assert(!forbids({caa("issue", "CA2.EXAMPLE")}));
  ck_assert(!forbids({caa("issue", "other.example"), caa("issue", "ca.example; policy=ev")}));
  ck_assert(forbids({caa("issue", "other.example")}));
  ck_assert(forbids({caa("issue", ";")}));
  ck_assert(forbids({caa("issue", "")}));
  // RFC 8659 4.2: malformed is as empty; beside it others count.
  ck_assert(forbids({caa("issue", "%%%%%")}));
  ck_assert(forbids({caa("issue", "ca.example; a=b;")}));
  ck_assert(!forbids({caa("issue", "%%%%%"), caa("issue", "ca.example")}));
  expect_contains(judge({caa("issue", "other.example")}).reason,
                  "CAA does not allow this CA (ca.example, ca2.example): \"other.example\"");
}
END_TEST

START_TEST(wildcards_go_by_issuewild_where_there_is_any) {
  ck_assert(!forbids({caa("issue", "ca.example")}, true));
  ck_assert(forbids({caa("issue", "other.example")}, true));
  ck_assert(forbids({caa("issue", "ca.example"), caa("issuewild", ";")}, true));
  ck_assert(!forbids({caa("issue", "ca.example"), caa("issuewild", ";")}, false));
  ck_assert(!forbids({caa("issue", ";"), caa("issuewild", "ca.example")}, true));
  ck_assert(forbids({caa("issue", ";"), caa("issuewild", "ca.example")}, false));
}
END_TEST

START_TEST(unknown_critical_tags_forbid) {
  ck_assert(forbids({caa("issue", "ca.example"), caa("tbs", "x", true)}));
  ck_assert(!forbids({caa("issue", "ca.example", true), caa("iodef", "mailto:a@b.c", true),
                      caa("issuemail", ";", true)}));
  expect_contains(judge({caa("tbs", "x", true)}).reason, "'tbs'");
}
END_TEST

// RFC 8657 3.
START_TEST(an_account_may_be_required) {
  ck_assert(!forbids({caa("issue", "ca.example; accounturi=https://ca.example/acct/1")}));
  ck_assert(forbids({caa("issue", "ca.example; accounturi=https://ca.example/acct/2")}));
  ck_assert(!forbids({caa("issue", "ca.example; accounturi=https://ca.example/acct/2"),
                      caa("issue", "ca.example; accounturi=https://ca.example/acct/1")}));
  ck_assert(forbids({caa("issue",
                         "ca.example; accounturi=https://ca.example/acct/1;"
                         "accounturi=https://ca.example/acct/1")}));
  expect_contains(judge({caa("issue", "ca.example; accounturi=x")}).reason, account);
  // The account is made with the first order: not known yet is no reason to forbid.
  ck_assert(!judge_caa({caa("issue", "ca.example; accounturi=x")}, false, {{"ca.example"}, ""})
                 .forbidden);
}
END_TEST

// RFC 8657 4.
START_TEST(methods_may_be_required) {
  ck_assert(!judge({caa("issue", "ca.example")}).methods);
  auto one = judge({caa("issue", "ca.example; validationmethods=dns-01,http-01")});
  ck_assert(!one.forbidden);
  ck_assert(*one.methods == std::vector<std::string>({"dns-01", "http-01"}));
  auto both = judge({caa("issue", "ca.example; validationmethods=dns-01"),
                     caa("issue", "ca.example; validationmethods=http-01")});
  ck_assert(*both.methods == std::vector<std::string>({"dns-01", "http-01"}));
  ck_assert(
      !judge({caa("issue", "ca.example; validationmethods=dns-01"), caa("issue", "ca.example")})
           .methods);
  // Of records that another account is meant by, the methods do not count.
  auto mine = judge({caa("issue", "ca.example; accounturi=x; validationmethods=http-01"),
                     caa("issue", "ca.example; validationmethods=dns-01")});
  ck_assert(*mine.methods == std::vector<std::string>{"dns-01"});
  auto twice =
      judge({caa("issue", "ca.example; validationmethods=dns-01; validationmethods=http-01")});
  ck_assert(twice.methods && twice.methods->empty());
}
END_TEST

START_TEST(a_ca_of_unknown_names_is_forbidden_only_with_everybody) {
  renew::CaaApplicant unknown;
  ck_assert(!judge_caa({caa("issue", "other.example")}, false, unknown).forbidden);
  ck_assert(!judge_caa({caa("issue", ";"), caa("issue", "x.example")}, false, unknown).forbidden);
  CaaVerdict verdict = judge_caa({caa("issue", ";")}, false, unknown);
  ck_assert(verdict.forbidden);
  expect_contains(verdict.reason, "no CA at all");
}
END_TEST

// RFC 8659 3: from the name up to the top-level domain, the first set counts.
struct Tree {
  std::map<std::string, std::vector<DnsRecord>> sets;
  std::string failing;
  std::vector<std::string> asked;

  Result<renew::CaaRecords> find(const std::string& name) {
    return renew::find_caa(name, [this](const std::string& at) -> Result<DnsAnswer> {
      asked.push_back(at);
      if (at == failing) return fail("SERVFAIL");
      auto found = sets.find(at);
      if (found == sets.end()) return DnsAnswer{DnsAnswer::Outcome::no_name, at, {}};
      return DnsAnswer{DnsAnswer::Outcome::found, at, found->second};
    });
  }
};

START_TEST(the_tree_is_climbed) {
  Tree tree;
  tree.sets["example.org"] = {caa("issue", "ca.example")};
  tree.sets["org"] = {caa("issue", ";")};
  auto found = value_of(tree.find("a.b.example.org"));
  expect_text(found.owner, "example.org");
  ck_assert_uint_eq(found.records.size(), 1);
  ck_assert(tree.asked ==
            std::vector<std::string>({"a.b.example.org", "b.example.org", "example.org"}));
  expect_text(value_of(tree.find("example2.org")).owner, "org");
  auto none = value_of(tree.find("example.net"));
  ck_assert(none.owner.empty() && none.records.empty());
  expect_text(tree.asked.back(), "net");
}
END_TEST

START_TEST(a_failure_on_the_way_leaves_it_unknown) {
  Tree tree;
  tree.sets["example.org"] = {caa("issue", "ca.example")};
  tree.failing = "b.example.org";
  expect_contains(error_of(tree.find("a.b.example.org")), "SERVFAIL");
}
END_TEST

}  // namespace

Suite* caa_suite() {
  Suite* suite = suite_create("caa");
  TCase* tcase = tcase_create("caa");
  tcase_add_test(tcase, an_issue_value_is_read);
  tcase_add_test(tcase, what_is_no_issue_value_is_an_error);
  tcase_add_test(tcase, without_a_relevant_record_anybody_issues);
  tcase_add_test(tcase, only_a_named_ca_issues);
  tcase_add_test(tcase, wildcards_go_by_issuewild_where_there_is_any);
  tcase_add_test(tcase, unknown_critical_tags_forbid);
  tcase_add_test(tcase, an_account_may_be_required);
  tcase_add_test(tcase, methods_may_be_required);
  tcase_add_test(tcase, a_ca_of_unknown_names_is_forbidden_only_with_everybody);
  tcase_add_test(tcase, the_tree_is_climbed);
  tcase_add_test(tcase, a_failure_on_the_way_leaves_it_unknown);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
