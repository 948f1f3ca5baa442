// SPDX-License-Identifier: Apache-2.0
#include "scripted_ca.h"

#include "acme/ca_url.h"
#include "acme/plain_text.h"
#include "acme/problem.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

constexpr char prefix[] = "urn:ietf:params:acme:error:";

START_TEST(texts_are_one_plain_line) {
  expect_text(acme::plain_text("", 10), "");
  expect_text(acme::plain_text("  a \t\r\n b  ", 10), "a b");
  expect_text(acme::plain_text(std::string("a\0b\x1b[31mc\x7f", 10), 20), "a b [31mc");
  expect_text(acme::plain_text("größer €𝄞", 20), "größer €𝄞");
  // C1 controls, line separators, writing from right to left.
  expect_text(acme::plain_text("a\u0085b\u2028c\u202Ed\u2066e\u200Ff", 40), "a b c d e f");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_shown_as_such) {
  expect_text(acme::plain_text("a\xff\xc3", 20), "a??");
  expect_text(acme::plain_text("\xc0\xaf", 20), "??");            // overlong
  expect_text(acme::plain_text("\xed\xa0\x80", 20), "???");       // a surrogate
  expect_text(acme::plain_text("\xf4\x90\x80\x80", 20), "????");  // beyond Unicode
  expect_text(acme::plain_text("\xe2\x82", 20), "??");
  expect_text(acme::plain_text("\xe2\x82z", 20), "??z");
}
END_TEST

START_TEST(texts_are_cut_between_characters) {
  expect_text(acme::plain_text("0123456789", 10), "0123456789");
  expect_text(acme::plain_text("0123456789a", 10), "0123456…");
  expect_text(acme::plain_text("€€€€", 12), "€€€€");
  expect_text(acme::plain_text("€€€€", 11), "€€…");
  expect_text(acme::plain_text("abc", 2), "");
  for (std::size_t max = 0; max < 30; ++max) {
    ck_assert_uint_le(acme::plain_text("ä€𝄞 ä€𝄞 ä€𝄞 ä€𝄞", max).size(), max);
  }
}
END_TEST

START_TEST(urls_of_a_ca) {
  for (const char* url :
       {"https://ca.example", "https://ca.example/", "HTTPS://ca.example:14000/a?b=c",
        "https://[::1]:8443/x", "https://127.0.0.1/a%20b", "https://a/~_-.!$&'()*+,;=:@"}) {
    ck_assert_msg(acme::is_ca_url(url), "%s", url);
  }
  for (const char* url : {"",
                          "https://",
                          "https:///a",
                          "http://ca.example/",
                          "ca.example",
                          "//ca.example/a",
                          "/a",
                          "ftp://ca.example/",
                          "https:/ca.example/a",
                          "https://user@ca.example/",
                          "https://user:pass@ca.example/",
                          "https://ca.example/a#b",
                          "https://ca.example/a b",
                          "https://ca.example/\r\nX: y",
                          "https://ca.example/\xc3\xa4",
                          "https://ca.example/\"",
                          "https://ca.example/\\",
                          "https://:443/",
                          " https://ca.example/",
                          "file:///etc/passwd"}) {
    ck_assert_msg(!acme::is_ca_url(url), "%s", url);
  }
  std::string longest = "https://ca.example/";
  longest.append(acme::max_url - longest.size(), 'a');
  ck_assert(acme::is_ca_url(longest));
  ck_assert(!acme::is_ca_url(longest + "a"));
  expect_text(acme::host_of("https://ca.example:14000/dir"), "ca.example:14000");
  expect_text(acme::host_of("https://ca.example?x"), "ca.example");
}
END_TEST

acme::Refusal refusal(const json& body, int status = 400, const std::string& retry_after = "") {
  auto response = json_response(status, body);
  response.fields.front().second = "application/problem+json; charset=utf-8";
  if (!retry_after.empty()) response.fields.emplace_back("retry-after", retry_after);
  return acme::read_refusal(response, ca_time);
}

Error error(const std::string& kind, int status = 400, const std::string& retry_after = "") {
  return refusal({{"type", prefix + kind}, {"detail", "why"}}, status, retry_after).error;
}

START_TEST(what_only_the_administrator_can_change_is_not_tried_again) {
  for (const char* kind : {"malformed", "rejectedIdentifier", "unsupportedIdentifier",
                           "externalAccountRequired", "userActionRequired", "badCSR", "caa"}) {
    ck_assert_msg(error(kind).next == Next::never, "%s", kind);
    ck_assert_msg(error(kind, 403, "10").next == Next::never, "%s", kind);
    expect_text(error(kind).kind, kind);
    // What is not there may be there again.
    ck_assert_msg(error(kind, 404).next == Next::back_off, "%s", kind);
    ck_assert_msg(error(kind, 500).next == Next::back_off, "%s", kind);
  }
  for (const char* kind :
       {"accountDoesNotExist", "alreadyReplaced", "alreadyRevoked", "badNonce", "badPublicKey",
        "badRevocationReason", "badSignatureAlgorithm", "connection", "dns", "incorrectResponse",
        "invalidContact", "invalidProfile", "orderNotReady", "rateLimited", "serverInternal", "tls",
        "unauthorized", "unsupportedContact", "newInTheFuture"}) {
    ck_assert_msg(error(kind).next == Next::back_off, "%s", kind);
    expect_text(error(kind).kind, kind);
  }
}
END_TEST

START_TEST(any_error_may_say_how_long_to_wait) {
  Error limited = error("rateLimited", 429, "3600");
  ck_assert(limited.next == Next::wait && limited.after.count() == 3600);
  ck_assert(error("rateLimited", 429).next == Next::back_off);
  ck_assert(error("serverInternal", 500, "7").after.count() == 7);
  ck_assert(error("rateLimited", 429, "0").next == Next::back_off);
  ck_assert(error("rateLimited", 429, "nonsense").next == Next::back_off);
  auto bare = acme::read_refusal({503, {{"retry-after", "9"}}, ""}, ca_time);
  ck_assert(bare.error.next == Next::wait && bare.error.after.count() == 9);
  expect_text(bare.error.kind, "");
}
END_TEST

START_TEST(problems_are_told_in_words) {
  expect_text(error("dns").text, "why (dns)");
  expect_text(refusal({{"type", "about:blank"}, {"detail", "why"}}).error.text, "why");
  expect_text(refusal({{"type", std::string(prefix) + "dns"}}).error.text, "dns");
  expect_text(refusal({{"detail", "a\nb\x1b"}}).error.text, "a b");
  expect_text(refusal({{"type", "https://example.com/out-of-credit"}, {"detail", "d"}}).error.text,
              "d (https://example.com/out-of-credit)");
  json with_link{{"type", std::string(prefix) + "userActionRequired"},
                 {"detail", "terms have changed"},
                 {"instance", "https://ca.example/terms"}};
  expect_text(refusal(with_link).error.text,
              "terms have changed (userActionRequired); see https://ca.example/terms");
}
END_TEST

START_TEST(subproblems_are_told_too) {
  json body{{"type", std::string(prefix) + "compound"}, {"detail", "several"}};
  body["subproblems"] = {{{"type", std::string(prefix) + "caa"},
                          {"detail", "CAA forbids it"},
                          {"identifier", {{"type", "dns"}, {"value", "a.example"}}}},
                         {{"type", std::string(prefix) + "dns"},
                          {"detail", "NXDOMAIN"},
                          {"identifier", {{"type", "dns"}, {"value", "b.example"}}}}};
  auto told = refusal(body, 403);
  expect_text(told.error.text,
              "several (compound); a.example: CAA forbids it (caa); b.example: NXDOMAIN (dns)");
  // One name that cannot be had is enough.
  ck_assert(told.error.next == Next::never);
  body["subproblems"].erase(0);
  ck_assert(refusal(body, 403).error.next == Next::back_off);
  for (int i = 0; i < 1000; ++i) body["subproblems"].push_back(body["subproblems"][0]);
  told = refusal(body, 403);
  ck_assert_uint_le(told.problem.subproblems.size(), 100);
  expect_contains(told.error.text, "and 90 more");
  body["detail"] = std::string(100000, 'x');
  ck_assert_uint_le(refusal(body, 403).error.text.size(), 2000);
}
END_TEST

START_TEST(members_of_the_wrong_type_are_left_out) {
  for (const json& wrong : {json(1), json(nullptr), json::array(), json::object(), json(true)}) {
    auto told = refusal({{"type", wrong},
                         {"detail", "why"},
                         {"instance", wrong},
                         {"status", wrong},
                         {"subproblems", wrong},
                         {"algorithms", wrong}});
    expect_text(told.error.text, "why");
    ck_assert_int_eq(told.problem.status, 400);
    ck_assert(told.algorithms.empty());
  }
  auto told =
      refusal({{"detail", "why"}, {"subproblems", {1, "a", json::object(), {{"identifier", 7}}}}});
  ck_assert_uint_eq(told.problem.subproblems.size(), 4);
  expect_text(acme::read_problem(json(7)).text(), "the CA gives no reason (status 0)");
  acme::Problem order_error = acme::read_problem({{"status", 99999}, {"detail", "d"}});
  ck_assert_int_eq(order_error.status, 0);
}
END_TEST

START_TEST(kinds_are_acmes_only) {
  expect_text(acme::problem_kind("urn:ietf:params:acme:error:dns"), "dns");
  for (const char* type : {"", "dns", "urn:acme:error:dns", "urn:ietf:params:acme:error:",
                           "urn:ietf:params:acme:error:a b", "urn:ietf:params:acme:error:a:b",
                           "URN:ietf:params:acme:error:dns", "about:blank"}) {
    expect_text(acme::problem_kind(type), "");
  }
  expect_text(acme::problem_kind(prefix + std::string(65, 'a')), "");
}
END_TEST

START_TEST(refusals_without_a_problem_document) {
  auto told = [](int status, const char* type, const std::string& body) {
    return acme::read_refusal({status, {{"content-type", type}}, body}, ca_time).error.text;
  };
  expect_text(told(502, "text/html", "<html>"),
              "the CA answers with status 502 and text/html, without an ACME problem document");
  expect_text(
      told(500, "application/problem+json", "{"),
      "the CA answers with status 500 and application/problem+json, without an ACME problem "
      "document");
  expect_contains(told(400, "application/problem+json", std::string(100000, '[')), "status 400");
  expect_contains(told(403, "application/json", "{}"), "status 403");
  expect_contains(told(404, "text/plain", ""), "an empty body");
  auto redirect = acme::read_refusal({302, {{"location", "https://b/\n\x01"}}, ""}, ca_time);
  expect_text(redirect.error.text,
              "the CA answers with a redirect (status 302, to 'https://b/'), where ACME has none");
  ck_assert(redirect.error.next == Next::back_off);
}
END_TEST

}  // namespace

Suite* acme_problem_suite() {
  Suite* suite = suite_create("acme_problem");
  TCase* tcase = tcase_create("acme_problem");
  tcase_add_test(tcase, texts_are_one_plain_line);
  tcase_add_test(tcase, bytes_that_are_no_utf8_are_shown_as_such);
  tcase_add_test(tcase, texts_are_cut_between_characters);
  tcase_add_test(tcase, urls_of_a_ca);
  tcase_add_test(tcase, what_only_the_administrator_can_change_is_not_tried_again);
  tcase_add_test(tcase, any_error_may_say_how_long_to_wait);
  tcase_add_test(tcase, problems_are_told_in_words);
  tcase_add_test(tcase, subproblems_are_told_too);
  tcase_add_test(tcase, members_of_the_wrong_type_are_left_out);
  tcase_add_test(tcase, kinds_are_acmes_only);
  tcase_add_test(tcase, refusals_without_a_problem_document);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
