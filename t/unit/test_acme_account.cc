// SPDX-License-Identifier: Apache-2.0
#include "scripted_ca.h"

#include "acme/jws.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "expect.h"

namespace tlsguard::test {
namespace {

using nlohmann::json;

net::HttpResponse account_response(int status, const std::string& url = ca_account) {
  auto response = json_response(status, {{"status", "valid"}});
  response.fields.emplace_back("location", url);
  return response;
}

acme::Registration registration() { return {{"admin@a.example"}, true, nullptr}; }

std::string thumbprint(const json& jwk) {
  // Members come in the order of RFC 7638.
  return crypto::base64url(crypto::sha256(jwk.dump()));
}

START_TEST(an_account_is_made) {
  ScriptedCa ca;
  auto client = make_client("");
  auto key = account_key();
  ca.on(ca_url("newAccount"), account_response(201));
  expect_text(value_of(client.register_account(ca, registration())), ca_account);
  expect_text(client.account_url(), ca_account);
  ck_assert(json::parse(ca.payload(ca_url("newAccount"))) ==
            (json{{"contact", {"mailto:admin@a.example"}}, {"termsOfServiceAgreed", true}}));
  json header = ca.header(ca_url("newAccount"));
  ck_assert(!header.contains("kid"));
  ck_assert(jws_is_signed_by(ca.requests.back().body, key.get()));
  expect_text("t." + thumbprint(header["jwk"]), client.key_authorization("t"));
}
END_TEST

START_TEST(an_account_that_is_there_is_found) {
  ScriptedCa ca;
  auto client = make_client("");
  ca.on(ca_url("newAccount"), account_response(200, ca_account + "7"));
  expect_text(value_of(client.register_account(ca, {{}, false, nullptr})), ca_account + "7");
  expect_text(ca.payload(ca_url("newAccount")), "{}");
  // The reference stays good when the URL changes.
  const std::string& url = client.account_url();
  ca.clear(ca_url("newAccount"));
  ca.on(ca_url("newAccount"), account_response(200, ca_account + "8"));
  ck_assert(client.register_account(ca, {{}, false, nullptr}).has_value());
  expect_text(url, ca_account + "7");
  expect_text(client.account_url(), ca_account + "8");
}
END_TEST

START_TEST(an_account_without_a_url_is_none) {
  for (const char* location : {"", "/account/1", "http://ca.example/account/1"}) {
    ScriptedCa ca;
    auto client = make_client("");
    ca.on(ca_url("newAccount"), account_response(201, location));
    expect_contains(error_of(client.register_account(ca, registration())), "Location");
    expect_text(client.account_url(), "");
  }
}
END_TEST

START_TEST(what_the_administrator_must_do_is_told) {
  ScriptedCa ca;
  auto client = make_client("");
  ca.on(ca_url("newAccount"), problem_response(403, "externalAccountRequired"));
  ca.on(ca_url("newAccount"), problem_response(403, "userActionRequired", "agree to the terms"));
  auto refused = client.register_account(ca, registration());
  expect_text(error_of(refused), "new account: because (externalAccountRequired)");
  ck_assert(refused.error().next == Next::never);
  ck_assert(client.register_account(ca, registration()).error().next == Next::never);
}
END_TEST

START_TEST(contacts_are_single_addresses) {
  ScriptedCa ca;
  auto client = make_client();
  ca.on(ca_account, account_response(200));
  ck_assert(client.update_contacts(ca, {"a@a.example", "b@a.example"}).has_value());
  expect_text(ca.payload(ca_account), R"({"contact":["mailto:a@a.example","mailto:b@a.example"]})");
  ck_assert(client.update_contacts(ca, {}).has_value());
  expect_text(ca.payload(ca_account), R"({"contact":[]})");
  for (const char* address : {"", "a", "@a.example", "a@b.example,c@d.example", "a@b?subject=x",
                              "a@b.example c", "a%40b@c.example", "a@b\r\n"}) {
    auto refused = client.update_contacts(ca, {address});
    ck_assert(!refused && refused.error().next == Next::never);
  }
  ca.clear(ca_account);
  ca.on(ca_account, problem_response(400, "invalidContact", "no such host"));
  expect_text(error_of(client.update_contacts(ca, {"a@a.example"})),
              "contacts of the account: no such host (invalidContact)");
}
END_TEST

// --- external accounts ---

acme::ExternalAccount external(std::size_t key_bytes) {
  acme::ExternalAccount account;
  account.kid = "kid-1";
  account.hmac = crypto::SecretBytes(key_bytes);
  return account;
}

json binding(const ScriptedCa& ca) {
  return json::parse(ca.payload(ca_url("newAccount"))).at("externalAccountBinding");
}

START_TEST(an_external_account_is_bound) {
  ScriptedCa ca;
  auto client = make_client("");
  auto with = external(32);
  ca.on(ca_url("newAccount"), account_response(201));
  ck_assert(client.register_account(ca, {{}, true, &with}).has_value());
  std::string jws = binding(ca).dump();
  ck_assert(jws_header(jws) ==
            (json{{"alg", "HS256"}, {"kid", "kid-1"}, {"url", ca_url("newAccount")}}));
  ck_assert(json::parse(jws_payload(jws)) == ca.header(ca_url("newAccount")).at("jwk"));
}
END_TEST

START_TEST(another_algorithm_is_used_where_the_ca_says_so) {
  struct Case {
    std::size_t key_bytes;
    json algorithms;
    const char* then;  // empty: none fits
  };
  for (const Case& one :
       {Case{64, {"HS384", "HS512"}, "HS512"}, Case{48, {"HS384", "HS512"}, "HS384"},
        Case{64, {"HS384"}, "HS384"}, Case{32, {"HS384", "HS512"}, ""},
        Case{64, {"RS256", "HS256"}, ""}, Case{64, json::array(), ""}, Case{64, nullptr, ""}}) {
    ScriptedCa ca;
    auto client = make_client("");
    auto with = external(one.key_bytes);
    auto refusal = problem_response(400, "badSignatureAlgorithm");
    json body = json::parse(refusal.body);
    body["algorithms"] = one.algorithms;
    refusal.body = body.dump();
    ca.on(ca_url("newAccount"), refusal);
    ca.on(ca_url("newAccount"), account_response(201));
    auto made = client.register_account(ca, {{}, true, &with});
    bool again = *one.then != '\0';
    ck_assert_int_eq(made.has_value(), again);
    ck_assert_int_eq(ca.count(ca_url("newAccount")), again ? 2 : 1);
    if (again) expect_text(jws_header(binding(ca).dump()).at("alg").get<std::string>(), one.then);
  }
}
END_TEST

START_TEST(algorithms_are_not_asked_about_for_ever) {
  ScriptedCa ca;
  auto client = make_client("");
  auto with = external(64);
  auto refusal = problem_response(400, "badSignatureAlgorithm");
  json body = json::parse(refusal.body);
  body["algorithms"] = {"HS512", "HS384"};
  refusal.body = body.dump();
  ca.on(ca_url("newAccount"), refusal);
  ck_assert(!client.register_account(ca, {{}, true, &with}));
  ck_assert_int_eq(ca.count(ca_url("newAccount")), 2);
  // Nothing to choose where it was about the account's own signature.
  ck_assert(!client.register_account(ca, registration()));
  ck_assert_int_eq(ca.count(ca_url("newAccount")), 3);
}
END_TEST

START_TEST(an_external_account_needs_a_kid_and_a_key) {
  ScriptedCa ca;
  auto client = make_client("");
  auto no_key = external(0);
  auto no_kid = external(32);
  no_kid.kid.clear();
  for (const auto* with : {&no_key, &no_kid}) {
    auto refused = client.register_account(ca, {{}, true, with});
    ck_assert(!refused && refused.error().next == Next::never);
  }
  ck_assert_int_eq(ca.count(ca_url("newAccount")), 0);
}
END_TEST

// --- another key ---

START_TEST(a_key_is_rolled_over) {
  ScriptedCa ca;
  auto client = make_client();
  auto old_key = account_key();
  auto new_key = value_of(crypto::generate_key(crypto::KeyType::p384));
  EVP_PKEY_up_ref(new_key.get());
  crypto::Key handed(new_key.get());
  std::string old_authorization = client.key_authorization("t");
  ca.on(ca_url("keyChange"), account_response(200));
  ck_assert(client.roll_over(ca, std::move(handed)).has_value());
  const std::string& outer = ca.requests.back().body;
  ck_assert(jws_is_signed_by(outer, old_key.get()));
  expect_text(jws_header(outer).at("kid").get<std::string>(), ca_account);
  // RFC 8555 7.3.5.
  std::string inner = jws_payload(outer);
  ck_assert(jws_is_signed_by(inner, new_key.get()));
  json header = jws_header(inner);
  ck_assert(!header.contains("nonce") && header.contains("jwk"));
  expect_text(header.at("url").get<std::string>(), ca_url("keyChange"));
  json change = json::parse(jws_payload(inner));
  expect_text(change.at("account").get<std::string>(), ca_account);
  expect_text("t." + thumbprint(change.at("oldKey")), old_authorization);
  // From now on it signs.
  expect_text(client.key_authorization("t"), "t." + thumbprint(header.at("jwk")));
  ca.on(ca_account, account_response(200));
  ck_assert(client.update_contacts(ca, {}).has_value());
  ck_assert(jws_is_signed_by(ca.requests.back().body, new_key.get()));
}
END_TEST

START_TEST(a_key_rolled_over_before_is_in_use) {
  ScriptedCa ca;
  auto client = make_client();
  auto new_key = value_of(crypto::generate_key(crypto::KeyType::p256));
  ca.on(ca_url("keyChange"), problem_response(400, "malformed", "the signature is wrong"));
  ca.on(ca_url("newAccount"), account_response(200));
  std::string before = client.key_authorization("t");
  ck_assert(client.roll_over(ca, std::move(new_key)).has_value());
  expect_text(ca.payload(ca_url("newAccount")), R"({"onlyReturnExisting":true})");
  ck_assert(client.key_authorization("t") != before);
}
END_TEST

START_TEST(a_refused_key_changes_nothing) {
  for (auto found : {problem_response(400, "accountDoesNotExist"),
                     account_response(200, "https://ca.example/account/of-another")}) {
    ScriptedCa ca;
    auto client = make_client();
    ca.on(ca_url("keyChange"), problem_response(409, "conflict", "in use"));
    ca.on(ca_url("newAccount"), found);
    std::string before = client.key_authorization("t");
    auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
    expect_text(error_of(client.roll_over(ca, std::move(key))),
                "change of the account's key: in use (conflict)");
    expect_text(client.key_authorization("t"), before);
  }
  ScriptedCa ca;
  auto client = make_client();
  std::string before = client.key_authorization("t");
  ca.on(ca_url("keyChange"), fail("lost"));
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  expect_contains(error_of(client.roll_over(ca, std::move(key))), "lost");
  expect_text(client.key_authorization("t"), before);
  ck_assert(client.roll_over(ca, nullptr).error().next == Next::never);
  ca.directory.erase("keyChange");
  auto other = make_client();
  key = value_of(crypto::generate_key(crypto::KeyType::p256));
  ck_assert(other.roll_over(ca, std::move(key)).error().next == Next::never);
}
END_TEST

START_TEST(a_key_that_cannot_sign_is_told) {
  ScriptedCa ca;
  acme::Client client(ca_directory, nullptr, ca_account);
  auto refused = client.order(ca, ca_url("order/1"));
  expect_contains(error_of(refused), "key");
  ck_assert(refused.error().next == Next::never);
  ck_assert(ca.requests.empty());
  expect_text(client.key_authorization("t"), "t.");
}
END_TEST

}  // namespace

Suite* acme_account_suite() {
  Suite* suite = suite_create("acme_account");
  TCase* tcase = tcase_create("acme_account");
  tcase_add_test(tcase, an_account_is_made);
  tcase_add_test(tcase, an_account_that_is_there_is_found);
  tcase_add_test(tcase, an_account_without_a_url_is_none);
  tcase_add_test(tcase, what_the_administrator_must_do_is_told);
  tcase_add_test(tcase, contacts_are_single_addresses);
  tcase_add_test(tcase, an_external_account_is_bound);
  tcase_add_test(tcase, another_algorithm_is_used_where_the_ca_says_so);
  tcase_add_test(tcase, algorithms_are_not_asked_about_for_ever);
  tcase_add_test(tcase, an_external_account_needs_a_kid_and_a_key);
  tcase_add_test(tcase, a_key_is_rolled_over);
  tcase_add_test(tcase, a_key_rolled_over_before_is_in_use);
  tcase_add_test(tcase, a_refused_key_changes_nothing);
  tcase_add_test(tcase, a_key_that_cannot_sign_is_told);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
