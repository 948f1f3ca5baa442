// SPDX-License-Identifier: Apache-2.0
#include "scripted_ca.h"

#include "acme/documents.h"
#include "acme/json_reader.h"
#include "core/parse_date.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

json directory() {
  return {{"newNonce", "https://ca.example/n"},
          {"newAccount", "https://ca.example/a"},
          {"newOrder", "https://ca.example/o"},
          {"revokeCert", "https://ca.example/r"},
          {"keyChange", "https://ca.example/k"},
          {"renewalInfo", "https://ca.example/i"},
          {"x73-h9", "https://community.letsencrypt.org/t/adding-random-entries"},
          {"meta",
           {{"termsOfService", "https://ca.example/terms"},
            {"externalAccountRequired", true},
            {"caaIdentities", {"CA.example"}},
            {"profiles", {{"classic", "https://ca.example/classic"}, {"short", "six\ndays"}}}}}};
}

json order() {
  return {{"status", "ready"},
          {"expires", "2027-01-01T00:00:00Z"},
          {"identifiers",
           {{{"type", "dns"}, {"value", "A.example"}}, {{"type", "ip"}, {"value", "2001:DB8::0"}}}},
          {"authorizations", {"https://ca.example/z/1", "https://ca.example/z/2"}},
          {"finalize", "https://ca.example/f/1"}};
}

json challenge(const std::string& type) {
  json made{{"type", type}, {"url", "https://ca.example/c/1"}, {"status", "pending"}};
  if (type == "dns-persist-01") {
    made["issuer-domain-names"] = {"CA.example", "other.example"};
  } else {
    made["token"] = "aA0-_";
  }
  return made;
}

json authorization() {
  return {{"status", "pending"},
          {"identifier", {{"type", "dns"}, {"value", "a.example"}}},
          {"challenges",
           {challenge("http-01"), challenge("tls-alpn-01"), challenge("dns-01"),
            challenge("dns-account-01"), challenge("dns-persist-01")}}};
}

json renewal_info() {
  return {{"suggestedWindow", {{"start", "2027-01-01T00:00:00Z"}, {"end", "2027-01-02T00:00:00Z"}}},
          {"explanationURL", "https://ca.example/why"}};
}

template <typename Parse>
std::string refused(Parse parse, const json& body) {
  return error_of(parse(body.dump()));
}

START_TEST(a_directory_is_read) {
  auto read = value_of(acme::parse_directory(directory().dump()));
  expect_text(read.new_nonce, "https://ca.example/n");
  expect_text(read.new_account, "https://ca.example/a");
  expect_text(read.new_order, "https://ca.example/o");
  expect_text(read.revoke_cert, "https://ca.example/r");
  expect_text(read.key_change, "https://ca.example/k");
  expect_text(read.renewal_info, "https://ca.example/i");
  expect_text(read.terms_of_service, "https://ca.example/terms");
  ck_assert(read.external_account_required);
  ck_assert(read.caa_identities == std::vector<std::string>{"ca.example"});
  ck_assert(read.profiles ==
            (std::map<std::string, std::string>{{"classic", "https://ca.example/classic"},
                                                {"short", "six days"}}));
}
END_TEST

START_TEST(a_directory_need_not_have_all) {
  json bare = directory();
  for (const char* name : {"revokeCert", "keyChange", "renewalInfo", "meta"}) bare.erase(name);
  auto read = value_of(acme::parse_directory(bare.dump()));
  ck_assert(read.renewal_info.empty() && read.profiles.empty());
  ck_assert(!read.external_account_required);
  bare["meta"] = nullptr;
  bare["keyChange"] = nullptr;
  bare["revokeCert"] = "";
  ck_assert(acme::parse_directory(bare.dump()).has_value());
  for (const char* name : {"newNonce", "newAccount", "newOrder"}) {
    json lacking = directory();
    lacking.erase(name);
    expect_text(refused(acme::parse_directory, lacking),
                "the CA's directory: '" + std::string(name) + "' is missing");
  }
}
END_TEST

START_TEST(urls_are_https) {
  for (const json& url : {json("http://ca.example/n"), json("/n"), json(7), json(json::array()),
                          json("https://a@b/"), json("javascript:x"), json(true)}) {
    for (const char* name : {"newNonce", "newOrder", "renewalInfo", "keyChange"}) {
      json wrong = directory();
      wrong[name] = url;
      expect_contains(refused(acme::parse_directory, wrong), "'" + std::string(name) + "' is no");
    }
    json wrong = order();
    wrong["authorizations"][1] = url;
    expect_contains(refused(acme::parse_order, wrong), "'authorizations' is no");
    wrong = order();
    wrong["finalize"] = url;
    expect_contains(refused(acme::parse_order, wrong), "'finalize' is no");
    wrong = authorization();
    wrong["challenges"][1]["url"] = url;
    expect_contains(refused(acme::parse_authorization, wrong), "'url' is no");
  }
  expect_contains(refused(acme::parse_directory,
                          [] {
                            json wrong = directory();
                            wrong["newNonce"] = "http://ca.example/\n" + std::string(5000, 'x');
                            return wrong;
                          }()),
                  "…'");
}
END_TEST

START_TEST(what_a_directory_says_of_itself_is_checked) {
  for (auto [name, value] : std::vector<std::pair<const char*, json>>{
           {"termsOfService", 7},
           {"externalAccountRequired", "yes"},
           {"caaIdentities", "ca.example"},
           {"caaIdentities", {1}},
           {"caaIdentities", {""}},
           {"caaIdentities", std::vector<std::string>(101, "a")},
           {"profiles", {"classic"}},
           {"profiles", "classic"}}) {
    json wrong = directory();
    wrong["meta"][name] = value;
    expect_contains(refused(acme::parse_directory, wrong), name);
  }
  json wrong = directory();
  wrong["meta"] = json::array();
  expect_contains(refused(acme::parse_directory, wrong), "'meta' is no object");
  json many = directory();
  for (int i = 0; i < 101; ++i) many["meta"]["profiles"][std::to_string(i)] = "x";
  expect_contains(refused(acme::parse_directory, many), "too many");
  json odd = directory();
  odd["meta"]["profiles"] = {{"", "no name"}, {"n", 7}, {std::string(300, 'x'), "long"}};
  auto read = value_of(acme::parse_directory(odd.dump()));
  ck_assert(read.profiles == (std::map<std::string, std::string>{{"n", ""}}));
}
END_TEST

START_TEST(an_order_is_read) {
  auto read = value_of(acme::parse_order(order().dump()));
  ck_assert(read.order.status == acme::Status::ready);
  ck_assert_uint_eq(read.order.authorizations.size(), 2);
  expect_text(read.order.finalize, "https://ca.example/f/1");
  ck_assert(read.order.certificate.empty() && !read.order.error);
  using Type = acme::Identifier::Type;
  ck_assert(read.identifiers ==
            (std::vector<acme::Identifier>{{Type::dns, "a.example"}, {Type::ip, "2001:db8::"}}));
  json failed = order();
  failed["status"] = "invalid";
  failed["error"] = {{"type", "urn:ietf:params:acme:error:dns"}, {"detail", "no address"}};
  failed["identifiers"] = nullptr;
  failed["authorizations"] = nullptr;
  auto invalid = value_of(acme::parse_order(failed.dump()));
  ck_assert(invalid.order.status == acme::Status::invalid);
  expect_text(invalid.order.error->text(), "no address (dns)");
  json done = order();
  done["status"] = "valid";
  expect_contains(refused(acme::parse_order, done), "'certificate' is missing");
  json pending = order();
  pending["status"] = "pending";
  ck_assert(acme::parse_order(pending.dump()).has_value());
  for (const json& none : {json(), json::array()}) {
    pending["authorizations"] = none;
    expect_contains(refused(acme::parse_order, pending), "'authorizations' is missing");
  }
  done["certificate"] = "https://ca.example/cert/1";
  expect_text(value_of(acme::parse_order(done.dump())).order.certificate,
              "https://ca.example/cert/1");
}
END_TEST

START_TEST(what_is_wrong_with_an_order_is_told) {
  for (auto [name, value, told] : std::vector<std::tuple<const char*, json, const char*>>{
           {"status", "done", "none of ACME's: 'done'"},
           {"status", 7, "'status' is no text"},
           {"status", nullptr, "'status' is missing"},
           {"status", std::string(33, 'x'), "longer than 32"},
           {"finalize", nullptr, "'finalize' is missing"},
           {"error", "no", "'error' is no object"},
           {"identifiers", "a.example", "'identifiers' is no list"},
           {"identifiers", {"a.example"}, "'type' is missing"},
           {"identifiers", {{{"type", "dns"}}}, "'value' is missing"},
           {"identifiers", {{{"type", "ip"}, {"value", "x"}}}, "neither a DNS name nor an IP"},
           {"identifiers", {{{"type", "email"}, {"value", "x"}}}, "neither a DNS name nor an IP"},
           {"authorizations", "https://ca.example/z", "'authorizations' is no list"},
           {"authorizations", std::vector<int>(1001, 1), "more than 1000"}}) {
    json wrong = order();
    wrong[name] = value;
    expect_contains(refused(acme::parse_order, wrong), told);
  }
}
END_TEST

START_TEST(an_authorization_is_read) {
  auto read = value_of(acme::parse_authorization(authorization().dump()));
  ck_assert(read.status == acme::Status::pending && !read.wildcard);
  expect_text(read.identifier.value, "a.example");
  ck_assert_uint_eq(read.challenges.size(), 5);
  expect_text(read.challenges[0].token, "aA0-_");
  expect_text(read.challenges[4].token, "");
  ck_assert(read.challenges[4].issuer_domain_names ==
            (std::vector<std::string>{"ca.example", "other.example"}));
  json failed = authorization();
  failed["wildcard"] = true;
  failed["status"] = "invalid";
  failed["challenges"][0]["status"] = "invalid";
  failed["challenges"][0]["error"] = {{"type", "urn:ietf:params:acme:error:connection"},
                                      {"detail", "timeout"}};
  failed["challenges"][0]["validationRecord"] = {{{"addressesResolved", {"127.0.0.1"}}}};
  auto invalid = value_of(acme::parse_authorization(failed.dump()));
  ck_assert(invalid.wildcard);
  expect_text(invalid.challenges[0].error->text(), "timeout (connection)");
}
END_TEST

START_TEST(challenges_of_no_use_are_left_out) {
  json odd = authorization();
  odd["challenges"] = {challenge("http-01"),
                       {{"type", "device-attest-01"}, {"status", 7}},
                       challenge("dns-persist-01")};
  for (const json& issuers :
       {json(nullptr), json("ca.example"), json::array(), json({1}), json({""}),
        json(std::vector<std::string>(11, "a.example")), json({std::string(256, 'a')})}) {
    odd["challenges"][2]["issuer-domain-names"] = issuers;
    auto read = value_of(acme::parse_authorization(odd.dump()));
    ck_assert_uint_eq(read.challenges.size(), 1);
  }
  odd["challenges"] = nullptr;
  ck_assert(value_of(acme::parse_authorization(odd.dump())).challenges.empty());
}
END_TEST

START_TEST(a_token_that_is_none_is_an_error) {
  for (const json& token :
       {json("../../etc/passwd"), json("a/b"), json("a.b"), json("a b"), json("a\n"), json(""),
        json("a="), json(7), json(nullptr), json(std::string(129, 'a')),
        json(std::string(5000, 'a')), json(std::string("a\0b", 3))}) {
    json wrong = authorization();
    wrong["challenges"][2]["token"] = token;
    expect_contains(refused(acme::parse_authorization, wrong), "token");
  }
}
END_TEST

START_TEST(what_is_wrong_with_an_authorization_is_told) {
  json wrong = authorization();
  wrong.erase("identifier");
  expect_contains(refused(acme::parse_authorization, wrong), "'identifier' is missing");
  wrong = authorization();
  wrong["wildcard"] = "yes";
  expect_contains(refused(acme::parse_authorization, wrong), "'wildcard' is neither");
  wrong = authorization();
  wrong["challenges"] = std::vector<json>(101, challenge("http-01"));
  expect_contains(refused(acme::parse_authorization, wrong), "more than 100");
  wrong = authorization();
  wrong["challenges"][0].erase("type");
  expect_contains(refused(acme::parse_authorization, wrong), "'type' is missing");
  wrong["challenges"][0] = 7;
  expect_contains(refused(acme::parse_authorization, wrong), "'type' is missing");
}
END_TEST

START_TEST(renewal_information_is_read) {
  auto read = value_of(acme::parse_renewal_info(renewal_info().dump()));
  ck_assert_int_eq(read.start, *parse_rfc3339("2027-01-01T00:00:00Z"));
  ck_assert_int_eq(read.end, read.start + 86400);
  expect_text(read.explanation_url, "https://ca.example/why");
  json bare = renewal_info();
  bare.erase("explanationURL");
  ck_assert(value_of(acme::parse_renewal_info(bare.dump())).explanation_url.empty());
}
END_TEST

START_TEST(what_is_no_renewal_information) {
  json wrong = renewal_info();
  wrong.erase("suggestedWindow");
  expect_contains(refused(acme::parse_renewal_info, wrong), "'suggestedWindow' is missing");
  for (const json& date : {json("tomorrow"), json(1800000000), json(nullptr), json("")}) {
    wrong = renewal_info();
    wrong["suggestedWindow"]["end"] = date;
    ck_assert(!acme::parse_renewal_info(wrong.dump()));
  }
  for (const char* end : {"2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}) {
    wrong = renewal_info();
    wrong["suggestedWindow"]["end"] = end;
    expect_contains(refused(acme::parse_renewal_info, wrong), "ends before it begins");
  }
}
END_TEST

START_TEST(bodies_that_are_no_json) {
  auto refusal = [](std::string_view body) { return error_of(acme::parse_object(body, "order")); };
  expect_contains(refusal(""), "is empty");
  expect_contains(refusal(" \n"), "is empty");
  expect_contains(refusal("<!DOCTYPE html>"), "HTML instead of its order");
  expect_contains(refusal("  <html>"), "HTML instead of its order");
  expect_contains(refusal("{"), "no JSON, or torn");
  expect_contains(refusal("no"), "no JSON, or torn");
  expect_contains(refusal("{\"a\":\"\xff\"}"), "no JSON, or torn");
  expect_contains(refusal("{} {}"), "no JSON, or torn");
  expect_contains(refusal("[]"), "no JSON object");
  expect_contains(refusal("7"), "no JSON object");
  expect_contains(refusal(std::string(100000, '[')), "nested too deep");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
  expect_contains(refusal(deep.substr(0, acme::max_json)), "nested too deep");
  expect_contains(refusal(deep), "more than 262144");
  std::string nested = "1";
  for (int i = 0; i < acme::max_json_depth; ++i) nested = "{\"a\":" + nested + "}";
  ck_assert(acme::parse_object(nested, "order").has_value());
  expect_contains(refusal("{\"a\":" + nested + "}"), "nested too deep");
}
END_TEST

START_TEST(identifiers_of_names) {
  using Type = acme::Identifier::Type;
  ck_assert(acme::identifier_of("A.Example") == (acme::Identifier{Type::dns, "a.example"}));
  ck_assert(acme::identifier_of("*.a.example") == (acme::Identifier{Type::dns, "*.a.example"}));
  ck_assert(acme::identifier_of("192.0.2.1") == (acme::Identifier{Type::ip, "192.0.2.1"}));
  ck_assert(acme::identifier_of("2001:DB8:0::1") == (acme::Identifier{Type::ip, "2001:db8::1"}));
  ck_assert(acme::identifier_of("192.0.2.300").type == Type::dns);
}
END_TEST

}  // namespace

Suite* acme_documents_suite() {
  Suite* suite = suite_create("acme_documents");
  TCase* tcase = tcase_create("acme_documents");
  tcase_add_test(tcase, a_directory_is_read);
  tcase_add_test(tcase, a_directory_need_not_have_all);
  tcase_add_test(tcase, urls_are_https);
  tcase_add_test(tcase, what_a_directory_says_of_itself_is_checked);
  tcase_add_test(tcase, an_order_is_read);
  tcase_add_test(tcase, what_is_wrong_with_an_order_is_told);
  tcase_add_test(tcase, an_authorization_is_read);
  tcase_add_test(tcase, challenges_of_no_use_are_left_out);
  tcase_add_test(tcase, a_token_that_is_none_is_an_error);
  tcase_add_test(tcase, what_is_wrong_with_an_authorization_is_told);
  tcase_add_test(tcase, renewal_information_is_read);
  tcase_add_test(tcase, what_is_no_renewal_information);
  tcase_add_test(tcase, bodies_that_are_no_json);
  tcase_add_test(tcase, identifiers_of_names);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
