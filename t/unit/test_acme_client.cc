// SPDX-License-Identifier: Apache-2.0
// An order from beginning to end, what goes wrong on the way, and nonces.
#include "scripted_ca.h"

#include <atomic>
#include <functional>
#include <thread>

#include "acme/session.h"
#include "crypto/base64url.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

json order_body(const std::string& status) {
  json body{{"status", status},
            {"identifiers", {{{"type", "dns"}, {"value", "a.example"}}}},
            {"authorizations", {ca_url("authz/1")}},
            {"finalize", ca_url("finalize/1")}};
  if (status == "valid") body["certificate"] = ca_url("cert/1");
  return body;
}

net::HttpResponse order_response(int status, const std::string& order_status) {
  auto response = json_response(status, order_body(order_status));
  if (status == 201) response.fields.emplace_back("location", ca_url("order/1"));
  return response;
}

json challenge_body(const std::string& status) {
  return {{"type", "http-01"}, {"url", ca_url("chall/1")}, {"token", "tok"}, {"status", status}};
}

json authorization_body(const std::string& status) {
  return {{"status", status},
          {"identifier", {{"type", "dns"}, {"value", "a.example"}}},
          {"challenges", {challenge_body(status)}}};
}

acme::NewOrder new_order() { return {{acme::identifier_of("a.example")}, "", ""}; }

acme::Order an_order() {
  acme::Order order;
  order.url = ca_url("order/1");
  order.finalize = ca_url("finalize/1");
  return order;
}

acme::Challenge a_challenge() {
  acme::Challenge challenge;
  challenge.url = ca_url("chall/1");
  return challenge;
}

START_TEST(an_order_goes_through) {
  ScriptedCa ca;
  auto client = make_client();
  auto key = account_key();
  ca.on(ca_url("newOrder"), order_response(201, "pending"));
  auto order = value_of(client.new_order(ca, new_order()));
  expect_text(order.url, ca_url("order/1"));
  expect_text(ca.payload(ca_url("newOrder")),
              R"({"identifiers":[{"type":"dns","value":"a.example"}]})");
  expect_text(ca.header(ca_url("newOrder")).at("kid").get<std::string>(), ca_account);
  ck_assert(jws_is_signed_by(ca.requests.back().body, key.get()));

  auto pending = json_response(200, authorization_body("pending"));
  pending.fields.emplace_back("retry-after", "3");
  ca.on(ca_url("authz/1"), pending);
  auto authorization = value_of(client.authorization(ca, order.authorizations.front()));
  expect_text(authorization.url, ca_url("authz/1"));
  ck_assert_int_eq(authorization.retry_after, 3);
  expect_text(ca.payload(ca_url("authz/1")), "");
  expect_text(client.key_authorization("tok").substr(0, 4), "tok.");
  ck_assert_uint_eq(client.key_authorization("tok").size(), 4 + 43);

  ca.on(ca_url("chall/1"), json_response(200, challenge_body("processing")));
  ck_assert(client.answer(ca, authorization.challenges.front()).has_value());
  expect_text(ca.payload(ca_url("chall/1")), "{}");

  auto processing = order_response(200, "processing");
  processing.fields.emplace_back("retry-after", "5");
  ca.on(ca_url("finalize/1"), processing);
  order = value_of(client.finalize(ca, order, std::string("\x30\x00\xff", 3)));
  expect_text(ca.payload(ca_url("finalize/1")), R"({"csr":"MAD_"})");
  expect_text(order.url, ca_url("order/1"));
  ck_assert_int_eq(order.retry_after, 5);
  ck_assert(order.status == acme::Status::processing);

  ca.on(ca_url("order/1"), order_response(200, "valid"));
  order = value_of(client.order(ca, order.url));
  ck_assert(order.status == acme::Status::valid && order.retry_after == 0);
  net::HttpResponse chain{200, {}, "-----BEGIN CERTIFICATE-----\n"};
  ca.on(order.certificate, chain);
  expect_text(value_of(client.certificate(ca, order.certificate, "")), chain.body);
  ck_assert(ca.requests.back().fields.back() ==
            (std::pair<std::string, std::string>{"Accept", "application/pem-certificate-chain"}));
  // One directory, one nonce asked for; all others came with responses.
  ck_assert_int_eq(ca.count(ca_directory), 1);
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 0);
  ck_assert_uint_eq(ca.requests.size(), 7);
}
END_TEST

START_TEST(orders_say_all_that_is_wanted) {
  ScriptedCa ca;
  auto client = make_client();
  auto response = json_response(
      201,
      {{"status", "pending"}, {"authorizations", {ca_url("authz/1")}}, {"finalize", ca_url("f")}});
  response.fields.emplace_back("location", ca_url("order/2"));
  ca.on(ca_url("newOrder"), response);
  acme::NewOrder wanted{{acme::identifier_of("*.a.example"), acme::identifier_of("2001:db8::1")},
                        "short",
                        "aki.serial"};
  ck_assert(client.new_order(ca, wanted).has_value());
  json told = json::parse(ca.payload(ca_url("newOrder")));
  ck_assert(told == (json{{"identifiers",
                           {{{"type", "dns"}, {"value", "*.a.example"}},
                            {{"type", "ip"}, {"value", "2001:db8::1"}}}},
                          {"profile", "short"},
                          {"replaces", "aki.serial"}}));
  // RFC 9773 5: only where the CA has renewal information.
  ScriptedCa old;
  old.directory.erase("renewalInfo");
  old.on(ca_url("newOrder"), response);
  auto other = make_client();
  ck_assert(other.new_order(old, wanted).has_value());
  ck_assert(!json::parse(old.payload(ca_url("newOrder"))).contains("replaces"));
}
END_TEST

START_TEST(an_order_of_other_names_is_none) {
  for (const char* name : {"b.example", "a.example.evil", "*.a.example"}) {
    ScriptedCa ca;
    auto client = make_client();
    auto response = order_response(201, "pending");
    json body = order_body("pending");
    body["identifiers"][0]["value"] = name;
    response.body = body.dump();
    ca.on(ca_url("newOrder"), response);
    expect_contains(error_of(client.new_order(ca, new_order())), "other names");
  }
  ScriptedCa ca;
  auto client = make_client();
  auto response = order_response(201, "pending");
  json body = order_body("pending");
  body["identifiers"] = {{{"type", "dns"}, {"value", "B.example"}},
                         {{"type", "dns"}, {"value", "A.example"}},
                         {{"type", "dns"}, {"value", "a.example"}}};
  response.body = body.dump();
  ca.on(ca_url("newOrder"), response);
  acme::NewOrder both{{acme::identifier_of("a.example"), acme::identifier_of("b.example")}, "", ""};
  ck_assert(client.new_order(ca, both).has_value());
}
END_TEST

START_TEST(an_order_without_a_url_is_none) {
  for (const char* location : {"", "/order/1", "http://ca.example/order/1", "https://a@b/"}) {
    ScriptedCa ca;
    auto client = make_client();
    auto response = json_response(201, order_body("pending"));
    if (*location != '\0') response.fields.emplace_back("location", location);
    ca.on(ca_url("newOrder"), response);
    expect_contains(error_of(client.new_order(ca, new_order())), "Location");
  }
}
END_TEST

START_TEST(nothing_is_asked_without_an_account) {
  ScriptedCa ca;
  auto client = make_client("");
  expect_contains(error_of(client.new_order(ca, new_order())), "no account");
  expect_contains(error_of(client.order(ca, ca_url("order/1"))), "no account");
  ck_assert_int_eq(ca.count(ca_url("newOrder")), 0);
}
END_TEST

START_TEST(urls_that_are_none_are_not_asked) {
  ScriptedCa ca;
  auto client = make_client();
  for (const char* url : {"", "http://ca.example/x", "file:///etc/passwd"}) {
    auto order = client.order(ca, url);
    expect_contains(error_of(order), "no https URL");
    ck_assert(order.error().next == Next::never);
  }
  ck_assert(ca.requests.empty());
  acme::Client plain("http://ca.example/directory", account_key(), ca_account);
  expect_contains(error_of(plain.directory(ca, ca_time)), "no https URL");
}
END_TEST

// --- nonces ---

START_TEST(a_bad_nonce_is_replaced_by_that_of_the_error) {
  ScriptedCa ca;
  auto client = make_client();
  auto bad = problem_response(400, "badNonce");
  bad.fields.emplace_back("replay-nonce", "from-the-error");
  ca.checks_nonces = false;
  ca.on(ca_url("order/1"), bad);
  ca.on(ca_url("order/1"), order_response(200, "ready"));
  ck_assert(client.order(ca, ca_url("order/1")).has_value());
  expect_text(ca.header(ca_url("order/1")).at("nonce").get<std::string>(), "from-the-error");
  ck_assert_int_eq(ca.count(ca_url("order/1")), 2);
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 0);  // the first came with the directory
}
END_TEST

START_TEST(a_storm_of_bad_nonces_ends) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("order/1"), problem_response(400, "badNonce"));
  auto order = client.order(ca, ca_url("order/1"));
  expect_text(order.error().kind, "badNonce");
  ck_assert(order.error().next == Next::back_off);
  ck_assert_int_eq(ca.count(ca_url("order/1")), acme::Session::max_attempts);
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 0);
}
END_TEST

START_TEST(a_bad_nonce_without_another_costs_a_request) {
  ScriptedCa ca;
  auto client = make_client();
  ca.gives_nonces = false;
  ca.checks_nonces = false;
  ca.clear(ca_url("newNonce"));
  ca.on(ca_url("newNonce"), net::HttpResponse{204, {{"replay-nonce", "fresh"}}, ""});
  ca.on(ca_url("order/1"), problem_response(400, "badNonce"));
  ca.on(ca_url("order/1"), problem_response(400, "badNonce"));
  ca.on(ca_url("order/1"), order_response(200, "ready"));
  ck_assert(client.order(ca, ca_url("order/1")).has_value());
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 3);
  expect_text(ca.requests[1].method, "HEAD");
}
END_TEST

START_TEST(a_ca_without_nonces_is_told) {
  for (auto answer :
       {net::HttpResponse{200, {}, ""}, net::HttpResponse{200, {{"replay-nonce", "a b"}}, ""}}) {
    ScriptedCa ca;
    auto client = make_client();
    ca.gives_nonces = false;
    ca.clear(ca_url("newNonce"));
    ca.on(ca_url("newNonce"), answer);
    expect_contains(error_of(client.order(ca, ca_url("order/1"))), "gives no nonce");
    ck_assert_int_eq(ca.count(ca_url("order/1")), 0);
  }
}
END_TEST

START_TEST(nonces_of_refusals_are_used_too) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("order/1"), problem_response(500, "serverInternal"));
  for (int i = 0; i < 5; ++i) ck_assert(!client.order(ca, ca_url("order/1")));
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 0);
}
END_TEST

START_TEST(a_lost_response_takes_its_nonce_along) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("order/1"), fail("the connection ended"));
  ca.on(ca_url("order/1"), order_response(200, "ready"));
  auto lost = client.order(ca, ca_url("order/1"));
  expect_text(error_of(lost), "order: the connection ended");
  ck_assert(client.order(ca, ca_url("order/1")).has_value());
  ck_assert_int_eq(ca.count(ca_url("newNonce")), 1);
}
END_TEST

// --- lost responses whose requests were done ---

START_TEST(a_challenge_answered_before_is_answered) {
  for (auto [status, good] : {std::pair{"processing", true}, std::pair{"valid", true},
                              std::pair{"invalid", true}, std::pair{"pending", false}}) {
    ScriptedCa ca;
    auto client = make_client();
    ca.on(ca_url("chall/1"), problem_response(400, "malformed", "not pending"));
    ca.on(ca_url("chall/1"), json_response(200, challenge_body(status)));
    auto answered = client.answer(ca, a_challenge());
    ck_assert_msg(answered.has_value() == good, "%s", status);
    if (!good) expect_text(answered.error().text, "challenge: not pending (malformed)");
  }
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("chall/1"), net::HttpResponse{503, {{"retry-after", "8"}}, ""});
  auto busy = client.answer(ca, a_challenge());
  ck_assert(busy.error().next == Next::wait && ca.count(ca_url("chall/1")) == 1);
}
END_TEST

START_TEST(an_order_finalized_before_is_finalized) {
  for (auto [status, good] : {std::pair{"processing", true}, std::pair{"valid", true},
                              std::pair{"pending", false}, std::pair{"invalid", false}}) {
    ScriptedCa ca;
    auto client = make_client();
    ca.on(ca_url("finalize/1"), problem_response(403, "orderNotReady"));
    ca.on(ca_url("order/1"), order_response(200, status));
    auto order = client.finalize(ca, an_order(), "csr");
    ck_assert_msg(order.has_value() == good, "%s", status);
    if (!good) expect_text(order.error().kind, "orderNotReady");
  }
}
END_TEST

START_TEST(a_certificate_revoked_before_is_revoked) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("revokeCert"), net::HttpResponse{200, {}, ""});
  ca.on(ca_url("revokeCert"), problem_response(400, "alreadyRevoked"));
  ca.on(ca_url("revokeCert"), problem_response(403, "unauthorized"));
  ck_assert(client.revoke(ca, "DER", 4).has_value());
  ck_assert(json::parse(ca.payload(ca_url("revokeCert"))) ==
            (json{{"certificate", "REVS"}, {"reason", 4}}));
  ck_assert(client.revoke(ca, "DER", std::nullopt).has_value());
  expect_text(ca.payload(ca_url("revokeCert")), R"({"certificate":"REVS"})");
  expect_text(error_of(client.revoke(ca, "DER", 1)), "revocation: because (unauthorized)");
  ca.directory.erase("revokeCert");
  auto other = make_client();
  ck_assert(other.revoke(ca, "DER", 1).error().next == Next::never);
}
END_TEST

// --- errors ---

START_TEST(refusals_come_with_what_was_asked) {
  ScriptedCa ca;
  auto client = make_client();
  auto limited = problem_response(429, "rateLimited", "too many");
  limited.fields.emplace_back("retry-after", "600");
  ca.on(ca_url("newOrder"), limited);
  ca.on(ca_url("newOrder"), problem_response(409, "alreadyReplaced"));
  auto order = client.new_order(ca, new_order());
  expect_text(error_of(order), "new order: too many (rateLimited)");
  ck_assert(order.error().next == Next::wait && order.error().after.count() == 600);
  expect_text(order.error().kind, "rateLimited");
  expect_text(client.new_order(ca, new_order()).error().kind, "alreadyReplaced");
}
END_TEST

START_TEST(answers_that_are_no_acme_are_told) {
  const net::HttpResponse html{200, {{"content-type", "text/html"}}, "<html>"};
  const net::HttpResponse deep{200, {}, std::string(100000, '[')};
  const net::HttpResponse moved{302, {{"location", "https://b.example/"}}, ""};
  using Call = std::function<std::string(acme::Client&, ScriptedCa&)>;
  const std::pair<std::string, Call> calls[] = {
      {ca_url("newOrder"),
       [](auto& c, auto& ca) { return error_of(c.new_order(ca, new_order())); }},
      {ca_url("order/1"),
       [](auto& c, auto& ca) { return error_of(c.order(ca, ca_url("order/1"))); }},
      {ca_url("authz/1"),
       [](auto& c, auto& ca) { return error_of(c.authorization(ca, ca_url("authz/1"))); }},
      {ca_url("finalize/1"),
       [](auto& c, auto& ca) { return error_of(c.finalize(ca, an_order(), "csr")); }},
      {ca_url("cert/1"),
       [](auto& c, auto& ca) { return error_of(c.certificate(ca, ca_url("cert/1"), "")); }},
      {ca_url("renewalInfo/id"),
       [](auto& c, auto& ca) { return error_of(c.renewal_info(ca, "id")); }}};
  for (const auto& [url, call] : calls) {
    ScriptedCa ca;
    auto client = make_client();
    for (auto answer : {html, deep, moved}) {
      answer.fields.emplace_back("location", ca_url("order/1"));
      ca.on(url, answer);
    }
    expect_contains(call(client, ca), "HTML");
    std::string told = call(client, ca);
    ck_assert_msg(
        told.find("too deep") != std::string::npos || told.find("no PEM") != std::string::npos,
        "%s", told.c_str());
    expect_contains(call(client, ca), "redirect");
  }
}
END_TEST

START_TEST(authorizations_are_given_up) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("authz/1"), json_response(200, authorization_body("deactivated")));
  ca.on(ca_url("authz/1"), problem_response(403, "unauthorized"));
  ck_assert(client.deactivate_authorization(ca, ca_url("authz/1")).has_value());
  expect_text(ca.payload(ca_url("authz/1")), R"({"status":"deactivated"})");
  ck_assert(!client.deactivate_authorization(ca, ca_url("authz/1")));
}
END_TEST

// --- the directory ---

START_TEST(the_directory_is_fetched_once_a_day) {
  ScriptedCa ca;
  auto client = make_client();
  for (UnixSeconds later : {0, 1, 86399}) {
    ck_assert(client.directory(ca, ca_time + later).has_value());
  }
  ck_assert_int_eq(ca.count(ca_directory), 1);
  ck_assert(client.directory(ca, ca_time + 86400).has_value());
  ck_assert_int_eq(ca.count(ca_directory), 2);
  // The clock was set back.
  ck_assert(client.directory(ca, ca_time - 1).has_value());
  ck_assert_int_eq(ca.count(ca_directory), 3);
}
END_TEST

START_TEST(the_directory_is_fetched_again_after_an_error) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_directory, net::HttpResponse{503, {{"retry-after", "60"}}, ""});
  ca.on(ca_directory, json_response(200, {{"newNonce", ca_url("newNonce")}}));
  ca.on(ca_directory, fail("no connection"));
  ca.on(ca_directory, json_response(200, ca.directory));
  auto directory = client.directory(ca, ca_time);
  ck_assert(directory.error().next == Next::wait && directory.error().after.count() == 60);
  expect_contains(error_of(client.directory(ca, ca_time)), "'newAccount' is missing");
  expect_text(error_of(client.directory(ca, ca_time)), "directory: no connection");
  ck_assert(client.directory(ca, ca_time).has_value());
  // URLs that are no more.
  for (int status : {404, 405, 410, 301}) {
    ca.clear(ca_url("newOrder"));
    ca.on(ca_url("newOrder"), net::HttpResponse{status, {}, ""});
    int before = ca.count(ca_directory);
    ck_assert(!client.new_order(ca, new_order()));
    ck_assert(client.directory(ca, ca_time).has_value());
    ck_assert_int_eq(ca.count(ca_directory), before + 1);
  }
}
END_TEST

START_TEST(a_directory_fetched_on_the_way_is_not_fetched_again) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_url("newOrder"), order_response(201, "pending"));
  ck_assert(client.new_order(ca, new_order()).has_value());
  ck_assert(client.directory(ca, ca_time).has_value());
  ck_assert_int_eq(ca.count(ca_directory), 1);
  ck_assert(client.directory(ca, ca_time + 86400).has_value());
  ck_assert_int_eq(ca.count(ca_directory), 2);
}
END_TEST

START_TEST(renewal_information_is_not_signed) {
  ScriptedCa ca;
  auto client = make_client("");
  auto response = json_response(
      200,
      {{"suggestedWindow", {{"start", "2027-01-01T00:00:00Z"}, {"end", "2027-01-02T00:00:00Z"}}}});
  ca.on(ca_url("renewalInfo/aki.serial"), response);
  ck_assert(!value_of(client.renewal_info(ca, "aki.serial")).retry_after);
  expect_text(ca.requests.back().method, "GET");
  ca.directory["renewalInfo"] = ca_url("renewalInfo/");
  response.fields.emplace_back("retry-after", "21600");
  ca.clear(ca_url("renewalInfo/aki.serial"));
  ca.on(ca_url("renewalInfo/aki.serial"), response);
  auto other = make_client();
  ck_assert_int_eq(*value_of(other.renewal_info(ca, "aki.serial")).retry_after, 21600);
  ca.directory.erase("renewalInfo");
  auto none = make_client();
  ck_assert(none.renewal_info(ca, "aki.serial").error().next == Next::never);
}
END_TEST

// Each thread has a CA of its own, all share the client.
START_TEST(threads_share_a_client) {
  auto client = make_client();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      ScriptedCa ca;
      ca.checks_nonces = false;
      ca.on(ca_url("newOrder"), order_response(201, "pending"));
      ca.on(ca_url("account"), net::HttpResponse{200, {}, ""});
      for (int j = 0; j < 50; ++j) {
        good += client.new_order(ca, new_order()).has_value();
        good += client.directory(ca, ca_time + j * 86400).has_value();
        good += client.key_authorization("t").size() == 45 && client.account_url() == ca_account;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ck_assert_int_eq(good, 4 * 50 * 3);
}
END_TEST

}  // namespace

Suite* acme_client_suite() {
  Suite* suite = suite_create("acme_client");
  TCase* tcase = tcase_create("acme_client");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, an_order_goes_through);
  tcase_add_test(tcase, orders_say_all_that_is_wanted);
  tcase_add_test(tcase, an_order_of_other_names_is_none);
  tcase_add_test(tcase, an_order_without_a_url_is_none);
  tcase_add_test(tcase, nothing_is_asked_without_an_account);
  tcase_add_test(tcase, urls_that_are_none_are_not_asked);
  tcase_add_test(tcase, a_bad_nonce_is_replaced_by_that_of_the_error);
  tcase_add_test(tcase, a_storm_of_bad_nonces_ends);
  tcase_add_test(tcase, a_bad_nonce_without_another_costs_a_request);
  tcase_add_test(tcase, a_ca_without_nonces_is_told);
  tcase_add_test(tcase, nonces_of_refusals_are_used_too);
  tcase_add_test(tcase, a_lost_response_takes_its_nonce_along);
  tcase_add_test(tcase, a_challenge_answered_before_is_answered);
  tcase_add_test(tcase, an_order_finalized_before_is_finalized);
  tcase_add_test(tcase, a_certificate_revoked_before_is_revoked);
  tcase_add_test(tcase, refusals_come_with_what_was_asked);
  tcase_add_test(tcase, answers_that_are_no_acme_are_told);
  tcase_add_test(tcase, authorizations_are_given_up);
  tcase_add_test(tcase, the_directory_is_fetched_once_a_day);
  tcase_add_test(tcase, the_directory_is_fetched_again_after_an_error);
  tcase_add_test(tcase, a_directory_fetched_on_the_way_is_not_fetched_again);
  tcase_add_test(tcase, renewal_information_is_not_signed);
  tcase_add_test(tcase, threads_share_a_client);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
